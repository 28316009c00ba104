"""The labelled parts of a source: hub, built-in corpus, folder or file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import get_args

from mindflood.data.bad_rows import BadRows
from mindflood.data.corpus import NAME, builtin_corpus
from mindflood.data.hub import HIDDEN, hub_rows, hub_splits
from mindflood.data.readers import PACKED, format_of, has_label_column, read_rows, suffixes_of
from mindflood.data.rows import Row
from mindflood.data.tasks import BenchmarkFile, HubSource, Split, Task
from mindflood.errors import UserError
from mindflood.files import user_path

SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "dev": ("dev", "validation", "valid", "val"),
    "test": ("test",),
}
_SHARD = "-00000-of-00001"  # as the hub names a split that is one file


@dataclass(frozen=True)
class Part:
    """Rows of a source under one name.

    Attributes:
        origin: where they are from, as an error message names it.
        read: the rows; read once.
        bad: the malformed rows: of reading, and what is found later.
        file: None where they are from no file.
    """

    origin: str
    read: Callable[[], list[Row]]
    bad: BadRows
    file: Path | None = None


def _part(
    task: Task, origin: str, read: Callable[..., list[Row]], file: Path | None = None
) -> Part:
    bad = BadRows(task, origin)
    return Part(origin, cache(partial(read, bad=bad)), bad, file)


def parts_of(task: Task, data: str | None, own_names: Sequence[str] = ()) -> dict[str, Part]:
    """The labelled parts of a source by name: train, dev, test, or all.

    Args:
        data: ``hub``, ``builtin``, or a folder or file; None is what the task itself names, the
            built-in corpus for the task ``corpus`` and the hub for the others.
        own_names: what else a label may be called: a model's own names of its classes.

    Raises:
        UserError: the source is not there, or is none of this task.
    """
    if data is None and task.own_files:
        return _own_parts(task)
    if data is None and task.own and task.hub is None:
        raise UserError(f"task {task.name}: no data; name a file or folder with --data")
    if data is None:
        data = "builtin" if task.name == "corpus" else "hub"
    if data == "builtin":
        if task.name != "corpus":
            raise UserError(
                f"task {task.name}: the built-in data is task 'corpus'; use --data FOLDER"
            )
        return {
            split: Part(NAME, cache(partial(_corpus_rows, task, split)), BadRows(task, NAME))
            for split in get_args(Split)
        }
    if data == "hub":
        hub = task.hub
        if hub is None:
            where = "--data builtin or FOLDER" if task.name == "corpus" else "--data FOLDER"
            raise UserError(f"task {task.name} is not on the hub with labels; use {where}")
        return _hub_parts(task, hub)
    path = user_path(data)
    root = path.parent if path.is_file() else path
    return {
        file.split: _part(
            task,
            str(root / file.name),
            partial(read_rows, root / file.name, file.format, task, tuple(own_names)),
            root / file.name,
        )
        for file in reversed(_files_there(task, path))
    }


def _own_parts(task: Task) -> dict[str, Part]:
    """The files of the splits; the only one is divided into all three."""
    files = {split: user_path(file) for split, file in task.own_files.items()}
    for split, path in files.items():
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no such file"
            raise UserError(f"{path}: {what}; give the {split} file (task.{split})")
    parts: dict[str, Part] = {
        split: _part(task, str(path), partial(read_rows, path, format_of(path, task), task), path)
        for split, path in files.items()
    }
    return {"all": parts["train"]} if parts.keys() == {"train"} else parts


def _hub_parts(task: Task, hub: HubSource) -> dict[str, Part]:
    """The labelled splits of a data set on the hub; those of a user's own one are found there."""
    splits = hub.splits
    if task.own:
        there = hub_splits(task, hub)
        found = {
            split: next((name for name in names if name in there), None)
            for split, names in SPLIT_NAMES.items()
        }
        splits = {split: name for split, name in found.items() if name is not None}
        if not splits:
            raise UserError(
                f"task {task.name}: '{hub.path}' on the hub has no split train, validation or "
                f"test; there are {', '.join(there) or 'none'}"
            )
    parts = {
        split: _part(task, f"{hub.path}, split {name}", partial(hub_rows, task, hub, name))
        for split, name in splits.items()
    }
    if task.own and "test" in parts and all(row.label == HIDDEN for row in parts["test"].read()):
        del parts["test"]
    return {"all": parts["train"]} if task.own and parts.keys() == {"train"} else parts


def _corpus_rows(task: Task, split: Split) -> list[Row]:
    texts, labels = builtin_corpus(split)
    pairs = zip(texts, labels, strict=True)
    return [
        Row(number, (text,), task.label_names[label])
        for number, (text, label) in enumerate(pairs, start=1)
    ]


def _candidates(task: Task) -> list[BenchmarkFile]:
    """Files that are looked for; the first that is there stands for its split."""
    formats = suffixes_of(task)
    tables = [
        BenchmarkFile(split, f"{name}{shard}{suffix}{packed}", formats[suffix])
        for split, names in SPLIT_NAMES.items()
        for name in names
        for shard in ("", _SHARD)
        for suffix in formats
        for packed in ("", PACKED)
    ]
    return [*tables, *task.files]


def _files_there(task: Task, data: Path) -> list[BenchmarkFile]:
    candidates = _candidates(task)
    if data.is_file():
        named = [file for file in candidates if file.name == data.name]
        return named or [BenchmarkFile("all", data.name, format_of(data, task))]
    if not data.is_dir():
        raise UserError(f"{data}: no such file or folder; give the folder with the task's files")
    found = [file for file in candidates if (data / file.name).exists()]
    found = [file for file in found if not _is_hidden_test(task, data / file.name, file)]
    if not found:
        looked = ", ".join([file.name for file in task.files] + ["{train,dev,validation,test}"])
        raise UserError(
            f"{data}: no file of task {task.name} there; looked for {looked} with the endings "
            f"{' '.join(suffixes_of(task))}, each also {PACKED}"
        )
    return found


def _is_hidden_test(task: Task, path: Path, file: BenchmarkFile) -> bool:
    return (
        task.hidden_test and file.split == "test" and not has_label_column(path, file.format, task)
    )
