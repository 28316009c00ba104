"""Whether what is asked of an attack goes together; each setting by itself its field checks."""

from collections.abc import Mapping
from typing import Any

from mindflood.config.attack import AttackSettings
from mindflood.config.messages import validated
from mindflood.config.recipes import RECIPES, Columns
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.kinds import check_classification

_OPTIONS = {"model": "MODEL", "allow_pickles": "--allow-textattack-pickles"}


def option(key: str) -> str:
    """What a setting is called on the command line."""
    return _OPTIONS.get(key, f"--{key.replace('_', '-')}")


def asked(values: Mapping[str, Any]) -> AttackSettings:
    """The settings of an attack, each of them checked by itself.

    Raises:
        UserError: one does not fit; the message names its option.
    """
    found: AttackSettings = validated(AttackSettings, dict(values), named=option)
    return found


def check_together(settings: AttackSettings) -> None:
    """Check that nothing is asked for that would be ignored.

    Raises:
        UserError: the recipe or the task has no such setting.
    """
    check_classification("attacks", f"task {settings.task.name}", settings.task.kind)
    recipe, entry = settings.recipe, RECIPES[settings.recipe]
    candidates, masked_lm, columns = settings.candidates, settings.masked_lm, settings.columns
    if candidates is not None and not entry.has_candidates:
        which = ", ".join(name for name, other in RECIPES.items() if other.has_candidates)
        raise UserError(
            f"--candidates {candidates}: {recipe} has no such setting, only {which}; leave it out"
        )
    if masked_lm is not None and not (entry.asks_masked_lm and settings.profile == "offline"):
        which = ", ".join(name for name, other in RECIPES.items() if other.asks_masked_lm)
        raise UserError(
            f"--masked-lm {masked_lm}: {recipe} ({settings.profile}) asks no such model, only "
            f"{which} (offline) do; leave it out"
        )
    task = settings.task
    if columns != "both" and len(task.text_columns) == 1:
        raise UserError(
            f"--columns {columns}: task {task.name} has a single text ('{task.text_columns[0]}'); "
            "leave --columns out"
        )
    if settings.held_out is not None and not isinstance(settings.temperature, str):
        raise UserError(
            f"--held-out {settings.held_out}: only '--temperature fitted' and 'weakest' look at "
            "held-out rows; leave it out"
        )


def protected_column(task: Task, columns: Columns) -> str | None:
    """Name of the text that stays as it is; None where all may change.

    ``both`` is what TextAttack's own recipes do under GLUE's column names: they protect a column
    only of texts that are called ``premise`` and ``hypothesis``.
    """
    if columns == "both":
        return None
    return task.text_columns[1 if columns == "first" else 0]
