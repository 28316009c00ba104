"""A table before it is Markdown, CSV, LaTeX, HTML or a terminal's."""

from dataclasses import dataclass, field, replace

MISSING = "–"


@dataclass(frozen=True)
class Number:
    """A number as the table prints it, with its 95 % interval where it has one.

    The interval is a half width, or its two ends where these are not equally far.
    """

    value: float
    half: float | None = None
    digits: int = 1
    best: bool = False
    ends: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """Rounded, with ``± half width`` or ``(low to high)`` behind it."""
        shown = f"{self.value:.{self.digits}f}"
        if self.ends is not None:
            low, high = (f"{end:.{self.digits}f}" for end in self.ends)
            return f"{shown} ({low} to {high})"
        return shown if self.half is None else f"{shown} ± {self.half:.{self.digits}f}"


@dataclass(frozen=True)
class Range:
    """What is known of a number that is not: its bounds, or the lower one alone."""

    low: float
    high: float | None
    digits: int = 1

    @property
    def text(self) -> str:
        """``low to high``, or ``≥ low``."""
        low = f"{self.low:.{self.digits}f}"
        return f"≥ {low}" if self.high is None else f"{low} to {self.high:.{self.digits}f}"


Cell = str | Number | Range | None


@dataclass(frozen=True)
class Column:
    """A column, and the heading it shares with its neighbours (an attack's name)."""

    name: str
    group: str = ""
    numeric: bool = True

    @property
    def title(self) -> str:
        """Both headings in one line."""
        return f"{self.group} {self.name}".strip()


@dataclass(frozen=True)
class TableRow:
    """Cells in the order of the columns; ``published`` rows are set apart from ours.

    ``details`` are the cells of the table's further columns.
    """

    cells: tuple[Cell, ...]
    published: bool = False
    details: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Table:
    """What is printed: caption, columns, rows, and the notes without which it misleads.

    ``recipes`` are the attacks' exact recipes, below the notes; ``details`` are columns too wide
    for anything but a CSV file.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = field(default=())
    recipes: tuple[str, ...] = field(default=())
    details: tuple[Column, ...] = field(default=())

    def groups(self) -> list[tuple[str, int]]:
        """Runs of neighbouring columns under one heading: heading and number of columns."""
        runs: list[tuple[str, int]] = []
        for column in self.columns:
            if runs and runs[-1][0] == column.group:
                runs[-1] = (column.group, runs[-1][1] + 1)
            else:
                runs.append((column.group, 1))
        return runs

    def without_empty_columns(self) -> "Table":
        """The table without the columns in which no row has anything."""
        kept = [
            at
            for at in range(len(self.columns))
            if any(row.cells[at] is not None for row in self.rows)
        ]
        return replace(
            self,
            columns=tuple(self.columns[at] for at in kept),
            rows=tuple(
                replace(row, cells=tuple(row.cells[at] for at in kept)) for row in self.rows
            ),
        )


def text_of(cell: Cell) -> str:
    """A cell's plain text."""
    if cell is None:
        return MISSING
    return cell.text if isinstance(cell, Number | Range) else cell


def sections(table: Table) -> list[tuple[str, tuple[TableRow, ...]]]:
    """The rows under each data set and model, without those two columns, under a heading of both.

    A table without these columns is one section without heading.
    """
    if not _has_model(table):
        return [("", table.rows)]
    found: dict[str, list[TableRow]] = {}
    for row in table.rows:
        heading = ", ".join(text_of(cell) for cell in row.cells[:2])
        found.setdefault(heading, []).append(TableRow(row.cells[2:], row.published))
    return [(heading, tuple(members)) for heading, members in found.items()]


def section_columns(table: Table) -> Table:
    """The table whose columns are those of its :func:`sections`."""
    return replace(table, columns=table.columns[2:]) if _has_model(table) else table


def _has_model(table: Table) -> bool:
    return [column.name for column in table.columns[:2]] == ["Dataset", "Model"]
