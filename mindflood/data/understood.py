"""What rows of a regression, of questions and of tagged sentences mean: texts and labels."""

import math
from collections.abc import Sequence

import numpy as np

from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError, nearest

Texts = tuple[tuple[str, ...], ...]


def numbers_of(task: Task, rows: Sequence[Row], origin: str) -> np.ndarray:
    """The targets of a regression, float64 [n].

    Raises:
        UserError: one is no finite number; the message names the row.
    """
    found = []
    for row in rows:
        try:
            value = float(row.label)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(
                f"{origin}, {row.place()}: '{task.label_column}' must be a number, found "
                f"{shown(row.label)}; correct it, or remove the row"
            )
        found.append(value)
    return np.array(found, np.float64)


def questions_of(rows: Sequence[Row], origin: str) -> tuple[Texts, np.ndarray]:
    """Questions, each the stem and its choices, and the places of the answers, int64 [n].

    Raises:
        UserError: a text is empty.
    """
    texts = tuple(tuple(text.strip() for text in row.texts) for row in rows)
    for row, stripped in zip(rows, texts, strict=True):
        if not all(stripped):
            raise UserError(f"{origin}, {row.place()}: an empty text; remove the row")
    return texts, np.array([int(row.label) for row in rows], np.int64)


def sentences_of(task: Task, rows: Sequence[Row], origin: str) -> tuple[Texts, np.ndarray]:
    """Sentences of words, and the number of every word's tag: an object array of tuples, [n].

    Raises:
        UserError: a tag is none of the task's; the message names the row.
    """
    place_of = {name: place for place, name in enumerate(task.label_names)}
    labels = np.empty(len(rows), object)
    for index, row in enumerate(rows):
        tags = row.label.split(" ")
        unknown = next((tag for tag in tags if tag not in place_of), None)
        if unknown is not None:
            raise UserError(
                f"{origin}, {row.place()}: a tag {shown(unknown)}, which task {task.name} does not "
                f"have{nearest(unknown, place_of)}"
            )
        labels[index] = tuple(place_of[tag] for tag in tags)
    return tuple(row.texts for row in rows), labels
