"""Whether the whole of an attack that a config asks for is on a model's card."""

from pathlib import Path
from typing import Any

from mindflood.attack.card import card_path
from mindflood.attack.catalogue import RECIPES
from mindflood.config import AttackSettings, Config
from mindflood.data.tasks import get_task
from mindflood.report.cards import read_card
from mindflood.report.schema import attack_key


def is_finished(
    out: Path, config: Config, recipe: str, num_examples: int | None, *, calibrated: bool = False
) -> bool:
    """Whether nothing is left to attack; asking the attack itself loads TextAttack for it.

    A card that does not tell all that decides the outcome counts as unfinished: then the attack
    itself compares, and refuses to mix.

    Args:
        out: the attack's ``--out``, with results of no other model.
        num_examples, calibrated: as :func:`mindflood.stages.attack` takes them.
    """
    path = card_path(out)
    if not path.exists():
        return False
    card = read_card(path)
    summary = card["attacks"].get(attack_key(recipe, config.attack.profile, calibrated=calibrated))
    if summary is None or card["clean_accuracy"] is None:  # which is measured at the very end
        return False
    settings, wanted = config.attack, num_examples or get_task(config.task.name).attacked_examples
    same = {
        "num_examples": wanted,
        "requested": wanted,
        "seed": settings.seed,
        "columns": settings.columns,
        "max_queries": settings.max_queries or RECIPES[recipe].default_query_budget,
        "max_seconds": settings.max_seconds,
    }
    found = {"columns": "both"} | summary
    if any(found.get(key) != value for key, value in same.items()):
        return False
    return not calibrated or _is_temperature(settings, summary.get("calibration") or {})


def _is_temperature(settings: AttackSettings, calibration: dict[str, Any]) -> bool:
    same: dict[str, Any] = {"source": "given", "temperature": settings.temperature}
    if isinstance(settings.temperature, str):
        same = {"source": settings.temperature, "held_out": settings.held_out}
    return all(calibration.get(key) == value for key, value in same.items())
