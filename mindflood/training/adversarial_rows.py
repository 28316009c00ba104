"""What an attack on training rows leaves in a RUN folder, where both halves of the project find it.

``RUN/adversarial/epoch-E`` (from 1) belongs to the attack at the beginning of epoch E: ``model/``,
the export that was attacked; ``RECIPE.jsonl``, a line an attacked row; ``kept.jsonl``, a line a row
that is trained on; and, written last, ``round.json``.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, read_json_lines

KEPT, SUMMARY = "kept.jsonl", "round.json"
_AGAIN = (
    "restore it, or delete the folder (and, if steps were made with it, the run's checkpoints/: "
    "training then begins anew), and the run's command attacks again"
)


def round_folder(run: Path, epoch: int) -> Path:
    """Of the attack at the beginning of an epoch (from 1)."""
    return run / "adversarial" / f"epoch-{epoch}"


def wanted_of(gamma: float, rows: int) -> int:
    """⌈γ·n⌉, whatever a float makes of γ·n."""
    return max(1, math.ceil(round(gamma * rows, 9)))


def check_there(folder: Path) -> None:
    """Check that the attack is done, which steps were made with.

    Raises:
        UserError: it is not, and the model that it was on is no more.
    """
    if not (folder / SUMMARY).exists():
        raise UserError(f"{folder / SUMMARY}: is missing, and the epoch has begun; {_AGAIN}")


def read_round(folder: Path, task: Task) -> tuple[Examples, dict[str, Any]]:
    """The rows that an attack found, with their original labels, and its summary.

    Raises:
        UserError: a file is damaged; the message names it.
    """
    summary = read_json(folder / SUMMARY)
    lines = read_json_lines(folder / KEPT)
    if not isinstance(summary, dict) or summary.get("kept") != len(lines):
        raise UserError(
            f"{folder / KEPT}: {len(lines)} rows, and {SUMMARY} tells of another number; {_AGAIN}"
        )
    for number, line in enumerate(lines, start=1):
        texts, label = line.get("texts"), line.get("label")
        fits = isinstance(texts, list) and len(texts) == len(task.text_columns)
        if (
            not fits
            or not all(isinstance(text, str) for text in line["texts"])
            or (label not in range(task.num_labels))
        ):
            raise UserError(
                f"{folder / KEPT}, line {number}: no row of task {task.name}: expected "
                f"{len(task.text_columns)} texts and a label below {task.num_labels}; {_AGAIN}"
            )
    texts_of = tuple(tuple(line["texts"]) for line in lines)
    return Examples(texts_of, np.array([line["label"] for line in lines], np.int64)), summary
