"""The figure of gradient accordance, from the files of a run folder."""

import json
from pathlib import Path

import pytest

from mindflood.errors import UserError
from mindflood.report.accordance_figure import accordance_curves
from mindflood.report.cards import Run, new_card

LINE = {"step": 4, "accordance": -0.4, "train_loss": 0.6, "eval_loss": 0.7, "eval_accuracy": 0.5}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    card = new_card(task="sst2", method="flooding-x", seed=0, encoder="embedded")
    card["accordance"] = {"level": 0.25, "lower": 0.2, "upper": 0.25, "epoch": 1.0, "source": "x"}
    return Run(tmp_path, card)


def write(run: Run, *lines: dict) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run.folder / "accordance.jsonl").write_text(text)


def test_a_run_without_a_probe_has_no_figure(run):
    assert accordance_curves(run, "a") is None


def test_the_figure_shows_the_level_and_skips_undefined_accordance(run):
    first, last = {**LINE, "epoch": 0.5}, {**LINE, "epoch": 1.5, "accordance": 0.1}
    drawn = []
    for accordance in (None, -0.2):
        write(run, first, {**LINE, "epoch": 1.0, "accordance": accordance}, last)
        svg = accordance_curves(run, "a")
        assert svg is not None
        assert "flood level b = 0.25 (x)" in svg
        assert "search range" in svg
        drawn.append(svg.count("<use "))  # a marker or a tick each
    assert drawn[1] == drawn[0] + 1


def test_undefined_everywhere_is_no_figure(run):
    write(run, {**LINE, "epoch": 0.5, "accordance": None})
    assert accordance_curves(run, "a") is None


def test_a_line_without_a_loss_is_named(run):
    write(run, {"step": 1, "epoch": 0.5, "accordance": 0.1, "eval_loss": 0.2})
    with pytest.raises(UserError, match=r"accordance\.jsonl, record 1: .*'train_loss'"):
        accordance_curves(run, "a")
