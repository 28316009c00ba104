"""Gradient accordance beside the losses of a run, the crossing marked (Flooding-X Figure 3)."""

import math
from typing import TYPE_CHECKING

from mindflood.cards.cards import Card, Run, probe_findings
from mindflood.files import read_json_lines
from mindflood.flooding.sub_epoch import SubEpoch
from mindflood.report.figures.svg import BLUE, GREEN, GREY, ORANGE, VERMILION, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def accordance_curves(run: Run, name: str) -> str | None:
    """Accordance, training and evaluation loss by epoch; None where the run was not probed.

    Sub-epochs without an accordance (one class, one batch) are left out. The band is the search
    range, between the training losses on the two sides of the crossing.

    Raises:
        UserError: a line of ``accordance.jsonl`` lacks a key or holds no finite number.
    """
    path = run.folder / "accordance.jsonl"
    sub_epochs = [
        SubEpoch.from_record(record, index, f"{path}, line {index + 1}")
        for index, record in enumerate(read_json_lines(path))
    ]
    measured = [(one.epoch, one.accordance) for one in sub_epochs if one.accordance is not None]

    def draw(figure: "Figure") -> None:
        accordance, loss = figure.subplots(2, 1, sharex=True)
        accordance.axhline(0, color=GREY, linestyle="--", linewidth=1)
        accordance.plot(*zip(*measured, strict=True), color=GREEN, marker="o", markersize=4)
        accordance.set_ylabel("gradient accordance")
        epochs = [one.epoch for one in sub_epochs]
        training = [one.train_loss for one in sub_epochs]
        evaluation = [math.nan if one.eval_loss is None else one.eval_loss for one in sub_epochs]
        loss.plot(epochs, training, color=BLUE, label="training loss J")
        loss.plot(epochs, evaluation, color=VERMILION, label="evaluation loss")
        loss.set_ylabel("loss (nats)")
        loss.set_xlabel("epoch")
        loss.set_ylim(bottom=0)
        _mark_level(run, loss, accordance)
        figure.legend(loc="outside upper left", ncols=2, fontsize=9)

    return to_svg(draw, name) if measured else None


def _mark_level(run: Run, loss: "Axes", accordance: "Axes") -> None:
    """The chosen level, its range and the sub-epoch that it comes from."""
    found = probe_findings(run.card)
    if "level" not in found:
        return
    loss.axhspan(found["lower"], found["upper"], color=ORANGE, alpha=0.25, label="search range")
    level = f"{_level_name(run.card, found['source'])} = {found['level']:.3g}"
    loss.axhline(found["level"], color=ORANGE, linestyle="--", label=level)
    for axes in (loss, accordance):
        axes.axvline(found["epoch"], color=GREY, linewidth=1)


def _level_name(card: Card, source: str) -> str:
    """What the level is to the run: most were flooded at it, others have only recorded it."""
    if card["flood_level_source"] == source:
        return f"flood level b ({source})"
    return "level of the fallback" if source == "fallback" else "level at the crossing"
