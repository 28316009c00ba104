"""A table as Markdown, CSV, LaTeX (booktabs) or for the terminal. Every text is escaped."""

import csv
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from mindflood.report.tables.layout import (
    Cell,
    Number,
    Range,
    Table,
    TableRow,
    section_columns,
    sections,
    text_of,
)
from mindflood.visible import spreadsheet_cell, visible, visible_words

if TYPE_CHECKING:
    import rich.console
    import rich.table
    import rich.text

_ANY_WIDTH = 100_000  # columns of a console that every table fits in
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # after a line's \\ a bracket would be read as its optional argument
    "]": "{]}",
    "*": "{*}",  # and a star as part of it
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "–": "--",
    **{character: "\\" + character for character in "&%$#_"},
}


def escape_markdown(text: str) -> str:
    """``text`` as one line of GitHub Markdown that shows it literally, in a table's cell too."""
    line = visible_words(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", line)


def escape_latex(text: str) -> str:
    """``text`` as one line of LaTeX that prints it literally."""
    return "".join(_LATEX.get(character, character) for character in visible_words(text))


def escape_csv(text: str) -> str:
    """``text`` as one line that a spreadsheet shows and does not run as a formula."""
    return spreadsheet_cell(visible_words(text))


def markdown(*tables: Table) -> str:
    """GitHub Markdown, one table after the other, each with its notes."""
    return "\n\n".join(_markdown(table) for table in tables) + "\n"


def _markdown(table: Table) -> str:
    lines = [f"**{escape_markdown(table.caption)}**", ""]
    lines += [
        markdown_rows(table),
        "",
        *(f"- {escape_markdown(note)}" for note in (*table.notes, *table.recipes)),
    ]
    return "\n".join(lines).rstrip()


def markdown_rows(table: Table) -> str:
    """The table alone, without what stands above and below it."""
    lines = [
        _pipes([escape_markdown(column.title) for column in table.columns]),
        _pipes(["---:" if column.numeric else ":---" for column in table.columns]),
        *(_pipes([_bold_markdown(cell) for cell in row.cells]) for row in table.rows),
    ]
    return "\n".join(lines)


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _bold_markdown(cell: Cell) -> str:
    text = escape_markdown(text_of(cell))
    return f"**{text}**" if isinstance(cell, Number) and cell.best else text


def comma_separated(table: Table) -> str:
    """CSV: numbers bare, half width or ends of an interval in columns of their own, no notes.

    So are the bounds of what has no number. The table's details, such as fingerprints, are its last
    columns.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = []
    for at, column in enumerate((*table.columns, *table.details)):
        cells = [(*row.cells, *row.details)[at] for row in table.rows]
        columns.append([escape_csv(column.title), *(_bare(cell) for cell in cells)])
        columns += _interval_columns(column.title, cells)
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _bare(cell: Cell) -> str:
    if isinstance(cell, Number):
        return f"{cell.value:.{cell.digits}f}"
    return "" if cell is None or isinstance(cell, Range) else escape_csv(cell)


def _interval_columns(title: str, cells: list[Cell]) -> list[list[str]]:
    """Columns of a column's ``±``, ``low`` and ``high``, and of bounds, those that it has."""
    found: dict[str, list[str]] = {}
    for at, cell in enumerate(cells):
        if not isinstance(cell, Number | Range):
            continue
        for name, value in _around(cell):
            if value is not None:
                column = found.setdefault(name, [""] * len(cells))
                column[at] = f"{value:.{cell.digits}f}"
    return [[escape_csv(f"{title} {name}"), *column] for name, column in found.items()]


def _around(cell: Number | Range) -> tuple[tuple[str, float | None], ...]:
    if isinstance(cell, Range):
        return (("at least", cell.low), ("at most", cell.high))
    low, high = cell.ends or (None, None)
    return (("±", cell.half), ("low", low), ("high", high))


def latex(*tables: Table) -> str:
    r"""LaTeX table floats; the document needs ``\usepackage{booktabs}``."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_latex(table) for table in tables)


def _latex(table: Table) -> str:
    shown = section_columns(table)  # a line of its own for data set and model: columns are scarce
    width = len(shown.columns)
    lines = [
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{''.join('r' if c.numeric else 'l' for c in shown.columns)}}}",
        r"\toprule",
        *_latex_groups(shown),
        _ampersands([escape_latex(column.name) for column in shown.columns]),
    ]
    for heading, rows in sections(table):
        lines.append(r"\midrule")
        if heading:
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\textit{{{escape_latex(heading)}}}}} \\")
        lines += [_ampersands([_bold_latex(cell) for cell in row.cells]) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\footnotesize {escape_latex(note)}" for note in (*table.notes, *table.recipes)]
    return "\n".join([*lines, r"\end{table}", ""])


def _latex_groups(table: Table) -> list[str]:
    if not any(column.group for column in table.columns):
        return []
    heads, rules, at = [], [], 1
    for group, width in table.groups():
        heads.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(group)}}}")
        if group:
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        at += width
    return [_ampersands(heads), "".join(rules)]


def _ampersands(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _bold_latex(cell: Cell) -> str:
    text = escape_latex(text_of(cell))
    return rf"\textbf{{{text}}}" if isinstance(cell, Number) and cell.best else text


def terminal(table: Table) -> "rich.console.Group":
    """What ``rich.print`` shows as the table: a block for each data set and model, the notes.

    A block that is too wide for the console is one for each group of columns. Of the recipes, which
    fill a screen, the fingerprints are shown.
    """
    import rich.console
    from rich.text import Text

    blocks = [_Block(table, *section) for section in sections(table)]
    recipes = [re.sub(r"(fingerprint [^;]*); replaced: .*", r"\1", line) for line in table.recipes]
    notes = [visible_words(f"- {note}") for note in (*table.notes, *recipes)]
    return rich.console.Group(*blocks, *(Text(note, "dim") for note in notes))


class _Block:
    """One section of a table, as wide as the console allows."""

    def __init__(self, table: Table, heading: str, rows: Sequence[TableRow]) -> None:
        self._title = heading or table.caption
        self._columns = section_columns(table).columns
        self._rows = rows

    def __rich_console__(
        self, console: "rich.console.Console", options: "rich.console.ConsoleOptions"
    ) -> "rich.console.RenderResult":
        from rich.measure import Measurement
        from rich.text import Text

        yield Text(visible_words(self._title), "bold")
        everything = range(len(self._columns))
        whole = self._drawn(everything, self._rows)
        groups = dict.fromkeys(column.group for column in self._columns)
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), whole).maximum
        if len(groups) < 2 or needed <= options.max_width:
            yield whole
            return
        for group in groups:
            places = [at for at in everything if at and self._columns[at].group == group]
            rows = [row for row in self._rows if any(row.cells[at] is not None for at in places)]
            if rows:
                yield self._drawn([*self._telling(), *places] if group else [0, *places], rows)

    def _telling(self) -> list[int]:
        """The columns that tell the rows apart: the first, and the texts beside it if need be."""
        names = {row.cells[0] for row in self._rows}
        texts = (at for at, one in enumerate(self._columns) if not one.numeric and not one.group)
        return [0] if len(names) == len(self._rows) else list(texts)

    def _drawn(self, places: Sequence[int], rows: Sequence[TableRow]) -> "rich.table.Table":
        """The columns in ``places``; a heading that all of them share, or have none, is a title."""
        import rich.box
        import rich.table
        from rich.text import Text

        groups = {self._columns[at].group for at in places} - {""}
        shared = min(groups) if len(groups) == 1 else ""
        block = rich.table.Table(
            title=Text(visible_words(shared), "bold") if shared else None,
            title_justify="left",
            box=rich.box.SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
        )
        for at in places:
            column = self._columns[at]
            name = column.name if shared else column.title.replace(" ", "\n")
            justify: Literal["left", "right"] = "right" if column.numeric else "left"
            block.add_column(Text(visible(name)), justify=justify)
        for row in rows:
            block.add_row(*(_styled(row.cells[at], row.published) for at in places))
        return block


def _styled(cell: Cell, published: bool) -> "rich.text.Text":
    from rich.text import Text

    best = isinstance(cell, Number) and cell.best
    text = visible_words(text_of(cell))
    if isinstance(cell, Number | Range):
        text = text.replace(" to ", "\u00a0to\u00a0")  # a narrow column breaks before the bracket
    return Text(text, style="bold" if best else "dim" if published else "")
