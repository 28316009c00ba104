"""The new rows that a run trains on besides its own: ``augmented.jsonl`` in its folder.

They are made by ``mindflood augment`` in a process of its own, as PyTorch makes them and MindSpore
trains on them: here they are only asked for and read.
"""

import math
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.config.settings import Config
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, read_json_lines, whole_file
from mindflood.locks import locked
from mindflood.process import run_verb

AUGMENTED = "augmented.jsonl"


def summary_file(rows: Path) -> Path:
    """What is told of a file of new rows: of which rows and how it was made."""
    return rows.with_name(f"{rows.stem}.meta.json")


def check_free(out: Path) -> None:
    """Check that neither the file of new rows nor the one that tells of it is there.

    Raises:
        UserError: one is, and stays as it is.
    """
    for path in (out, summary_file(out)):
        if path.exists():
            raise UserError(f"{path}: exists already; choose another --out, or delete it")


def copy_new_rows(run: Path, to: Path) -> None:
    """Give a run within another's folder the other's new rows, where it has none of its own."""
    source, target = run / AUGMENTED, to / AUGMENTED
    if source == target or not source.exists():
        return
    with _alone(target):
        if not target.exists():
            for path in (summary_file(source), source):  # the rows last: with them all is there
                with whole_file(to / path.name) as beside:
                    shutil.copyfile(path, beside)


def augmented(config: Config, examples: Examples) -> tuple[Examples, np.ndarray]:
    """The training rows with the new ones behind them; these are made where they are not there.

    Returns:
        The rows, and of each the place of the row that it is or was made of, int64 [n].

    Raises:
        UserError: they could not be made, are of other rows, or are damaged.
        StageFailedError: they could not be made, and the process that failed has said why.
    """
    path = config.run_folder / AUGMENTED
    with _alone(path):
        if not path.exists():
            summary_file(path).unlink(missing_ok=True)  # of one that was killed before its rows
            run_verb("augment", str(config.run_folder / "config.yaml"), "--out", str(path))
    told = read_json(summary_file(path))
    if not isinstance(told, dict) or told.get("examples") != examples.fingerprint():
        raise UserError(
            f"{path}: was made of other training rows; restore the data, or delete the file and "
            f"{summary_file(path).name} to make it again"
        )
    new, made_of = read_new_rows(path, config.task.as_task, len(examples))
    if told.get("kept") != len(new):
        raise UserError(
            f"{path}: {len(new)} rows, and {summary_file(path).name} tells of {told.get('kept')}; "
            "delete both to make them again"
        )
    return examples.joined(new), np.concatenate([np.arange(len(examples)), made_of])


def _alone(path: Path) -> AbstractContextManager[None]:
    """While one process makes the rows or copies them, others wait."""
    return locked(path.with_name(f".{path.name}.lock"), f"waiting for {path}")


def read_new_rows(path: Path, task: Task, rows: int) -> tuple[Examples, np.ndarray]:
    """The rows of a file of new rows, and which of the ``rows`` originals each was made of.

    Raises:
        UserError: a line is none of the task; the message names it.
    """
    texts: list[tuple[str, ...]] = []
    labels: list[float] = []
    made_of: list[int] = []
    names = ", ".join(task.label_names)
    expected = "a number" if task.kind == "regression" else f"one of {names}"
    for number, line in enumerate(read_json_lines(path), start=1):
        texts_of = tuple(line.get(column) for column in task.text_columns)
        label = _label(task, line.get(task.label_column))
        of = line.get("row")
        if label is None or not all(isinstance(text, str) for text in texts_of):
            raise UserError(
                f"{path}, line {number}: expected texts under {', '.join(task.text_columns)} and "
                f"{expected} under {task.label_column}; delete the file to make it again"
            )
        if type(of) is not int or not 0 <= of < rows:
            raise UserError(
                f"{path}, line {number}: expected a training row, 0 to {rows - 1}, under row; "
                "delete the file to make it again"
            )
        texts.append(tuple(map(str, texts_of)))
        labels.append(label)
        made_of.append(of)
    kind = np.float64 if task.kind == "regression" else np.int64
    return Examples(tuple(texts), np.array(labels, kind)), np.array(made_of, np.int64)


def _label(task: Task, said: Any) -> float | None:
    """The number of a class, or the number that is learned; None where there is none."""
    if task.kind != "regression":
        return task.label_names.index(said) if said in task.label_names else None
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return float(said) if is_number and math.isfinite(said) else None
