"""Attack by attack: what became of the texts, the rates, and what people found who read them.

Table 2 has an attack's numbers side by side, which nobody can read of nine attacks.
"""

from collections.abc import Sequence

from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import Attacked, ResultRow, rows
from mindflood.report.numbers.names import ATTACKS, position
from mindflood.report.numbers.validated import Audit
from mindflood.report.tables.audits import VALIDATED, Audited, audited, doubt_notes, validated_cell
from mindflood.report.tables.cells import percent, queries, robust, row_names, share
from mindflood.report.tables.layout import Cell, Column, Table, TableRow

MANY = 4  # attacks on one model: from here on Table 2 is too wide
_NAMES = ("Dataset", "Model", "Method", "Attack")
_COUNTS = {
    "Attacked": "num_examples",
    "Skipped": "skipped",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Out of budget": "out_of_budget",
    "Untouched": "untouched",
    "Errors": "errors",
}
_RATES = ("Aua%", VALIDATED, "Suc%", "#Query")
_READ = ("Read", "Keep the label%", "Still English%")


def attacks_table(cards: Sequence[Card]) -> Table:
    """A row an attack on a model; none where no model was attacked in many ways.

    What was read is of all successes of an exact recipe on a task, whichever row's they were.
    """
    ours = rows(cards)
    known = {(one.task, one.recipe, one.fingerprint): one for one in audited(ours)}
    columns = (
        *(Column(name, numeric=False) for name in _NAMES),
        *(Column(name) for name in (*_COUNTS, *_RATES, *_READ)),
    )
    lines = [
        TableRow((*row_names(row), *_cells(row, recipe, known)))
        for row in ours
        for recipe in sorted(row.attacks, key=lambda name: position(name, ATTACKS))
    ]
    many = any(len(row.attacks) >= MANY for row in ours)
    notes = (
        "Skipped: wrong before the attack, and so in Aua%. Untouched: the attack had no candidate "
        "to try; in no rate. Out of budget: undecided; where they could move a rate by more than a "
        "point it is a range. Read: successes of this recipe on this task that were read.",
        *doubt_notes(ours, ours),
    )
    caption = "Attack by attack: what became of the texts"
    table = Table("attacks", caption, columns, tuple(lines) if many else (), notes)
    return table.without_empty_columns()


def _cells(
    row: ResultRow, recipe: str, known: dict[tuple[str, str, str], Audited]
) -> tuple[Cell, ...]:
    attacked = row.attacks[recipe]
    (fingerprint, *others) = sorted(attacked.fingerprints)
    found = None if others else known[row.setting.task, recipe, fingerprint]
    name = ATTACKS.get(recipe, recipe)
    doubtful = found is not None and found.doubtful
    return (
        f"{name}, worth little" if doubtful else name,
        *(_count(attacked, key) for key in _COUNTS.values()),
        robust(attacked),
        validated_cell(attacked),
        percent(attacked.success, attacked.broken),
        queries(attacked),
        *_read(None if found is None else found.audit),
    )


def _count(attacked: Attacked, key: str) -> str | None:
    """A count; none of what hardly ever happens, so that its column can go."""
    count = attacked.counts[key]
    return None if key == "errors" and not count else str(count)


def _read(audit: Audit | None) -> tuple[Cell, ...]:
    if audit is None:
        return (None,) * len(_READ)
    return (str(audit.graded), share(audit.keeps_label()), share(audit.still_english()))
