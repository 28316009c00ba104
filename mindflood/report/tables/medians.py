"""Several seeds as FreeLB gives them (its Tables 1, 4 and 8): median and standard deviation."""

from collections.abc import Sequence

from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import Attacked, Estimate, rows
from mindflood.report.numbers.names import ATTACKS, position
from mindflood.report.tables.audits import doubt_notes
from mindflood.report.tables.cells import row_names
from mindflood.report.tables.layout import Cell, Column, Range, Table, TableRow
from mindflood.report.tables.recipes import recipe_lines

_LEAST = 3  # seeds: the median of two is their mean


def medians_table(cards: Sequence[Card]) -> Table:
    """Clean% and Aua% of every setting of at least three seeds."""
    table = rows(cards)
    ours = [row for row in table if len(row.seeds) >= _LEAST]
    recipes = sorted(
        {recipe for row in ours for recipe in row.attacks},
        key=lambda recipe: position(recipe, ATTACKS),
    )
    columns = (
        *(Column(name, numeric=False) for name in ("Dataset", "Model", "Method")),
        Column("Clean%"),
        *(Column("Aua%", ATTACKS.get(recipe, recipe)) for recipe in recipes),
        Column("Seeds"),
    )
    lines = []
    for row in ours:
        cells: tuple[Cell, ...] = (
            *row_names(row),
            _percent(row.clean),
            *(_robust(row.attacks.get(name)) for name in recipes),
            str(len(row.seeds)),
        )
        lines.append(TableRow(cells))
    notes = (
        "In brackets the standard deviation over the seeds. A range is between the means of the "
        "bounds that undecided texts leave.",
        *doubt_notes(ours, table),
    )
    return Table(
        "medians", "Medians over the seeds", columns, tuple(lines), notes, recipe_lines(ours)
    )


def _robust(attacked: Attacked | None) -> Cell:
    if attacked is not None and attacked.robust is not None and attacked.robust.is_open:
        low, high = attacked.robust.bounds
        return Range(100 * low, 100 * high)
    return None if attacked is None else _percent(attacked.accuracy)


def _percent(rate: Estimate | None) -> str | None:
    if rate is None:
        return None
    spread = "" if rate.deviation is None else f" ({100 * rate.deviation:.1f})"
    return f"{100 * rate.median:.1f}{spread}"
