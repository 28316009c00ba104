"""Which texts of a pair an attack may change."""

import dataclasses
import hashlib
from typing import Any, Literal, get_args

from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.suggestions import nearest

Columns = Literal["both", "first", "second"]
COLUMNS: tuple[Columns, ...] = get_args(Columns)


def check_columns(task: Task, columns: str) -> Columns:
    """The choice of columns, once it fits the task.

    ``both`` is what TextAttack's own recipes do under GLUE's column names: they protect a column
    only of texts that are called ``premise`` and ``hypothesis``.

    Raises:
        UserError: it is no such choice, or the task has a single text.
    """
    for known in COLUMNS:
        if columns == known:
            if known != "both" and len(task.text_columns) == 1:
                raise UserError(
                    f"--columns {columns}: task {task.name} has a single text "
                    f"('{task.text_columns[0]}'); leave --columns out"
                )
            return known
    raise UserError(f"--columns '{columns}': no such choice{nearest(columns, COLUMNS)}")


def protected_column(task: Task, columns: Columns) -> str | None:
    """Name of the text that stays as it is; None where all may change."""
    if columns == "both":
        return None
    return task.text_columns[1 if columns == "first" else 0]


def with_columns(built: Any, task: Task, columns: Columns) -> Any:
    """A built recipe that leaves the other column alone; its fingerprint says so.

    Args:
        built: a :class:`mindflood.attack.recipes.BuiltRecipe`; its attack gets one more constraint.
    """
    protected = protected_column(task, columns)
    if protected is None:
        return built
    from mindflood.attack.textattack_import import textattack

    built.attack.pre_transformation_constraints.append(
        textattack.constraints.pre_transformation.InputColumnModification(
            list(task.text_columns), {protected}
        )
    )
    named = hashlib.sha256(f"{built.fingerprint} {columns}".encode()).hexdigest()[:16]
    return dataclasses.replace(built, fingerprint=named)
