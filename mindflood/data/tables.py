"""CSV and TSV read into rows, with a header or, where a benchmark has none, without."""

import csv
import io
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from mindflood.data.bad_rows import BadRows
from mindflood.data.columns import lacks_column
from mindflood.data.decoding import content_of, decode
from mindflood.data.labels import expected_labels, is_label
from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError

TableFormat = Literal["csv", "tsv"]

_SEPARATORS: Mapping[str, tuple[str, str]] = {
    ",": ("commas", "rename it to .csv"),
    "\t": ("tabs", "rename it to .tsv"),
    ";": ("semicolons", "save it with commas"),
    "|": ("vertical bars", "save it with commas"),
}


_QUOTE = 'quote texts with " and double the quotes inside'
_UNCLOSED = "unexpected end of data"


class _Dialect(NamedTuple):
    """What parts the cells of a row, and whether a cell may be quoted."""

    separator: str
    quoted: bool


class _Columns(NamedTuple):
    """Positions of each wanted column, and whether the first line is an example, no header."""

    places: dict[str, list[int]]
    without_header: bool = False


def read_table(
    path: Path,
    file_format: TableFormat,
    task: Task,
    bad: BadRows,
    own_names: Collection[str] = (),
) -> list[Row]:
    """Rows of a table.

    The first line is a header where it names the columns. Where the task's benchmark has none, it
    is an example, provided that it has a label in the label's place.

    Args:
        own_names: what else a label may be called: a model's own names of its classes.

    Raises:
        UserError: not UTF-8, not of the format, or the first line is neither of the two.
    """
    text = decode(content_of(path), path)
    _check_separator(text, file_format, task, own_names, path)
    lines = _cells(text, _dialect(file_format, task), path, bad)
    number, first = next(lines, (1, []))
    columns = _columns(first, task, own_names, path)
    label_place = columns.places[task.label_column][0]
    rows = []

    def add(number: int, cells: list[str]) -> None:
        if len(cells) != len(first):
            bad.add(
                f"{path}, row {number}: {len(cells)} cells where row 1 has {len(first)}; "
                f"a {file_format.upper()} file has the same number in every row"
            )
            return
        texts = tuple(" ".join(cells[i] for i in columns.places[c]) for c in task.text_columns)
        rows.append(Row(number, texts, cells[label_place]))

    if columns.without_header:
        add(number, first)
    for number, cells in lines:
        add(number, cells)
    return rows


def names_labels(path: Path, file_format: TableFormat, task: Task) -> bool:
    """Whether a table has the task's label column (GLUE's own test files have none)."""
    text = decode(content_of(path).partition(b"\n")[0], path)
    cells = _cells(text, _dialect(file_format, task), path, BadRows(task, path))
    _, first = next(cells, (1, []))
    found = _named(first, task, path)
    return task.label_column in found or (not found and _fits_without_header(first, task))


def _dialect(file_format: TableFormat, task: Task) -> _Dialect:
    """GLUE's TSV have no quoting; a CSV has, and so has the TSV of anyone's table program."""
    if file_format == "csv":
        return _Dialect(",", quoted=True)
    return _Dialect("\t", quoted=task.own)


def _cells(
    text: str, dialect: _Dialect, path: Path, bad: BadRows
) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank."""
    if not dialect.quoted:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, line.rstrip("\r").split(dialect.separator)
        return
    limit = csv.field_size_limit(sys.maxsize)  # a text may be longer than the module's 128 KiB
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=dialect.separator)
    start = 1
    try:
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                fault = f"{path}, row {reader.line_num}: not CSV ({error}); {_QUOTE}"
                if str(error) == _UNCLOSED:  # all that follows is in it, and not malformed
                    raise UserError(fault) from None
                bad.add(fault)
                cells = []
            if cells is None:
                return
            if cells:
                yield start, cells
            start = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)


def _columns(first: list[str], task: Task, own_names: Collection[str], path: Path) -> _Columns:
    """What the first line says of the columns.

    Raises:
        UserError: it lacks one; or it is no header where the benchmark has none, and no example.
    """
    found = _named(first, task, path)
    if not found and _fits_without_header(first, task):
        label = first[task.columns_without_header.index(task.label_column)]
        if is_label(label, task, own_names):
            return _Columns(_by_place(task), without_header=True)
        raise UserError(
            f"{path}, row 1: {shown(label)} is no label of task {task.name} "
            f"({expected_labels(task)}), and no column is named '{task.label_column}'; if the row "
            f"is an example, correct it; if it is a header, delete it"
        )
    for column in (*task.text_columns, task.label_column):
        if column not in found:
            raise _missing_column(path, column, first, task, own_names)
    return _Columns(found)


def _named(header: Sequence[str], task: Task, path: Path) -> dict[str, list[int]]:
    """Position of each wanted column that a header names."""
    names = [name.strip() for name in header]
    found: dict[str, list[int]] = {}
    for column in (*task.text_columns, task.label_column):
        for name in (column, *task.column_aliases.get(column, ())):
            if names.count(name) > 1:
                raise UserError(f"{path}, row 1: two columns are named '{name}'; rename one")
            if name in names:
                found[column] = [names.index(name)]
                break
    return found


def _fits_without_header(cells: Sequence[str], task: Task) -> bool:
    return bool(cells) and len(cells) == len(task.columns_without_header)


def _by_place(task: Task) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, column in enumerate(task.columns_without_header):
        places.setdefault(column, []).append(place)
    return places


def _missing_column(
    path: Path, column: str, first: Sequence[str], task: Task, own_names: Collection[str]
) -> UserError:
    there = [name.strip() for name in first]
    remedy = None
    if any(is_label(cell, task, own_names) for cell in there):
        remedy = "row 1 looks like an example: put a line with the names of the columns above it"
    for separator, (name, _) in _SEPARATORS.items():
        if len(there) == 1 and separator in there[0]:
            remedy = f"row 1 is one cell with {name} in it: if they separate columns, save it anew"
    return UserError(f"{path}: {lacks_column(column, there, task, remedy)}")


def _check_separator(
    text: str, file_format: TableFormat, task: Task, own_names: Collection[str], path: Path
) -> None:
    """Refuse a table whose first line makes sense only with another separator than the format's."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    own = "\t" if file_format == "tsv" else ","
    if _makes_sense(first.split(own), task, own_names):
        return
    for separator, (name, remedy) in _SEPARATORS.items():
        if separator != own and _makes_sense(first.split(separator), task, own_names):
            raise UserError(
                f"{path}: is separated by {name}, and a {file_format.upper()} file by "
                f"{_SEPARATORS[own][0]}; {remedy}"
            )


def _makes_sense(cells: Sequence[str], task: Task, own_names: Collection[str]) -> bool:
    """Whether cells, quoted or not, name the columns or are an example of a file without header."""
    cells = [cell.strip().strip('"') for cell in cells]
    columns = (*task.text_columns, task.label_column)
    if all({name, *task.column_aliases.get(name, ())} & {*cells} for name in columns):
        return True
    if not _fits_without_header(cells, task):
        return False
    return is_label(cells[task.columns_without_header.index(task.label_column)], task, own_names)
