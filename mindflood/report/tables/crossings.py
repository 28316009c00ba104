"""Where gradient accordance crossed zero, beside where the evaluation loss turned (§5.1)."""

from collections.abc import Sequence

from mindflood.cards.cards import Card, Run, probe_findings
from mindflood.errors import UserError
from mindflood.files import read_json_lines
from mindflood.flooding.sub_epoch import SubEpoch
from mindflood.report.numbers.names import METHODS, TASKS, encoder_name
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

_COLUMNS = (
    Column("Dataset", numeric=False),
    Column("Model", numeric=False),
    Column("Method", numeric=False),
    Column("Seed"),
    Column("Epoch", "Crossing"),
    Column("Direction", "Crossing", numeric=False),
    Column("J before", "Crossing"),
    Column("J after", "Crossing"),
    Column("Eval. loss", "Crossing"),
    Column("Epoch", "Lowest evaluation loss"),
    Column("J", "Lowest evaluation loss"),
    Column("Eval. loss", "Lowest evaluation loss"),
    Column("Accordance", "Lowest evaluation loss"),
    Column("b"),
    Column("Rule", numeric=False),
)


def crossings_table(runs: Sequence[Run]) -> Table:
    """A row for every run that was probed.

    Raises:
        UserError: a line of an ``accordance.jsonl`` lacks a key.
    """
    rows = []
    for run in runs:
        path = run.folder / "accordance.jsonl"
        trace = [
            SubEpoch.from_record(record, index, f"{path}, line {index + 1}")
            for index, record in enumerate(read_json_lines(path))
        ]
        if trace:
            found = probe_findings(run.card)
            line = found.get("sub_epoch", len(trace))
            if found.get("source") == "accordance" and line >= len(trace):
                raise UserError(
                    f"{path}: does not fit the run's card: its crossing (accordance.sub_epoch) is "
                    f"in none of the {len(trace)} lines; restore them, or delete the file to leave "
                    "it out"
                )
            rows.append(_row(run, trace))
    notes = (
        "J is the mean raw training loss of a sub-epoch, before and after the crossing of zero; b "
        "is what the run was flooded at. A run without a crossing says under Rule what gave b.",
    )
    caption = "Gradient accordance: where it crossed zero, and where the evaluation loss turned"
    return Table("accordance", caption, _COLUMNS, tuple(rows), notes).without_empty_columns()


def _row(run: Run, trace: Sequence[SubEpoch]) -> TableRow:
    card = run.card
    found = probe_findings(card)
    crossing: tuple[Cell, ...] = (None,) * 5
    if found.get("source") == "accordance":
        before, level = trace[found["sub_epoch"]], found["level"]
        # The range's other end: sub-epochs without an accordance may lie between the two.
        after = found["upper"] if level == found["lower"] else found["lower"]
        crossing = (
            Number(before.epoch, digits=2),
            found.get("direction"),
            _loss(before.train_loss),
            _loss(after),
            _loss(before.eval_loss),
        )
    turn: tuple[Cell, ...] = (None,) * 4
    if evaluated := [(one.eval_loss, one) for one in trace if one.eval_loss is not None]:
        _, lowest = min(evaluated, key=lambda pair: pair[0])
        turn = (
            Number(lowest.epoch, digits=2),
            _loss(lowest.train_loss),
            _loss(lowest.eval_loss),
            _loss(lowest.accordance),
        )
    return TableRow(
        (
            TASKS.get(card["task"], card["task"]),
            encoder_name(card["encoder"]),
            METHODS.get(card["method"], card["method"]),
            None if card["seed"] is None else str(card["seed"]),
            *crossing,
            *turn,
            _loss(card["flood_level"]),
            _rule(card, found.get("source", "")),
        )
    )


def _rule(card: Card, source: str) -> str:
    """What gave b; of a run that was recorded only, what its trace would have given."""
    if card["flood_level_source"] == "fixed":
        return "fixed"
    rule = {"accordance": "crossing", "fallback": "fallback"}.get(source, "none")
    return f"search in the range of the {rule}" if "search" in card else rule


def _loss(value: float | None) -> Number | None:
    return None if value is None else Number(value, digits=3)
