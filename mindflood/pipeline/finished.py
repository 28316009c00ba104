"""Whether the whole of an attack that a config asks for is on a model's card."""

from functools import cache
from pathlib import Path
from typing import Any

from mindflood.attack.chosen import chosen_rows
from mindflood.attack.resources.masked_lm_folder import chosen_masked_lm
from mindflood.attack.results.card import card_path
from mindflood.attack.settings import PAPER_CANDIDATES
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import read_card
from mindflood.cards.schema import Temperature, attack_key
from mindflood.config.recipes import RECIPES
from mindflood.config.settings import AttackSettings, Config
from mindflood.data.tasks import get_task
from mindflood.masked_lm.settings import MaskedLMSettings, cached_folder


def is_finished(
    out: Path, config: Config, recipe: str, num_examples: int | None, *, calibrated: bool = False
) -> bool:
    """Whether nothing is left to attack; asking the attack itself loads TextAttack for it.

    A card that does not tell all that decides the outcome counts as unfinished: then the attack
    itself compares, and refuses to mix.

    Args:
        out: the attack's ``--out``, with results of no other model.
        num_examples, calibrated: as :func:`mindflood.pipeline.stages.attack` takes them.

    Raises:
        UserError: the data that tell the number of samples or the language model cannot be read.
    """
    path = card_path(out)
    if not path.exists():
        return False
    card = read_card(path)
    summary = card["attacks"].get(attack_key(recipe, config.attack.profile, calibrated=calibrated))
    if summary is None or card["clean_accuracy"] is None:  # which is measured at the very end
        return False
    settings = config.attack
    wanted = _number(config, num_examples, summary.get("requested"))
    same = {
        "num_examples": wanted,
        "requested": wanted,
        "seed": settings.seed,
        "columns": settings.columns,
        "max_queries": settings.max_queries or RECIPES[recipe].default_query_budget,
        "max_seconds": settings.max_seconds,
        **_options(config, recipe),
    }
    found = {"columns": "both"} | summary
    if any(found.get(key) != value for key, value in same.items()):
        return False
    return not calibrated or _is_temperature(settings, summary.get("calibration"))


def _number(config: Config, asked: int | None, found: int | None) -> int:
    """How many samples there are to attack.

    The data are read only where the whole split is asked for, or more than were ``found``: there
    may be no more.
    """
    task = get_task(config.task.name)
    wanted = asked or task.attacked_examples
    if wanted is not None and (found is None or wanted <= found):
        return wanted
    return len(chosen_rows(task, None, config.task.data, asked, config.attack.seed).rows)


def _options(config: Config, recipe: str) -> dict[str, Any]:
    """The settings that only some recipes have, as the card gives them."""
    settings, entry = config.attack, RECIPES[recipe]
    found: dict[str, Any] = {}
    if entry.has_candidates:
        found["candidates"] = settings.candidates or PAPER_CANDIDATES
    if entry.asks_masked_lm and settings.profile == "offline":
        named, task = settings.masked_lm, config.task
        folder = chosen_masked_lm(named) if named else _own_masked_lm(task.name, task.data)
        there = (folder / "config.json").is_file()
        found["masked_lm"] = model_fingerprint(folder) if there else "not made yet"
    return found


@cache
def _own_masked_lm(task: str, data: str | None) -> Path:
    """Where the one is that is made of the task's text; its name is a hash of that."""
    return cached_folder(get_task(task), data, MaskedLMSettings())


def _is_temperature(settings: AttackSettings, calibration: Temperature | None) -> bool:
    same: dict[str, Any] = {"source": "given", "temperature": settings.temperature}
    if isinstance(settings.temperature, str):
        same = {"source": settings.temperature, "held_out": settings.held_out}
    return calibration is not None and calibration.items() >= same.items()
