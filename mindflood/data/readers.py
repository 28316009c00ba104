"""Files of a data set read into rows: what is in the file, labels not yet interpreted."""

import contextlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from mindflood.data.bad_rows import BadRows
from mindflood.data.choices import has_answers, pairs_task, ranked_pairs, read_questions
from mindflood.data.conllu import read_conllu
from mindflood.data.decoding import decode, packed
from mindflood.data.json_lines import read_json_lines
from mindflood.data.parquet import read_parquet
from mindflood.data.rows import Row
from mindflood.data.tables import names_labels, read_table
from mindflood.data.tasks import Format, Task
from mindflood.errors import UserError

SUFFIXES: dict[str, Format] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
PACKED = ".gz"
TAGGED: dict[str, Format] = {".conllu": "conllu"}
QUESTIONS: dict[str, Format] = {".jsonl": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
# IMDB's and MR's own names of the classes, which are folders or suffixes there.
POLARITY = {"neg": "negative", "pos": "positive"}
# RuntimeError: a password, or a compression that is not supported. The others are what damaged
# offsets, sizes, names and streams end in.
_CORRUPT = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError,
    ValueError, OSError,
)  # fmt: skip


def suffixes_of(task: Task) -> dict[str, Format]:
    """The endings that files of a task may have, and their formats."""
    if task.kind == "tagging":
        return TAGGED
    return QUESTIONS if task.kind == "choice" and task.pairs_of is None else SUFFIXES


def read_rows(
    path: Path,
    file_format: Format,
    task: Task,
    own_names: Collection[str] = (),
    *,
    bad: BadRows,
) -> list[Row]:
    """Rows of a file or folder.

    Args:
        own_names: what else a label may be called: a model's own names of its classes.
        bad: takes note of the malformed rows.

    Raises:
        UserError: unreadable, undecodable, corrupt, or a column is missing.
    """
    if task.pairs_of is not None:
        pairs = read_rows(path, file_format, pairs_task(task), bad=bad)
        return ranked_pairs(task, pairs, str(path), bad)
    with _explained(path):
        if file_format == "conllu":
            return read_conllu(path, bad)
        if task.kind == "choice":
            return read_questions(path, file_format, bad)
        if file_format == "sentences":
            return _read_polarity_pair(path)
        if file_format == "class folders":
            return _read_class_folders(path)
        if file_format == "label text":
            return _read_label_text(path)
        if file_format == "jsonl":
            return read_json_lines(path, task, bad)
        if file_format == "parquet":
            return read_parquet(path, task, bad)
        return read_table(path, file_format, task, bad, own_names)


def format_of(path: Path, task: Task) -> Format:
    """The format of a file, by its name.

    Raises:
        UserError: it has another ending, or is not there.
    """
    plain = path.with_suffix("") if path.suffix.casefold() == PACKED else path
    known_suffixes = suffixes_of(task)
    if (known := known_suffixes.get(plain.suffix.casefold())) is not None:
        return known
    with _explained(path), path.open("rb") as file:
        found = packed(file.read(16))
    found = "unknown kind of file" if found is None else found
    raise UserError(f"{path}: {found}; expected one of {' '.join(known_suffixes)}, each also .gz")


def has_label_column(path: Path, file_format: Format, task: Task) -> bool:
    """Whether a table has the task's label column (GLUE's own test files have none)."""
    if task.pairs_of is not None:
        return has_label_column(path, file_format, pairs_task(task))
    if task.kind == "choice":
        with _explained(path):
            return has_answers(path, file_format)
    if file_format not in ("tsv", "csv"):
        return True
    with _explained(path):
        return names_labels(path, file_format, task)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path}: cannot read ({reason}); check its permissions") from error


def _read_label_text(path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(decode(path.read_bytes(), path).split("\n"), start=1):
        if line.strip():
            label, _, text = line.partition(" ")
            rows.append(Row(number, (text,), label))
    return rows


def _read_polarity_pair(path: Path) -> list[Row]:
    rows = []
    for suffix, label in POLARITY.items():
        half = path.with_suffix(f".{suffix}")
        if not half.is_file():
            raise UserError(f"{half}: no such file; {path.stem} comes as .pos and .neg together")
        for number, line in enumerate(decode(half.read_bytes(), half).split("\n"), start=1):
            if line.strip():
                rows.append(Row(f"{half.name} row {number}", (line,), label))
    return rows


def _read_class_folders(path: Path) -> list[Row]:
    """One text a file below ``pos`` and ``neg``, in a folder or a zip archive."""
    if path.is_dir():
        files = sorted(file for name in POLARITY for file in (path / name).glob("*.txt"))
        return [
            Row(
                f"{file.parent.name}/{file.name}",
                (decode(file.read_bytes(), file),),
                POLARITY[file.parent.name],
            )
            for file in files
        ]
    return _read_zip(path)


def _read_zip(path: Path) -> list[Row]:
    with path.open("rb") as file:
        head = file.read(16)
    if not head.startswith(b"PK") and (found := packed(head)) is not None:
        raise UserError(f"{path}: {found}")
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.namelist())
            return [
                Row(
                    member,
                    (decode(archive.read(member), f"{path}, {member}"),),
                    POLARITY[PurePosixPath(member).parent.name],
                )
                for member in members
                if member.endswith(".txt") and PurePosixPath(member).parent.name in POLARITY
            ]
    except _CORRUPT as error:
        raise UserError(
            f"{path}: corrupt or incomplete zip archive ({error}); download it again"
        ) from error
