"""The figure of gradient accordance, from the files of a run folder."""

import json
import re
from pathlib import Path

import pytest

from mindflood.cards.cards import Run, new_card
from mindflood.errors import UserError
from mindflood.report.figures.accordance import accordance_curves

LINE = {"step": 4, "accordance": -0.4, "train_loss": 0.6, "eval_loss": 0.7, "eval_accuracy": 0.5}

CROSSING = {"level": 0.25, "lower": 0.2, "upper": 0.25, "epoch": 1.0, "source": "accordance"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    card = new_card(task="sst2", method="flooding-x", seed=0, encoder="embedded")
    card["accordance"] = CROSSING
    card.update(flood_level=0.25, flood_level_source="accordance")
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
        assert "flood level b (accordance) = 0.25" in svg
        assert "search range" in svg
        drawn.append(svg.count("<use "))  # a marker or a tick each
    assert drawn[1] == drawn[0] + 1


@pytest.mark.parametrize(
    ("method", "part", "source", "name"),
    [
        ("finetune", {"accordance": CROSSING}, None, "level at the crossing = 0.25"),
        ("flooding", {"accordance": CROSSING}, "fixed", "level at the crossing = 0.25"),
        ("flooding-search", {"search": {"bounds": CROSSING}}, "search", "level at the crossing ="),
        (
            "flooding-search",
            {"search": {"bounds": {**CROSSING, "source": "fallback"}}},
            "search",
            "level of the fallback = 0.25",
        ),
    ],
    ids=["fine-tuning", "fixed level", "search", "search, fallback"],
)
def test_a_level_that_the_run_was_not_flooded_at(tmp_path, method, part, source, name):
    card = new_card(task="sst2", method=method, seed=0, encoder="embedded")
    card.update(flood_level_source=source, **part)
    run = Run(tmp_path, card)
    write(run, {**LINE, "epoch": 0.5}, {**LINE, "epoch": 1.5, "accordance": 0.1})
    svg = accordance_curves(run, "a")
    assert svg is not None
    assert name in svg
    assert "search range" in svg
    assert "flood level b" not in svg


def test_a_sub_epoch_without_evaluation_is_left_out_of_that_line(run):
    drawn = []
    for eval_loss in (0.7, None):
        write(run, *({**LINE, "epoch": epoch, "eval_loss": eval_loss} for epoch in (0.5, 1.0)))
        svg = accordance_curves(run, "a")
        assert svg is not None
        drawn.append(len(re.findall(r'<path d="M[^>]*#d55e00', svg)))
    assert drawn == [2, 1]  # the line, and its sample in the legend


def test_undefined_everywhere_is_no_figure(run):
    write(run, {**LINE, "epoch": 0.5, "accordance": None})
    assert accordance_curves(run, "a") is None


def test_an_accordance_that_is_no_number_is_named(run):
    write(run, {**LINE, "epoch": 0.5}, {**LINE, "epoch": 1.0, "accordance": "-0.3"})
    with pytest.raises(UserError, match=r"accordance\.jsonl, line 2: accordance: '-0\.3'"):
        accordance_curves(run, "a")


def test_a_line_without_a_loss_is_named(run):
    write(run, {"step": 1, "epoch": 0.5, "accordance": 0.1, "eval_loss": 0.2})
    with pytest.raises(UserError, match=r"accordance\.jsonl, line 1: train_loss: None"):
        accordance_curves(run, "a")
