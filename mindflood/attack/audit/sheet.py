"""The sheet that is graded: a CSV file that spreadsheets open, and what they make of it, read back.

A row tells nothing of the model or the method behind it: its name is a hash, and the rows are in
the order of their names.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindflood.attack.results.finished import Record
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import write_text
from mindflood.report.examples import Piece, differences
from mindflood.report.tables.render import escape_csv

COLUMNS = ("row", "class", "original", "perturbed", "meaning", "english")
GRADES: Mapping[str, tuple[str, ...]] = {
    "meaning": ("same", "changed", "unclear"),
    "english": ("yes", "no"),
}
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class SheetRow:
    """One success as the sheet shows it; grades are empty until it was read."""

    name: str
    label: str
    original: str
    perturbed: str
    meaning: str = ""
    english: str = ""
    line: int = 0

    @property
    def words(self) -> str:
        """The letters and digits of both texts, which every spreadsheet leaves as they are."""
        return re.sub(r"[^a-z0-9]+", "", (self.original + self.perturbed).lower())


def row_of(name: str, record: Record, task: Task) -> SheetRow:
    """A record as a row: the words that differ stand in double brackets."""
    sides = [
        differences(*pair) for pair in zip(record["original"], record["perturbed"], strict=True)
    ]
    label = record["label"]
    known = 0 <= label < task.num_labels
    return SheetRow(
        name,
        task.label_names[label] if known else str(label),
        _cell([before for before, _ in sides], task),
        _cell([after for _, after in sides], task),
    )


def _cell(texts: Sequence[Sequence[Piece]], task: Task) -> str:
    """A text on one line; the two of a pair on two, under their columns' names."""
    shown = ["".join(_marked(piece) for piece in text) for text in texts]
    if len(shown) == 1:
        return escape_csv(shown[0])
    lines = zip(task.text_columns, shown, strict=True)
    return "\n".join(escape_csv(f"{column}: {text}") for column, text in lines)


def _marked(piece: Piece) -> str:
    """A piece that differs in double brackets, the white space around it left outside."""
    inner = piece.text.strip()
    if not piece.changed or not inner:
        return piece.text
    return piece.text.replace(inner, f"[[{inner}]]", 1)


def write_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Write the rows in the order of their names, whole or not at all."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.name):
        cells = (row.name, row.label, row.original, row.perturbed, row.meaning, row.english)
        writer.writerow(cells)
    write_text(path, out.getvalue())


def read_sheet(path: Path) -> list[SheetRow]:
    """The rows of a sheet that a spreadsheet may have saved, in any order of rows and columns.

    Read are UTF-8 with or without a byte order mark, UTF-16 and Windows' Western encoding; commas,
    semicolons or tabs; further columns, such as remarks, are left out.

    Raises:
        UserError: there is no such file, it is no such sheet, or a grade is none.
    """
    lines = _lines(path)
    _, header = next(lines, (0, []))
    names = [cell.strip().casefold() for cell in header]
    lacking = [column for column in COLUMNS if names.count(column) != 1]
    if lacking:
        raise UserError(
            f"{path}: expected one column '{lacking[0]}' in its first line; the columns are "
            f"{', '.join(COLUMNS)}, separated by commas, semicolons or tabs"
        )
    places = [names.index(column) for column in COLUMNS]
    rows = []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        padded = [*cells, *[""] * (len(names) - len(cells))]
        rows.append(_graded([padded[place] for place in places], number, path))
    return rows


def _graded(cells: list[str], line: int, path: Path) -> SheetRow:
    name, label, original, perturbed = cells[:4]
    grades: dict[str, Any] = {}
    for (column, known), cell in zip(GRADES.items(), cells[4:], strict=True):
        grades[column] = found = cell.strip().strip("'").casefold()
        if found and found not in known:
            raise UserError(
                f"{path}, line {line}, row {name.strip()}: {column} {cell.strip()!r}: expected "
                f"one of {', '.join(known)}"
            )
    return SheetRow(name.strip().casefold(), label, original, perturbed, line=line, **grades)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number, as the file has it, and cells of every row."""
    text = _decoded(path)
    if first := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):  # Excel's own line
        text = text[first.end() :]
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 2 if first else 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + (2 if first else 1)
    except csv.Error as error:
        raise UserError(
            f"{path}, line {line}: not CSV: {error}; save the sheet as CSV again"
        ) from error


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; draw a sheet without --grades") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if content[:2] == b"PK":
        raise UserError(f"{path}: a workbook, not CSV; save it as CSV in the spreadsheet")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UserError(f"{path}: expected text in UTF-8; save the sheet as CSV in UTF-8")
