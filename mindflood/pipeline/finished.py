"""Whether the whole of an attack that a config asks for is on a model's card."""

from functools import cache
from pathlib import Path
from typing import Any

from mindflood.attack.chosen import chosen_rows
from mindflood.attack.resources.masked_lm_folder import chosen_masked_lm
from mindflood.attack.results.card import card_path
from mindflood.attack.results.identity import tells_of
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import read_card
from mindflood.cards.schema import Temperature
from mindflood.config.attack import AttackSettings, task_of_json, task_to_json
from mindflood.config.recipes import RECIPES
from mindflood.masked_lm.settings import MaskedLMSettings, cached_folder


def is_finished(out: Path, settings: AttackSettings) -> bool:
    """Whether nothing is left to attack; asking the attack itself loads TextAttack for it.

    A card that does not tell all that decides the outcome counts as unfinished: then the attack
    itself compares, and refuses to mix.

    Args:
        out: the attack's ``--out``, with results of no other model.

    Raises:
        UserError: the data that tell the number of samples or the language model cannot be read.
    """
    path = card_path(out)
    if not path.exists():
        return False
    card = read_card(path)
    key = AttackKey(settings.recipe, settings.profile, settings.temperature is not None)
    summary = card["attacks"].get(str(key))
    if summary is None or card["clean_accuracy"] is None:  # which is measured at the very end
        return False
    number = _number(settings, summary.get("requested"))
    wanted = settings.deciding() | {"num_examples": number} | _masked_lm(settings)
    return tells_of(summary, wanted) and _is_temperature(settings, summary.get("calibration"))


def _number(settings: AttackSettings, found: int | None) -> int:
    """How many samples there are to attack.

    The data are read only where the whole split is asked for, or more than were ``found``: there
    may be no more.
    """
    task, asked = settings.task, settings.num_examples
    wanted = asked or task.attacked_examples
    if wanted is not None and (found is None or wanted <= found):
        return wanted
    return len(chosen_rows(task, None, settings.data, asked, settings.seed).rows)


def _masked_lm(settings: AttackSettings) -> dict[str, str]:
    """The language model that is asked, by its fingerprint, as the card gives it."""
    if not RECIPES[settings.recipe].asks_masked_lm or settings.profile != "offline":
        return {}
    named = settings.masked_lm
    folder = (
        chosen_masked_lm(named)
        if named
        else _own_masked_lm(task_to_json(settings.task), settings.data)
    )
    there = (folder / "config.json").is_file()
    return {"masked_lm": model_fingerprint(folder) if there else "not made yet"}


@cache
def _own_masked_lm(task: str, data: str | None) -> Path:
    """Where the one is that is made of the task's text; its name is a hash of that.

    Args:
        task: as :func:`mindflood.config.attack.task_to_json` writes it.
    """
    return cached_folder(task_of_json(task), data, MaskedLMSettings())


def _is_temperature(settings: AttackSettings, calibration: Temperature | None) -> bool:
    if settings.temperature is None:
        return True
    same: dict[str, Any] = {"source": "given", "temperature": settings.temperature}
    if isinstance(settings.temperature, str):
        same = {"source": settings.temperature, "held_out": settings.held_out}
    return calibration is not None and calibration.items() >= same.items()
