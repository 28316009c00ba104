"""The traces of gradient accordance of some runs side by side, for a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from mindflood.cards.cards import Run
from mindflood.files import read_json_lines
from mindflood.flooding.sub_epoch import SubEpoch
from mindflood.report.numbers.names import TASKS
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

_OF_A_RUN = ("accordance", "J", "evaluation loss")


def trace_table(runs: Sequence[Run]) -> Table:
    """A row for each epoch at whose end one of the runs was probed, three columns for each run.

    Raises:
        UserError: a line of an ``accordance.jsonl`` lacks a key.
    """
    traces = [_trace(run) for run in runs]
    epochs = sorted({epoch for trace in traces for epoch in trace})
    columns = [Column("epoch")]
    for run in runs:
        heading = f"{TASKS.get(run.card['task'], run.card['task'])}, seed {run.card['seed']}:"
        columns += [Column(name, heading) for name in _OF_A_RUN]
    rows = (
        (Number(epoch, digits=0 if epoch.is_integer() else 2), *_cells(traces, epoch))
        for epoch in epochs
    )
    return Table("trace", "", tuple(columns), tuple(map(TableRow, rows)))


def _trace(run: Run) -> dict[float, SubEpoch]:
    path = run.folder / "accordance.jsonl"
    read = (
        SubEpoch.from_record(record, index, f"{path}, line {index + 1}")
        for index, record in enumerate(read_json_lines(path))
    )
    return {one.epoch: one for one in read}


def _cells(traces: Sequence[dict[float, SubEpoch]], epoch: float) -> list[Cell]:
    found = (trace.get(epoch) for trace in traces)
    values = (
        (None,) * 3 if one is None else (one.accordance, one.train_loss, one.eval_loss)
        for one in found
    )
    return [
        None if value is None else Number(value, digits=3)
        for of_a_run in values
        for value in of_a_run
    ]
