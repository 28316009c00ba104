"""Examples of a task from the hub, from a folder or file, or from the built-in corpus.

Missing splits have fixed stand-ins, the same for every source:

- no dev: a tenth of train is held out, a fifth where those rows have to serve as test too;
- no train: dev is divided the same way (the rows not held out are train);
- no test with labels: ``test`` means ``dev``;
- a single file that names no split: a tenth is test, a tenth dev, the rest train.

Which rows are held out depends on a hash of the row's texts alone, so equal rows stay together
and no row is in two parts.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from mindflood.data.corpus import builtin_corpus
from mindflood.data.hub import hub_rows
from mindflood.data.readers import SUFFIXES, Row, has_label_column, read_rows
from mindflood.data.tasks import BenchmarkFile, Format, Split, Task
from mindflood.errors import UserError
from mindflood.paths import user_path

HELD_OUT = 0.1
SPLIT_NAMES = {
    "train": ("train",),
    "dev": ("dev", "validation", "valid", "val"),
    "test": ("test",),
}


@dataclass(frozen=True)
class Examples:
    """Texts, one tuple of 1 or 2 strings a row, and their labels, int64 [n]."""

    texts: tuple[tuple[str, ...], ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Examples":
        """The rows of ``indices``, in that order."""
        return Examples(
            tuple(self.texts[i] for i in indices), self.labels[np.asarray(indices, int)]
        )


@dataclass(frozen=True)
class _Part:
    """A part of a source that holds labelled rows: where it is and how to read it."""

    origin: str
    read: Callable[[], list[Row]]


def load_examples(
    task: Task,
    split: Split,
    data: str | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
) -> Examples:
    """Examples of a split.

    Args:
        data: ``hub``, ``builtin``, or a folder or file; None is the built-in corpus for the task
            ``corpus`` and the hub for the others.
        limit: at most that many, a random sample drawn from ``seed``, in the order of the source.

    Raises:
        UserError: names the file and row, what was expected and what to do.
    """
    if split not in get_args(Split):
        raise UserError(f"split '{split}': expected train, dev or test")
    if limit is not None and limit < 1:
        raise UserError(f"limit {limit}: expected at least 1 example, or no limit")
    origin, rows = _rows_of_split(_parts(task, data), split)
    examples = _examples(task, origin, rows)
    if not len(examples):
        raise UserError(f"{origin}: no examples for split '{split}' of task {task.name}; add some")
    if limit is None or limit >= len(examples):
        return examples
    sample = np.random.default_rng(seed).permutation(len(examples))[:limit]
    return examples.take(np.sort(sample))


def dev_is_test(task: Task, data: str | None = None) -> bool:
    """Whether a source has no labelled test rows, so that ``test`` means ``dev``.

    Raises:
        UserError: as :func:`load_examples`, of a source that is not there.
    """
    return not {"test", "all"} & _parts(task, data).keys()


def _parts(task: Task, data: str | None) -> dict[str, _Part]:
    """The labelled parts of a source by name: train, dev, test, or all."""
    if data is None:
        data = "builtin" if task.name == "corpus" else "hub"
    if data == "builtin":
        if task.name != "corpus":
            raise UserError(
                f"task {task.name}: the built-in data is task 'corpus'; use --data FOLDER"
            )
        return {
            split: _Part("the built-in corpus", partial(_corpus_rows, split))
            for split in get_args(Split)
        }
    if data == "hub":
        hub = task.hub
        if hub is None:
            raise UserError(f"task {task.name} is not on the hub; use --data builtin or FOLDER")
        return {
            split: _Part(f"{hub.path}, split {name}", partial(hub_rows, task, hub, split))
            for split, name in hub.splits.items()
        }
    return {
        file.split: _Part(
            str(_root(data) / file.name),
            partial(read_rows, _root(data) / file.name, file.format, task),
        )
        for file in reversed(_files_there(task, user_path(data)))
    }


def _corpus_rows(split: Split) -> list[Row]:
    texts, labels = builtin_corpus(split)
    pairs = zip(texts, labels, strict=True)
    return [Row(number, (text,), str(label)) for number, (text, label) in enumerate(pairs, start=1)]


def _root(data: str) -> Path:
    path = user_path(data)
    return path.parent if path.is_file() else path


def _candidates(task: Task) -> list[BenchmarkFile]:
    """Files that are looked for; the first that is there stands for its split."""
    tables = [
        BenchmarkFile(split, f"{name}{suffix}", file_format)  # type: ignore[arg-type]
        for split, names in SPLIT_NAMES.items()
        for name in names
        for suffix, file_format in SUFFIXES.items()
    ]
    return [*tables, *task.files]


def _files_there(task: Task, data: Path) -> list[BenchmarkFile]:
    candidates = _candidates(task)
    if data.is_file():
        named = [file for file in candidates if file.name == data.name]
        return named or [BenchmarkFile("all", data.name, _format_of(data))]
    if not data.is_dir():
        raise UserError(f"{data}: no such file or folder; give the folder with the task's files")
    found = [file for file in candidates if (data / file.name).exists()]
    found = [file for file in found if not _is_hidden_test(task, data / file.name, file)]
    if not found:
        looked = ", ".join([file.name for file in task.files] + ["{train,dev,validation,test}"])
        raise UserError(
            f"{data}: no file of task {task.name} there; looked for {looked} with the endings "
            f"{' '.join(SUFFIXES)}"
        )
    return found


def _is_hidden_test(task: Task, path: Path, file: BenchmarkFile) -> bool:
    return (
        task.hidden_test and file.split == "test" and not has_label_column(path, file.format, task)
    )


def _format_of(path: Path) -> Format:
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: unknown kind of file; expected one of {' '.join(SUFFIXES)}")
    return SUFFIXES[path.suffix]


def _rows_of_split(parts: Mapping[str, _Part], split: str) -> tuple[str, list[Row]]:
    """Rows of a split after the stand-ins of this module's docstring, and where they are from."""
    if "all" in parts and split not in parts:
        bounds = {
            "test": (0.0, HELD_OUT),
            "dev": (HELD_OUT, 2 * HELD_OUT),
            "train": (2 * HELD_OUT, 1.0),
        }
        return _between(parts["all"], *bounds[split])
    if split == "test" and "test" not in parts:
        split = "dev"
    if (split in parts and {"train", "dev"} <= parts.keys()) or split == "test":
        return parts[split].origin, parts[split].read()
    divided = parts.get("train") or parts.get("dev")
    if divided is None:
        raise UserError(
            f"{parts['test'].origin}: only a test part is there; split '{split}' needs a train or "
            "dev file beside it"
        )
    held_out = HELD_OUT if "test" in parts else 2 * HELD_OUT
    return _between(divided, *((0.0, held_out) if split == "dev" else (held_out, 1.0)))


