"""Losses and flood levels carry the unit of the task's loss wherever the report shows them."""

import re
from pathlib import Path
from typing import Any

import pytest

from mindflood.cards.cards import Run, write_card
from mindflood.report.figures.epochs import epoch_curves
from mindflood.report.figures.losses import loss_curves
from mindflood.report.figures.rows import row_losses
from mindflood.report.figures.training import training_curves
from mindflood.report.numbers.units import loss_unit, loss_units
from mindflood.report.page import report
from mindflood.report.tables.held_out import held_out_table
from tests.unit.report_runs import a_card, an_attack, lines

SQUARED = "squared unit of the label"


def a_run(folder: Path, task: str, **changes: Any) -> Run:
    regression = task == "stsb"
    metrics = {"pearson": 0.5} if regression else {}
    card = a_card(
        "flooding", task=task, clean_accuracy=None if regression else 0.8, metrics=metrics,
        clean_loss=0.4, **changes,
    )  # fmt: skip
    write_card(folder / "card.json", card)
    steps = [{"step": n, "epoch": n / 2, "loss": 1 / n, "flooding": False} for n in (1, 2, 3)]
    lines(folder / "trace.jsonl", steps)
    measured = {"eval_metrics": metrics} if regression else {"eval_accuracy": 0.8}
    lines(folder / "evaluations.jsonl", [{"step": 2, "epoch": 1.0, "eval_loss": 0.7, **measured}])
    lines(folder / "row_losses.jsonl", [{"row": 0, "loss": 0.3}])
    return Run(folder, card)


@pytest.mark.parametrize(("task", "unit"), [("stsb", SQUARED), ("sst2", "nats"), ("mine", "nats")])
def test_every_figure_of_losses_names_the_unit_of_the_task(
    tmp_path: Path, task: str, unit: str
) -> None:
    runs = [a_run(tmp_path / str(seed), task, seed=seed) for seed in (0, 1)]
    assert loss_unit(runs[0].card) == unit
    [(_, losses)] = loss_curves(runs, "losses")
    [(_, rows)] = row_losses(runs, "rows")
    epoch = {
        "epoch": 1,
        "train_loss": 0.5,
        "eval_loss": 0.6,
        "attacks": {"pwws-offline": an_attack()},
    }
    [(_, epochs)] = epoch_curves([a_card(task=task, epochs=[epoch])], "epochs")
    drawn = {
        "training loss J": losses,
        "evaluation loss": losses,
        "training loss at the end": rows,
        "loss": epochs,
    }
    for name, svg in drawn.items():
        assert f">{name} ({unit})<" in svg, name
    assert f">loss ({unit})<" in str(training_curves(runs[0], "training"))
    assert f"Losses ({unit}) at the end" in held_out_table([run.card for run in runs]).notes[0]


def test_the_page_says_what_a_flood_level_is_measured_in(tmp_path: Path) -> None:
    a_run(tmp_path / "a", "stsb")
    page = report(tmp_path).read_text(encoding="utf-8")
    assert f"flood level, the training loss ({SQUARED}) below which" in page
    assert not re.search(r"\bnats\b", page)
    other = a_run(tmp_path / "b", "sst2")
    both = f"nats or, of a regression, {SQUARED}"
    assert both in report(tmp_path).read_text(encoding="utf-8")
    assert loss_units([other.card]) == "nats"
