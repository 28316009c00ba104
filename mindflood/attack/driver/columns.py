"""A recipe that changes one text of a pair only."""

import dataclasses
import hashlib
from typing import Any

from mindflood.attack.settings import protected_column
from mindflood.attack.textattack_import import textattack
from mindflood.config.recipes import Columns
from mindflood.data.tasks import Task


def with_columns(built: Any, task: Task, columns: Columns) -> Any:
    """A built recipe that leaves the other column alone; its fingerprint says so.

    Args:
        built: a :class:`mindflood.attack.recipes.BuiltRecipe`; its attack gets one more constraint.
    """
    protected = protected_column(task, columns)
    if protected is None:
        return built
    built.attack.pre_transformation_constraints.append(
        textattack.constraints.pre_transformation.InputColumnModification(
            list(task.text_columns), {protected}
        )
    )
    named = hashlib.sha256(f"{built.fingerprint} {columns}".encode()).hexdigest()[:16]
    return dataclasses.replace(built, fingerprint=named)
