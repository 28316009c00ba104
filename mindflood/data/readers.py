"""Files of a data set read into rows: what is in the file, labels not yet interpreted."""

import contextlib
import csv
import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mindflood.data.tasks import Format, Task
from mindflood.errors import UserError
from mindflood.suggestions import did_you_mean

SUFFIXES: dict[str, Format] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".json": "jsonl",
}
# IMDB's and MR's own names of the classes, which are folders or suffixes there.
POLARITY = {"neg": "negative", "pos": "positive"}

_SURROGATE = re.compile("[\ud800-\udfff]")


class Row(NamedTuple):
    """One example as the file has it; ``where`` is a line number, or a file inside the source."""

    where: int | str
    texts: tuple[str, ...]
    label: str

    def place(self) -> str:
        """The row, as an error message names it."""
        return f"row {self.where}" if isinstance(self.where, int) else str(self.where)


def read_rows(path: Path, file_format: Format, task: Task) -> list[Row]:
    """Rows of a file or folder.

    Raises:
        UserError: unreadable, undecodable, corrupt, or a column is missing.
    """
    with _explained(path):
        if file_format == "sentences":
            return _read_polarity_pair(path)
        if file_format == "class folders":
            return _read_class_folders(path)
        if file_format == "label text":
            return _read_label_text(path)
        if file_format == "jsonl":
            return _read_json_lines(path, task)
        return _read_table(path, file_format, task)


def has_label_column(path: Path, file_format: Format, task: Task) -> bool:
    """Whether a table has the task's label column (GLUE's own test files have none)."""
    if file_format not in ("tsv", "csv"):
        return True
    with _explained(path), path.open("rb") as file:
        first = _decode(file.readline(), path)
    _, cells = next(_cells(first, file_format, path), (1, []))
    return _columns(cells, task, path).get(task.label_column) is not None


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path}: cannot read ({reason}); check its permissions") from error


def _decode(data: bytes, path: Path | str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, row {row}: byte 0x{data[error.start]:02x} is not UTF-8; convert the file, "
            "for instance with 'iconv -f latin1 -t utf-8'"
        ) from None


def _cells(text: str, file_format: Format, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Cells of each line that is not blank; a TSV has no quoting (GLUE), a CSV has."""
    if file_format == "tsv":
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, line.rstrip("\r").split("\t")
        return
    limit = csv.field_size_limit(sys.maxsize)  # a text may be longer than the module's 128 KiB
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        start = 1
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f'{path}, row {reader.line_num}: not CSV ({error}); quote texts with " and double '
            "the quotes inside"
        ) from None
    finally:
        csv.field_size_limit(limit)


def _columns(header: list[str], task: Task, path: Path) -> dict[str, list[int]]:
    """Position of each wanted column that the header has; empty where it is no header."""
    names = [name.strip() for name in header]
    found: dict[str, list[int]] = {}
    for column in (*task.text_columns, task.label_column):
        for name in (column, *task.column_aliases.get(column, ())):
            if names.count(name) > 1:
                raise UserError(f"{path}, row 1: two columns are named '{name}'; rename one")
            if name in names:
                found[column] = [names.index(name)]
                break
    if not found and len(header) == len(task.columns_without_header):
        for position, column in enumerate(task.columns_without_header):
            found.setdefault(column, []).append(position)
    return found


def _missing_column(path: Path, column: str, there: list[str], task: Task) -> UserError:
    found = ", ".join(repr(name) for name in there) or "none"
    return UserError(
        f"{path}: no column '{column}', which task {task.name} needs; there are {found}; "
        f"rename the column to '{column}'{did_you_mean(column, there)}"
    )


def _read_table(path: Path, file_format: Format, task: Task) -> list[Row]:
    lines = _cells(_decode(path.read_bytes(), path), file_format, path)
    number, header = next(lines, (1, []))
    columns = _columns(header, task, path)
    for column in (*task.text_columns, task.label_column):
        if column not in columns:
            raise _missing_column(path, column, [name.strip() for name in header], task)
    rows = []

    def add(number: int, cells: list[str]) -> None:
        if len(cells) != len(header):
            raise UserError(
                f"{path}, row {number}: {len(cells)} cells where row 1 has {len(header)}; "
                f"a {file_format.upper()} file has the same number in every row"
            )
        texts = tuple(" ".join(cells[i] for i in columns[c]) for c in task.text_columns)
        rows.append(Row(number, texts, cells[columns[task.label_column][0]]))

    if header and header[columns[task.label_column][0]].strip().isdecimal():
        add(number, header)  # a file without a header: the first line is an example
    for number, cells in lines:
        add(number, cells)
    return rows


def _read_json_lines(path: Path, task: Task) -> list[Row]:
    rows = []
    for number, line in enumerate(_decode(path.read_bytes(), path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            record = None
        if not isinstance(record, dict):
            raise UserError(f"{path}, row {number}: expected a JSON object on a line of its own")
        values = {}
        for column in (*task.text_columns, task.label_column):
            names = (column, *task.column_aliases.get(column, ()))
            name = next((name for name in names if name in record), None)
            if name is None:
                raise _missing_column(path, column, list(record), task)
            values[column] = record[name]
        for column in task.text_columns:
            if not _is_text(values[column]):
                raise UserError(
                    f"{path}, row {number}: '{column}' must be a string of Unicode text"
                )
        texts = tuple(values[column] for column in task.text_columns)
        rows.append(Row(number, texts, str(values[task.label_column])))
    return rows


def _is_text(value: object) -> bool:
    """Whether it is a string without the lone surrogates that JSON can spell."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def _read_label_text(path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(_decode(path.read_bytes(), path).split("\n"), start=1):
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
        for number, line in enumerate(_decode(half.read_bytes(), half).split("\n"), start=1):
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
                (_decode(file.read_bytes(), file),),
                POLARITY[file.parent.name],
            )
            for file in files
        ]
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.namelist())
            return [
                Row(
                    member,
                    (_decode(archive.read(member), f"{path}, {member}"),),
                    POLARITY[PurePosixPath(member).parent.name],
                )
                for member in members
                if member.endswith(".txt") and PurePosixPath(member).parent.name in POLARITY
            ]
    # RuntimeError: a password, or a compression that is not supported.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise UserError(
            f"{path}: corrupt or incomplete zip archive ({error}); download it again"
        ) from error
