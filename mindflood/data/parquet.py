"""Parquet read into rows, by pyarrow."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mindflood.data.bad_rows import BadRows
from mindflood.data.columns import lacks_column
from mindflood.data.decoding import content_of
from mindflood.data.json_lines import label_of, text_of
from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError


def read_parquet(path: Path, task: Task, bad: BadRows) -> list[Row]:
    """Rows of a Parquet file; they count from 1.

    Raises:
        UserError: it is none, lacks a column or has it twice, or a text or label is none.
    """
    wanted = (*task.text_columns, task.label_column)
    *texts, labels = _columns(path, wanted, task)
    rows = []
    for number, (*cells, label) in enumerate(zip(*texts, labels, strict=True), start=1):
        where = f"{path}, row {number}"
        try:
            pairs = zip(cells, task.text_columns, strict=True)
            found = tuple(text_of(cell, column, where) for cell, column in pairs)
            rows.append(Row(number, found, label_of(label, task, where)))
        except UserError as error:
            bad.add(str(error))
    return rows


def read_records(path: Path, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a Parquet file as objects, with those of the ``wanted`` columns that are there.

    Raises:
        UserError: it is none, or has a column twice.
    """
    with _opened(path) as file:
        there = file.schema_arrow.names
        names = [_once(path, name, there) for name in wanted if name in there]
        found: list[dict[str, Any]] = file.read(columns=names, use_threads=False).to_pylist()
        return found


def _columns(path: Path, wanted: tuple[str, ...], task: Task) -> list[list[Any]]:
    """The values of the wanted columns, each under its own name or an alias."""
    with _opened(path) as file:
        names = [_name(path, column, file.schema_arrow.names, task) for column in wanted]
        table = file.read(columns=list(dict.fromkeys(names)), use_threads=False)
        return [table[name].to_pylist() for name in names]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file as a ``pyarrow.parquet.ParquetFile``; what is wrong with it becomes one line."""
    import pyarrow
    import pyarrow.parquet

    content = pyarrow.BufferReader(content_of(path))
    try:
        # pyarrow's own threads end a process with SIGABRT where they met a damaged file.
        yield pyarrow.parquet.ParquetFile(content, pre_buffer=False)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: corrupt or no Parquet ({shown(reason)}); write it anew") from None


def _name(path: Path, column: str, there: list[str], task: Task) -> str:
    for name in (column, *task.column_aliases.get(column, ())):
        if name in there:
            return _once(path, name, there)
    raise UserError(f"{path}: {lacks_column(column, there, task)}")


def _once(path: Path, name: str, there: list[str]) -> str:
    if there.count(name) > 1:
        raise UserError(f"{path}: two columns are named '{name}'; rename one")
    return name
