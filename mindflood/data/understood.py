"""What a row of a regression, a question and a tagged sentence mean: texts and label."""

import math
import re
from collections.abc import Mapping

from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError, nearest

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def number_of(task: Task, row: Row, where: str) -> float:
    """The target of a regression.

    Raises:
        UserError: it is no finite number in decimals; ``where`` names the row.
    """
    label = row.label.strip()
    value = float(label) if _NUMBER.fullmatch(label) else math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{where}: '{task.label_column}' must be a number, found {shown(label)}; correct it, "
            "or remove the row"
        )
    return value


def question_of(row: Row, where: str) -> tuple[str, ...]:
    """The stem of a question and its choices.

    Raises:
        UserError: one of them is empty.
    """
    texts = tuple(text.strip() for text in row.texts)
    if not all(texts):
        raise UserError(f"{where}: an empty text; remove the row")
    return texts


def tags_of(task: Task, row: Row, places: Mapping[str, int], where: str) -> tuple[int, ...]:
    """The number of the tag of every word of a sentence.

    Args:
        places: number of every tag of the task.

    Raises:
        UserError: a tag is none of the task's.
    """
    tags = row.label.split(" ")
    unknown = next((tag for tag in tags if tag not in places), None)
    if unknown is not None:
        raise UserError(
            f"{where}: a tag {shown(unknown)}, which task {task.name} does not have"
            f"{nearest(unknown, places)}"
        )
    return tuple(places[tag] for tag in tags)
