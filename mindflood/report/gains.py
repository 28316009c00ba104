"""What each method keeps more than fine-tuning, in points with intervals, attack by attack."""

from collections.abc import Sequence

from mindflood.cards.cards import Run
from mindflood.report.numbers.gain import LEAST, Gain, gain
from mindflood.report.sides import Group, Side, groups_of
from mindflood.report.tables.audits import VALIDATED
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow


def gains_table(runs: Sequence[Run]) -> Table:
    """A row for every method that an attack holds against another, on the same texts.

    Raises:
        UserError: a line of an attack's records is no record of an attack.
    """
    columns = (
        Column("Attack", numeric=False),
        Column("Method", numeric=False),
        Column("Against", numeric=False),
        Column("Seeds"),
        Column("Texts"),
        Column("Aua%, gain"),
        Column(f"{VALIDATED}, gain"),
        Column(f"{100 * LEAST:g} points", numeric=False),
    )
    found = [_row(group, side) for group in groups_of(runs) for side in group.sides[1:]]
    notes = (
        "Points that the method keeps more than the one it is held against, on the texts that both "
        "were attacked on, with a 95 % interval for the choice of the texts, the seeds (where a "
        "side has several) and, in the validated one, of the successes that were read. Where each "
        "side has one seed, it is of these two models. Each interval stands for itself: of twenty "
        "that hold nothing, one leaves zero out.",
        f"{100 * LEAST:g} points: what the validated gain says of one that large. Support: it is "
        "that, and its interval leaves 0 out. Against: its whole interval is below. Open: neither.",
        "– where no gain is told: records are missing or of other texts, or more than one text in "
        "a hundred is undecided; no validated one where successes of a model were not read.",
    )
    caption = "Gains over fine-tuning, or over the first of the methods where it was not run"
    return Table("gains", caption, columns, tuple(found), notes).without_empty_columns()


def _row(group: Group, side: Side) -> TableRow:
    first = group.sides[0]
    raw = gain(first.attempts, side.attempts)
    read = gain(first.attempts, side.attempts, validated=True)
    seeds = sorted({len(first.attempts), len(side.attempts)})
    cells: tuple[Cell, ...] = (
        group.title,
        side.name,
        first.name,
        " and ".join(map(str, seeds)),
        None if raw is None else str(raw.texts),
        _points(raw),
        _points(read),
        None if read is None else read.finding,
    )
    return TableRow(cells)


def _points(found: Gain | None) -> Number | None:
    if found is None:
        return None
    return Number(100 * found.value, ends=(100 * found.low, 100 * found.high))
