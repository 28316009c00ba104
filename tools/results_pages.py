"""Fill the tables of README and docs/results from the cards and records under results/.

A page has, around a table that is made of cards,

    <!-- table {from: results/attacks, name: attacks, columns: [Attack, Aua%]} -->
    <!-- /table -->

``from`` is a folder that ``mindflood report`` takes, ``name`` one of its tables; ``columns`` and
``where`` choose of it, ``drop`` leaves out columns, and ``without: [Read]`` leaves out rows that
have nothing there, ``published: true`` keeps the papers'. ``notes: [WORDS]`` puts below the table
those of its notes that have these words. ``trace: [RUN, RUN]`` in place of a name shows these runs'
accordance by epoch. ``from`` may also be a benchmark's record, or a list of records with the same
columns (``tools/records.py``): below such a table stand the commands and what they ran on. ``python
tools/results_pages.py`` writes the pages anew, ``--check`` writes nothing and ends with status 1
where a page and the results disagree.

Every other table of these pages has ``<!-- facts: REASON -->`` above it: nothing in it was
measured.
"""

import argparse
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from records import below, joined, read_record
from traces import trace_table

from mindflood.cards.cards import Run, find_runs, read_card
from mindflood.errors import UserError
from mindflood.report.numbers.aggregate import order, setting_of
from mindflood.report.page import every_table
from mindflood.report.tables.layout import Table, text_of
from mindflood.report.tables.render import escape_markdown, markdown_rows

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs" / "results").glob("*.md")))
_CHOICES = {"columns", "where", "drop", "without"}
_OF_TABLE = _CHOICES | {"name", "notes", "published"}
_BLOCK = re.compile(r"(<!-- table (\{.*?\}) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with every table made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_rendered(found[2])}\n\n{found[4]}", page)


def _rendered(wish: str) -> str:
    wanted: dict[str, Any] = yaml.safe_load(wish)
    source = wanted["from"]
    of_record = isinstance(source, list) or source.endswith(".json")
    _check(wanted, _CHOICES if of_record else {"trace"} if "trace" in wanted else _OF_TABLE)
    if of_record:
        files = source if isinstance(source, list) else [source]
        records = [read_record(ROOT / one) for one in files]
        return f"{markdown_rows(_chosen(joined(records), wanted))}\n\n{below(records)}"
    if "trace" in wanted:
        folders = [ROOT / source / run for run in wanted["trace"]]
        return markdown_rows(trace_table([Run(f, read_card(f / "card.json")) for f in folders]))
    table = _tables(source)[wanted["name"]]
    notes = "\n".join(f"- {escape_markdown(note)}" for note in _noted(table, wanted))
    return "\n\n".join(filter(None, [markdown_rows(_chosen(table, wanted)), notes]))


def _check(wanted: dict[str, Any], known: set[str]) -> None:
    if unknown := wanted.keys() - known - {"from"}:
        raise ValueError(f"{wanted}: what is {sorted(unknown)}? Known here: {sorted(known)}")


def _noted(table: Table, wanted: dict[str, Any]) -> list[str]:
    """The notes that are wished for."""
    wishes = wanted.get("notes", [])
    if not isinstance(wishes, list):
        raise ValueError(f"notes: expected a list, found {wishes!r}")
    for words in wishes:
        if not any(words in note for note in table.notes):
            raise ValueError(f"table '{table.name}' has no note with '{words}'")
    return [note for note in table.notes if any(words in note for words in wishes)]


def _chosen(table: Table, wanted: dict[str, Any]) -> Table:
    """The rows and columns that are wished for."""
    rows = [row for row in table.rows if wanted.get("published", False) or not row.published]
    for column, value in wanted.get("where", {}).items():
        at = _place(table, column)
        rows = [row for row in rows if text_of(row.cells[at]) == value]
    for column in wanted.get("without", ()):
        at = _place(table, column)
        rows = [row for row in rows if row.cells[at] is not None]
    table = replace(table, rows=tuple(rows))
    table = table.without_empty_columns()
    dropped = wanted.get("drop", ())
    columns = wanted.get("columns") or [c.title for c in table.columns if c.title not in dropped]
    places = [_place(table, column) for column in columns]
    return replace(
        table,
        columns=tuple(table.columns[at] for at in places),
        rows=tuple(replace(row, cells=tuple(row.cells[at] for at in places)) for row in table.rows),
    )


def _place(table: Table, column: str) -> int:
    titles = [one.title for one in table.columns]
    if column not in titles:
        raise ValueError(f"table '{table.name}' has no column '{column}', it has {titles}")
    return titles.index(column)


@cache
def _tables(folder: str) -> dict[str, Table]:
    runs = sorted(find_runs(ROOT / folder), key=lambda run: order(setting_of(run.card)))
    return {table.name: table for group in every_table(runs) for table in group}


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    check = parser.parse_args().check
    try:
        return _write(check)
    except UserError as error:
        print(f"results_pages: error: {error}", file=sys.stderr)
        return 2


def _write(check: bool) -> int:
    stale = [page for page in PAGES if filled(text := page.read_text("utf-8")) != text]
    for page in stale:
        if check:
            print(f"{page}: is not what the results give; run python tools/results_pages.py")
        else:
            page.write_text(filled(page.read_text("utf-8")), "utf-8")
            print(f"{page}: written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
