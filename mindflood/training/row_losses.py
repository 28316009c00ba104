"""What a run leaves of its training rows: the loss of each at the end, without dropout."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.cards.schema import TrainingLosses
from mindflood.data.corpus import NAME, wrongly_labelled
from mindflood.files import write_text
from mindflood.training.dataset import Rows

FILE = "row_losses.jsonl"
MOST = 4000  # rows; a random sample of them where there are more


def write_row_losses(
    path: Path, losses: np.ndarray, levels: np.ndarray | None, wrong: np.ndarray | None
) -> None:
    """A line for each row that was looked at: row, loss, and what is known beside them.

    Args:
        losses: float64 ``[n]`` in nats; NaN where a row was not looked at.
        levels: float ``[n]``, where rows have flood levels of their own.
        wrong: bool ``[n]``, where it is known which labels are wrong.
    """

    def lines() -> Iterator[str]:
        for row in np.flatnonzero(~np.isnan(losses)):
            line: dict[str, Any] = {"row": int(row), "loss": float(losses[row])}
            if levels is not None:
                line["level"] = float(levels[row])
            if wrong is not None:
                line["wrong_label"] = bool(wrong[row])
            yield json.dumps(line) + "\n"

    write_text(path, "".join(lines()))


def wrong_labels(rows: Rows) -> np.ndarray | None:
    """Whether the label of each training row is wrong, bool ``[n]``; None where nobody knows."""
    if rows.origins["train"] != NAME:
        return None
    wrong = wrongly_labelled()
    return np.array([text in wrong for (text,) in rows.train.texts])


def summary(
    losses: np.ndarray, levels: np.ndarray | float | None, wrong: np.ndarray | None
) -> TrainingLosses:
    """For the card; arguments as above, ``levels`` also the one of all rows."""
    seen = ~np.isnan(losses)
    found: TrainingLosses = {"rows": int(seen.sum()), "mean": float(losses[seen].mean())}
    if levels is not None:
        below = losses < levels
        found["below_level"] = float(below[seen].mean())
    if wrong is not None:
        for name, part in (("right_labels", seen & ~wrong), ("wrong_labels", seen & wrong)):
            if part.any():
                found[name] = float(losses[part].mean())  # type: ignore[literal-required]
    return found
