"""The figures of single rows, from the files of run folders."""

import itertools
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mindflood.cards.cards import Run, find_runs
from mindflood.errors import UserError
from mindflood.report.figures import rows
from mindflood.report.figures.losses import loss_curves
from mindflood.report.figures.rows import climbing_curves, row_losses
from mindflood.report.figures.svg import PALETTE
from mindflood.report.numbers.aggregate import costs
from mindflood.report.tables.held_out import held_out_table
from mindflood.report.tables.layout import text_of
from tests.conftest import ROOT
from tests.unit.report_runs import a_card

ADAFLOOD = {
    "folds": 3, "gamma": 0.5, "encoder": "embedded", "seconds": 90.0, "loss": 0.4,
    "accuracy": 0.8, "levels": [0.0, 0.1, 0.2, 0.3, 0.6],
}  # fmt: skip


def a_run(folder: Path, name: str, trace: list[dict], losses: list[dict], **changes: Any) -> Run:
    path = folder / name
    path.mkdir()
    for file, records in (("trace.jsonl", trace), ("row_losses.jsonl", losses)):
        (path / file).write_text("".join(json.dumps(record) + "\n" for record in records))
    return Run(path, a_card(changes.pop("method", name), **changes))


def steps(key: str, values: list[float | bool]) -> list[dict]:
    own = {} if key == "flooding" else {"flooding": False}
    return [{"epoch": float(at + 1), **own, key: value} for at, value in enumerate(values)]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def heights(svg: str, runs: int) -> list[list[float]]:
    """The points' heights of each line that is drawn, from the top, in the figure's points."""
    lines = re.findall(r'<path d="([^"]*)"[^>]*stroke-width: 1.2', svg)
    return [[float(y) for _, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", d)] for d in lines][:runs]


def test_the_share_of_rows_that_climb_is_drawn_for_each_flooded_run(tmp_path: Path) -> None:
    runs = [
        a_run(tmp_path, "finetune", steps("flooding", [False] * 3), []),
        a_run(tmp_path, "flooding", steps("flooding", [False] * 3), []),
        a_run(
            tmp_path, "iflood", steps("climbing", [1.0] * 3), [],
            flood_level=0.1, flood_level_source="fixed",
        ),
        a_run(tmp_path, "adaflood", steps("climbing", [0.5] * 3), [], adaflood=ADAFLOOD),
    ]  # fmt: skip
    [(title, svg)] = list(climbing_curves(runs, "a"))
    assert title == "SST-2, MiniLM-L6 (embedded)"
    shown = texts(svg)
    for words in (
        "Flooding, b = 0.05",
        "iFlood, b = 0.1",
        "AdaFlood",
        "rows below their level (%)",
    ):
        assert words in shown
    assert "Fine-tuning" not in shown
    mean, iflood, adaflood = (set(line) for line in heights(svg, 3))
    assert len(mean) == len(iflood) == len(adaflood) == 1  # level lines
    assert (min(mean) + min(iflood)) / 2 == pytest.approx(min(adaflood))  # at 0, 100 and 50 %


def test_without_a_flooded_run_no_share_is_drawn(tmp_path: Path) -> None:
    run = a_run(tmp_path, "finetune", steps("flooding", [False]), [])
    assert not list(climbing_curves([run], "a"))
    assert not list(climbing_curves([a_run(tmp_path, "flooding", [], [])], "a"))


def test_a_share_that_is_no_number_is_named(tmp_path: Path) -> None:
    broken = [*steps("climbing", [0.5]), {"epoch": 2.0}]
    run = a_run(tmp_path, "iflood", broken, [], flood_level=0.1, flood_level_source="fixed")
    with pytest.raises(UserError, match=r"trace.jsonl, record 2: expected a number under 'climb"):
        list(climbing_curves([run], "a"))


def line(loss: float, wrong: bool | None = None) -> dict:
    return {"row": 0, "loss": loss} | ({} if wrong is None else {"wrong_label": wrong})


def test_losses_of_rows_with_wrong_labels_stand_apart(tmp_path: Path, monkeypatch) -> None:
    drawn: list[np.ndarray] = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.stairs", lambda self, values, edges, **style: drawn.append(values)
    )
    noisy = [line(0.02, False), line(0.03, False), line(0.5, False), line(3.0, True)]
    runs = [
        a_run(tmp_path, "finetune", [], noisy),
        a_run(tmp_path, "iflood", [], [line(1e-9, False), line(99.0, True)]),
    ]
    [(title, svg)] = list(row_losses(runs, "a"))
    assert "mathdefault" not in svg  # the powers of ten of an axis, as TeX
    assert title == "SST-2, MiniLM-L6 (embedded)"
    assert {"rows (%), right labels", "rows (%), wrong labels"} <= set(texts(svg))
    edges = np.geomspace(rows._LEAST, rows._MOST, rows._BINS + 1)
    expected = [[0.02, 0.03, 0.5], [rows._LEAST], [3.0], [rows._MOST]]
    for found, losses in zip(drawn, expected, strict=True):
        counts = np.array(
            [sum(lo <= x < hi for x in losses) for lo, hi in itertools.pairwise(edges)]
        )
        counts[-1] += losses == [rows._MOST]
        np.testing.assert_allclose(found, 100 * counts / len(losses))


def test_losses_without_known_labels_have_one_panel(tmp_path: Path) -> None:
    [(_, svg)] = list(row_losses([a_run(tmp_path, "softad", [], [line(0.1), line(0.2)])], "a"))
    assert "rows (%)" in texts(svg)
    assert "SoftAD" in texts(svg)
    assert not any("labels" in text for text in texts(svg))


def test_long_names_leave_the_curves_their_place(tmp_path: Path) -> None:
    how = {"training.group_by_length": True, "training.learning_rate": 2e-5}
    runs = []
    for number, batch_size in enumerate((16, 32)):
        (tmp_path / str(number)).mkdir()
        settings = {**how, "training.batch_size": batch_size, "training.epochs": batch_size}
        losses = [line(0.1), line(0.2)]
        runs.append(
            a_run(
                tmp_path / str(number), "flooding", [], losses, settings=settings, flood_level=0.1
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, where the legend takes all of the width
        ((_, svg),) = row_losses(runs, "a")
    shown = " ".join(texts(svg))
    assert "training.batch_size = 16" in shown
    assert "training.epochs = 32" in shown
    assert max(map(len, texts(svg))) <= 44


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([line(0.1), {"row": 1}], "record 2: expected a number under 'loss'"),
        ([line(0.1, True), line(0.2)], "expected true or false under 'wrong_label' in every line"),
    ],
)
def test_a_broken_file_of_losses_is_named(tmp_path: Path, losses: list, message: str) -> None:
    run = a_run(tmp_path, "iflood", [], losses)
    with pytest.raises(UserError, match=message):
        list(row_losses([run], "a"))


def test_auxiliary_models_are_part_of_the_training_time() -> None:
    [cost] = costs([a_card("adaflood", adaflood=ADAFLOOD)])
    assert cost.whole is not None
    assert cost.whole.mean == 490.0


def test_what_training_left_is_a_table() -> None:
    losses = {"rows": 320, "mean": 0.2, "right_labels": 0.1, "wrong_labels": 1.4}
    measured = {"clean_loss": 0.5, "clean_calibration_error": 0.125}
    cards = [
        a_card("finetune", seed, **measured, training_losses={**losses, "mean": mean})
        for seed, mean in ((0, 0.1), (1, 0.3))
    ]
    level = {"flood_level": 0.1, "flood_level_source": "fixed"}
    cards += [
        a_card("iflood", **level, **measured, training_losses={**losses, "below_level": 0.25})
    ]
    cards += [
        a_card("adaflood", **measured, adaflood=ADAFLOOD),
        a_card("flooding"),
    ]  # an older card
    table = held_out_table(cards)
    names = [column.name for column in table.columns]
    found = {
        row.cells[2]: dict(zip(names, map(text_of, row.cells), strict=True)) for row in table.rows
    }
    assert list(found) == ["Fine-tuning", "iFlood", "AdaFlood"]
    plain, iflood, adaflood = found.values()
    assert plain["Training loss"].startswith("0.200 ± ")
    assert (plain["Test loss"], plain["ECE%"]) == ("0.500 ± 0.000", "12.5 ± 0.0")
    assert (iflood["b"], iflood["Below b%"], iflood["Wrong labels"]) == ("0.100", "25.0", "1.400")
    assert (adaflood["b"], adaflood["Auxiliary (s)"], adaflood["Right labels"]) == ("–", "90", "–")
    assert plain["Seeds"] == "2"
    assert not held_out_table([a_card("flooding")]).rows


def test_more_settings_than_colours_are_told_apart() -> None:
    runs = find_runs(ROOT / "results" / "flooding_family")  # nine settings, of which eight flood
    for figures, settings in ((climbing_curves, 8), (row_losses, 9), (loss_curves, 9)):
        ((_, svg),) = figures(runs, "f")
        found = set()
        for style in re.findall(r'style="([^"]+)"', svg):
            parts = dict(part.split(": ", 1) for part in style.split("; ") if ": " in part)
            if parts.get("stroke", "").upper() in PALETTE:
                found.add((parts["stroke"], "stroke-dasharray" in parts))
        assert len(found) >= settings
