"""The table of a benchmark as a record: its numbers, its command, and what it was measured on.

A benchmark puts its rows on a :class:`Sheet`, which prints them; ``--record FILE.json`` keeps them
too, and ``tools/results_pages.py`` makes the pages' tables of that file. A record names no machine
and no path.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from mindflood.errors import UserError
from mindflood.files import read_json, user_path, write_json
from mindflood.process import usable_cores
from mindflood.report.tables import layout
from mindflood.report.tables.render import markdown_rows

OPTION = "--record"
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
_KEPT = 6  # significant digits of a number
Cell = str | float | None


class Column(BaseModel):
    """A column of numbers with ``digits`` behind the point, or of text."""

    model_config = _STRICT
    title: str = Field(min_length=1)
    digits: int | None = Field(default=None, ge=0, le=6)

    def fits(self, cell: Cell) -> bool:
        """Whether a cell is of the column's kind; every column may have empty cells."""
        return cell is None or isinstance(cell, str) == (self.digits is None)


class Machine(BaseModel):
    """What a speed depends on, and nothing that tells whose machine it was."""

    model_config = _STRICT
    processor: str  # its architecture
    cores: int = Field(ge=1)
    load: float | None = Field(ge=0)  # processes that ran or waited in the minute before
    threads: int | None = Field(default=None, ge=1)
    accelerator: str | None = None


class Record(BaseModel):
    """What ``--record`` writes.

    Raises:
        ValidationError: a row does not fit the columns, or a key is wrong.
    """

    model_config = _STRICT
    name: str = Field(min_length=1)
    command: str = Field(min_length=1)
    packages: dict[str, str]
    machine: Machine
    columns: list[Column] = Field(min_length=1)
    rows: list[list[Cell]] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_fit(self) -> Record:
        titles = [column.title for column in self.columns]
        if twice := {title for title in titles if titles.count(title) > 1}:
            raise _misfit(f"columns: '{min(twice)}' is there twice, and a page asks by title")
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise _misfit(f"row {number}: {len(self.columns)} cells expected")
            for column, cell in zip(self.columns, row, strict=True):
                if not column.fits(cell):
                    kind = "text" if column.digits is None else "a number"
                    raise _misfit(f"row {number}, column '{column.title}': {kind} expected")
        return self

    def table(self) -> layout.Table:
        """As the report's tables are, which are rendered in one way."""
        columns = tuple(layout.Column(c.title, numeric=c.digits is not None) for c in self.columns)
        rows = tuple(layout.TableRow(tuple(map(_shown, self.columns, row))) for row in self.rows)
        return layout.Table(self.name, "", columns, rows)

    def measured_on(self) -> str:
        """The machine and the packages in a line."""
        machine = self.machine
        facts = [machine.accelerator, f"{machine.cores} cores ({machine.processor})"]
        if machine.threads:
            facts.append(f"{machine.threads} thread{'s' * (machine.threads > 1)}")
        facts.append(None if machine.load is None else f"load {machine.load:.1f} at the start")
        facts += [f"{name} {version}" for name, version in self.packages.items()]
        return ", ".join(filter(None, facts))


class Sheet:
    """A benchmark's table while it is measured: every row is printed as it is found."""

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        *,
        packages: Sequence[str],
        threads: int | None = None,
        accelerator: str | None = None,
    ) -> None:
        self._name, self._columns = name, list(columns)
        self._packages = {"python": platform.python_version()} | {
            package: metadata.version(package) for package in packages
        }
        self._machine = Machine(
            processor=platform.machine(),
            cores=usable_cores(),
            load=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
            threads=threads,
            accelerator=accelerator,
        )
        self._rows: list[list[Cell]] = []

    def add(self, *cells: Cell) -> None:
        """Print a row, the first one below its heading."""
        self._rows.append([_rounded(cell) for cell in cells])
        lines = markdown_rows(self._record("-").table()).splitlines()
        print(*lines[-1 if len(self._rows) > 1 else 0 :], sep="\n", flush=True)

    def keep(self, path: Path | None) -> None:
        """Write the record, where ``--record`` asks for one."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, self._record(command_line(sys.argv)).model_dump())

    def _record(self, command: str) -> Record:
        return Record(
            name=self._name, command=command, packages=self._packages, machine=self._machine,
            columns=self._columns, rows=self._rows,
        )  # fmt: skip


def words(title: str) -> Column:
    """A column of text."""
    return Column(title=title)


def numbers(title: str, digits: int) -> Column:
    """A column of numbers."""
    return Column(title=title, digits=digits)


def add_option(parser: argparse.ArgumentParser) -> None:
    """``--record FILE.json`` for a benchmark."""
    parser.add_argument(
        OPTION, type=user_path, metavar="FILE.json", help="keep the table, for tools/results_pages"
    )


def command_line(words: Sequence[str]) -> str:
    """The command that repeats a benchmark, a file or folder of this machine by what it is."""
    script, *options = words
    kept: list[str] = []
    following = iter(options)
    for word in following:
        if word == OPTION:
            next(following, None)
        elif not word.startswith(f"{OPTION}="):
            key, equals, value = word.rpartition("=")
            kept.append(key + equals + _no_path(value))
    return shlex.join(["python", f"tools/{Path(script).name}", *kept])


def read_record(path: Path) -> Record:
    """A record's file.

    Raises:
        UserError: it is none; the line names the file and the key.
    """
    try:
        return Record.model_validate(read_json(path))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise UserError(f"{path}: {place + ': ' if place else ''}{fault['msg']}") from None


def joined(records: Sequence[Record]) -> layout.Table:
    """One table of records with the same columns, one below the other.

    Raises:
        UserError: their columns differ.
    """
    first, *others = records
    if different := [record.name for record in others if record.columns != first.columns]:
        raise UserError(f"the records {first.name} and {different[0]} differ in their columns")
    rows = tuple(row for record in records for row in record.table().rows)
    return replace(first.table(), rows=rows)


def below(records: Sequence[Record]) -> str:
    """What stands below the table: every command, and the machine and packages of each."""
    lines: dict[str, list[str]] = {}
    for record in records:
        lines.setdefault(record.measured_on(), []).append(f"`{record.command}`")
    return "\n\n".join(f"{', '.join(commands)}: {on}." for on, commands in lines.items())


def _misfit(said: str) -> PydanticCustomError:
    return PydanticCustomError("misfit", "{said}", {"said": said})


def _no_path(value: str) -> str:
    if os.sep not in value and not Path(value).exists():
        return value
    return "FOLDER" if Path(value).is_dir() else "FILE"


def _rounded(cell: Cell) -> Cell:
    return float(f"{cell:.{_KEPT}g}") if isinstance(cell, int | float) else cell


def _shown(column: Column, cell: Cell) -> layout.Cell:
    if cell is None or isinstance(cell, str):
        return cell
    return layout.Number(cell, digits=column.digits or 0)