def _between(part: _Part, low: float, high: float) -> tuple[str, list[Row]]:
    return part.origin, [row for row in part.read() if low <= _place_of(row) < high]


def _place_of(row: Row) -> float:
    """A number in [0, 1) that depends on the row's texts alone."""
    digest = hashlib.blake2b("\x1f".join(row.texts).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _examples(task: Task, origin: str, rows: Sequence[Row]) -> Examples:
    """Rows with their texts stripped and their labels as numbers."""
    values = _label_values(task, {row.label for row in rows})
    texts, labels = [], np.empty(len(rows), np.int64)
    for position, row in enumerate(rows):
        cleaned = tuple(_clean(text, task.line_breaks) for text in row.texts)
        for column, text in zip(task.text_columns, cleaned, strict=True):
            if not text:
                raise UserError(f"{origin}, {row.place()}: '{column}' is empty; remove the row")
        if (label := values.get(row.label)) is None:
            raise UserError(
                f"{origin}, {row.place()}: label '{row.label.strip()[:40]}' is not one of task "
                f"{task.name}'s: {_expected_labels(task)}"
            )
        texts.append(cleaned)
        labels[position] = label
    return Examples(tuple(texts), labels)


def _clean(text: str, line_breaks: Sequence[str]) -> str:
    for mark in line_breaks:
        text = text.replace(mark, " ")
    return text.strip()


def _label_values(task: Task, there: set[str]) -> dict[str, int]:
    """Class of every label that is understood: its name, or its number.

    A benchmark that counts from ``first_label`` = 1 is read so, unless a 0 shows that the file
    counts from 0, as the hub's copies do.
    """
    names = {name.casefold(): label for label, name in enumerate(task.label_names)}
    numbers = {label.strip().removesuffix(".0") for label in there}
    first = 0 if "0" in numbers else task.first_label
    names |= {str(first + label): label for label in range(task.num_labels)}
    keys = {label: label.strip().casefold().removesuffix(".0") for label in there}
    return {label: names[key] for label, key in keys.items() if key in names}


def _expected_labels(task: Task) -> str:
    first = task.first_label
    return ", ".join(
        f"{number} ({name})" for number, name in enumerate(task.label_names, start=first)
    )
