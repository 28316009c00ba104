"""The labelled parts of a source: hub, built-in corpus, folder or file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import get_args

from mindflood.data.corpus import builtin_corpus
from mindflood.data.decoding import packed
from mindflood.data.hub import hub_rows
from mindflood.data.readers import has_label_column, read_rows, suffixes_of
from mindflood.data.rows import Row
from mindflood.data.tasks import BenchmarkFile, Format, Split, Task
from mindflood.errors import UserError
from mindflood.files import user_path

SPLIT_NAMES = {
    "train": ("train",),
    "dev": ("dev", "validation", "valid", "val"),
    "test": ("test",),
}


@dataclass(frozen=True)
class Part:
    """Rows of a source under one name.

    Attributes:
        origin: where they are from, as an error message names it.
        read: the rows; read once.
        file: None where they are from no file.
    """

    origin: str
    read: Callable[[], list[Row]]
    file: Path | None = None


def parts_of(task: Task, data: str | None, own_names: Sequence[str] = ()) -> dict[str, Part]:
    """The labelled parts of a source by name: train, dev, test, or all.

    Args:
        data: ``hub``, ``builtin``, or a folder or file; None is the built-in corpus for the task
            ``corpus`` and the hub for the others.
        own_names: what else a label may be called: a model's own names of its classes.

    Raises:
        UserError: the source is not there, or is none of this task.
    """
    if data is None:
        data = "builtin" if task.name == "corpus" else "hub"
    if data == "builtin":
        if task.name != "corpus":
            raise UserError(
                f"task {task.name}: the built-in data is task 'corpus'; use --data FOLDER"
            )
        return {
            split: Part("the built-in corpus", cache(partial(_corpus_rows, task, split)))
            for split in get_args(Split)
        }
    if data == "hub":
        hub = task.hub
        if hub is None:
            raise UserError(f"task {task.name} is not on the hub; use --data builtin or FOLDER")
        return {
            split: Part(f"{hub.path}, split {name}", cache(partial(hub_rows, task, hub, split)))
            for split, name in hub.splits.items()
        }
    path = user_path(data)
    root = path.parent if path.is_file() else path
    return {
        file.split: Part(
            str(root / file.name),
            cache(partial(read_rows, root / file.name, file.format, task, tuple(own_names))),
            root / file.name,
        )
        for file in reversed(_files_there(task, path))
    }


def _corpus_rows(task: Task, split: Split) -> list[Row]:
    texts, labels = builtin_corpus(split)
    pairs = zip(texts, labels, strict=True)
    return [
        Row(number, (text,), task.label_names[label])
        for number, (text, label) in enumerate(pairs, start=1)
    ]


def _candidates(task: Task) -> list[BenchmarkFile]:
    """Files that are looked for; the first that is there stands for its split."""
    tables = [
        BenchmarkFile(split, f"{name}{suffix}", file_format)  # type: ignore[arg-type]
        for split, names in SPLIT_NAMES.items()
        for name in names
        for suffix, file_format in suffixes_of(task).items()
    ]
    return [*tables, *task.files]


def _files_there(task: Task, data: Path) -> list[BenchmarkFile]:
    candidates = _candidates(task)
    if data.is_file():
        named = [file for file in candidates if file.name == data.name]
        return named or [BenchmarkFile("all", data.name, _format_of(data, task))]
    if not data.is_dir():
        raise UserError(f"{data}: no such file or folder; give the folder with the task's files")
    found = [file for file in candidates if (data / file.name).exists()]
    found = [file for file in found if not _is_hidden_test(task, data / file.name, file)]
    if not found:
        looked = ", ".join([file.name for file in task.files] + ["{train,dev,validation,test}"])
        raise UserError(
            f"{data}: no file of task {task.name} there; looked for {looked} with the endings "
            f"{' '.join(suffixes_of(task))}"
        )
    return found


def _is_hidden_test(task: Task, path: Path, file: BenchmarkFile) -> bool:
    return (
        task.hidden_test and file.split == "test" and not has_label_column(path, file.format, task)
    )


def _format_of(path: Path, task: Task) -> Format:
    if (known := suffixes_of(task).get(path.suffix.casefold())) is not None:
        return known
    with path.open("rb") as file:
        found = packed(file.read(16))
    found = "unknown kind of file" if found is None else found
    raise UserError(f"{path}: {found}; expected one of {' '.join(suffixes_of(task))}")
