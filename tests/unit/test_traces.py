"""The traces of accordance on a page are the lines of the runs' files, an epoch a row."""

import json

import pytest
from traces import trace_table

from mindflood.cards.cards import Run, new_card
from mindflood.errors import UserError
from mindflood.report.tables.layout import text_of
from tests.conftest import ROOT
from tools.results_pages import filled


def probed(folder, seed, *lines):
    folder.mkdir()
    keys = ("step", "epoch", "accordance", "train_loss", "eval_loss")
    records = [dict(zip(keys, line, strict=False)) for line in lines]
    (folder / "accordance.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records))
    card = new_card(task="sst2", method="finetune", seed=seed, encoder="embedded")
    return Run(folder, card)


def test_runs_stand_side_by_side_by_epoch(tmp_path):
    one = probed(tmp_path / "a", 0, (4, 1, -0.5, 0.69, 0.7), (8, 2, None, 0.3, None))
    other = probed(tmp_path / "b", 1, (3, 0.5, -0.25, 0.6, 0.5), (12, 2, 0.125, 0.1, 0.25))
    table = trace_table([one, other])
    assert [column.title for column in table.columns] == [
        "epoch",
        *(f"SST-2, seed 0: {name}" for name in ("accordance", "J", "evaluation loss")),
        *(f"SST-2, seed 1: {name}" for name in ("accordance", "J", "evaluation loss")),
    ]
    assert [[text_of(cell) for cell in row.cells] for row in table.rows] == [
        ["0.50", "–", "–", "–", "-0.250", "0.600", "0.500"],
        ["1", "-0.500", "0.690", "0.700", "–", "–", "–"],
        ["2", "–", "0.300", "–", "0.125", "0.100", "0.250"],
    ]


def test_a_broken_trace_names_its_line(tmp_path):
    run = probed(tmp_path / "a", 0, (4, 1, -0.5, 0.69), (8, 2, -0.4))
    with pytest.raises(UserError, match=r"accordance\.jsonl, line 2: train_loss"):
        trace_table([run])


def test_a_page_takes_the_runs_that_it_names():
    run = next((ROOT / "results" / "demo").glob("flooding-x-*")).name
    table = filled(f"<!-- table {{from: results/demo, trace: [{run}]}} -->\n<!-- /table -->")
    assert table.count("\n| ") == 12  # the heading, its rule and ten epochs
