"""The new rows that a run trains on besides its own: ``augmented.jsonl`` in its folder.

They are made by ``mindflood augment`` in a process of its own, as PyTorch makes them and MindSpore
trains on them: here they are only asked for and read.
"""

from pathlib import Path

import numpy as np

from mindflood.config.settings import Config
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, read_json_lines
from mindflood.locks import locked
from mindflood.process import run_verb

AUGMENTED = "augmented.jsonl"


def summary_file(rows: Path) -> Path:
    """What is told of a file of new rows: of which rows and how it was made."""
    return rows.with_name(f"{rows.stem}.meta.json")


def augmented(config: Config, examples: Examples) -> Examples:
    """The training rows with the new ones behind them; these are made where they are not there.

    Raises:
        UserError: they could not be made, are of other rows, or are damaged.
        StageFailedError: they could not be made, and the process that failed has said why.
    """
    path = config.run_folder / AUGMENTED
    with locked(path.with_name(f".{path.name}.lock"), f"waiting for {path}"):
        if not path.exists():
            run_verb("augment", str(config.run_folder / "config.yaml"), "--out", str(path))
    told = read_json(summary_file(path))
    if not isinstance(told, dict) or told.get("examples") != examples.fingerprint():
        raise UserError(
            f"{path}: was made of other training rows; restore the data, or delete the file and "
            f"{summary_file(path).name} to make it again"
        )
    return examples.joined(read_new_rows(path, config.task.as_task))


def read_new_rows(path: Path, task: Task) -> Examples:
    """The rows of a file of new rows.

    Raises:
        UserError: a line is none of the task; the message names it.
    """
    texts: list[tuple[str, ...]] = []
    labels: list[int] = []
    for number, line in enumerate(read_json_lines(path), start=1):
        row = tuple(line.get(column) for column in task.text_columns)
        label = line.get(task.label_column)
        if not all(isinstance(text, str) for text in row) or label not in task.label_names:
            raise UserError(
                f"{path}, line {number}: expected texts under {', '.join(task.text_columns)} and "
                f"one of {', '.join(task.label_names)} under {task.label_column}; delete the file "
                "to make it again"
            )
        texts.append(tuple(map(str, row)))
        labels.append(task.label_names.index(label))
    return Examples(tuple(texts), np.array(labels, np.int64))
