"""The table of crossings, from the files of run folders."""

import json
from pathlib import Path

import pytest

from mindflood.cards.cards import Run, new_card
from mindflood.errors import UserError
from mindflood.report.page import report
from mindflood.report.tables.crossings import crossings_table
from mindflood.report.tables.layout import text_of

TRACE = [
    {"step": 4, "epoch": 1, "accordance": -0.4, "train_loss": 0.6, "eval_loss": 0.5},
    {"step": 8, "epoch": 2, "accordance": -0.1, "train_loss": 0.3, "eval_loss": 0.55},
    {"step": 12, "epoch": 3, "accordance": 0.1, "train_loss": 0.2, "eval_loss": 0.6},
    {"step": 16, "epoch": 4, "accordance": 0.2, "train_loss": 0.1, "eval_loss": 0.7},
]
CROSSING = {
    "level": 0.3, "lower": 0.2, "upper": 0.3, "step": 8, "epoch": 2, "sub_epoch": 1,
    "direction": "rising", "source": "accordance", "rule": "crossed",
}  # fmt: skip


def probed(folder: Path, trace: list[dict], accordance: dict, level: float | None) -> Run:
    folder.mkdir()
    lines = "".join(json.dumps(line) + "\n" for line in trace)
    (folder / "accordance.jsonl").write_text(lines)
    source = "accordance" if level is not None else None
    card = new_card(
        task="sst2", method="flooding-x", seed=0, encoder="embedded",
        flood_level=level, flood_level_source=source,
    )  # fmt: skip
    card["accordance"] = accordance
    (folder / "card.json").write_text(json.dumps(card))
    return Run(folder, card)


def test_the_crossing_stands_beside_the_lowest_evaluation_loss(tmp_path):
    (row,) = crossings_table([probed(tmp_path / "a", TRACE, CROSSING, 0.3)]).rows
    assert [text_of(cell) for cell in row.cells[3:]] == [
        "0", "2.00", "rising", "0.300", "0.200", "0.550",
        "1.00", "0.600", "0.500", "-0.400", "0.300", "crossing",
    ]  # fmt: skip


def test_an_undefined_sub_epoch_is_not_the_one_after_the_crossing(tmp_path):
    undefined = TRACE[2] | {"step": 10, "epoch": 2.5, "accordance": None, "train_loss": 0.25}
    run = probed(tmp_path / "a", [*TRACE[:2], undefined, *TRACE[2:]], CROSSING, 0.3)
    (row,) = crossings_table([run]).rows
    assert [text_of(cell) for cell in row.cells[6:8]] == ["0.300", "0.200"]


def test_the_range_of_a_search_has_a_crossing_too(tmp_path):
    run = probed(tmp_path / "a", TRACE, {}, 0.25)
    run.card["search"] = {"bounds": CROSSING}
    (row,) = crossings_table([run]).rows
    assert [text_of(cell) for cell in (row.cells[4], *row.cells[-2:])] == [
        "2.00", "0.250", "search in the range of the crossing",
    ]  # fmt: skip


def test_a_fixed_level_owes_nothing_to_the_crossing_that_was_recorded(tmp_path):
    run = probed(tmp_path / "a", TRACE, CROSSING, 0.15)
    run.card["flood_level_source"] = "fixed"
    (row,) = crossings_table([run]).rows
    assert [text_of(cell) for cell in (row.cells[4], *row.cells[-2:])] == ["2.00", "0.150", "fixed"]


def test_a_run_without_crossing_and_evaluation_has_gaps(tmp_path):
    trace = [line | {"eval_loss": None} for line in TRACE[:2]]
    bare = probed(tmp_path / "a", trace, {"rule": "none"}, None)
    (row,) = crossings_table([bare]).rows
    assert [text_of(cell) for cell in row.cells[3:]] == ["0", "none"]
    row, _ = crossings_table([bare, probed(tmp_path / "b", TRACE, CROSSING, 0.3)]).rows
    assert [text_of(cell) for cell in row.cells[3:]] == ["0", *["–"] * 10, "none"]


def test_the_report_has_the_table_only_where_something_was_probed(tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    probed(runs / "a", TRACE, CROSSING, 0.3)
    assert "where it crossed zero" in report(runs).read_text()
    assert "rising" in (runs / "report" / "accordance.csv").read_text()
    (runs / "a" / "accordance.jsonl").unlink()
    assert "where it crossed zero" not in report(runs).read_text()


def test_a_line_without_a_key_is_named(tmp_path):
    run = probed(tmp_path / "a", [{"step": 4}], CROSSING, 0.3)
    with pytest.raises(UserError, match=r"accordance\.jsonl, line 1: accordance: missing"):
        crossings_table([run])


def test_a_trace_without_the_line_of_the_crossing_is_named(tmp_path):
    run = probed(tmp_path / "a", TRACE[:1], CROSSING, 0.3)
    with pytest.raises(UserError, match=r"accordance\.jsonl: does not fit .* none of the 1 lines"):
        crossings_table([run])
