"""The numbers that the Flooding-X paper printed (Tables 1 to 3), shipped as data."""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

LABEL = "published (BERT-base, paper profile)"
# The paper's rows have our methods' names but for one; both of our searches are its "Flooding".
_ROWS = {"bert": "finetune"}


@dataclass(frozen=True)
class PublishedRow:
    """One row of Table 2: percentages, and queries, as printed; attacks by recipe."""

    method: str
    clean: float
    attacks: dict[str, tuple[float, float, float]]


@functools.cache
def _tables() -> dict[str, Any]:
    text = (
        resources.files("mindflood.report.tables").joinpath("paper_tables.json").read_text("utf-8")
    )
    tables: dict[str, Any] = json.loads(text)
    return tables


def tasks() -> list[str]:
    """The tasks of Table 2, as they are named here."""
    return list(_tables()["table2"])


def sizes(task: str) -> tuple[int, int, int] | None:
    """Table 1: training examples, test examples, mean words; rounded as printed."""
    found = _tables()["table1"].get(task)
    return None if found is None else tuple(found)


def robustness(task: str) -> list[PublishedRow]:
    """Table 2: the rows of one task, in the paper's order; empty for a task it does not have."""
    return [
        PublishedRow(
            _ROWS.get(name, name),
            row["clean"],
            {recipe: tuple(row[recipe]) for recipe in row if recipe != "clean"},
        )
        for name, row in _tables()["table2"].get(task, {}).items()
    ]


def seconds_per_epoch(task: str) -> dict[str, float]:
    """Table 3: seconds per epoch on one RTX 2080 Ti, by method."""
    found = _tables()["table3_seconds_per_epoch"].get(task, {})
    return {_ROWS.get(name, name): float(seconds) for name, seconds in found.items()}
