"""Gradient accordance beside the losses of a run, the crossing marked (Flooding-X Figure 3)."""

from typing import TYPE_CHECKING

from mindflood.files import read_json_lines
from mindflood.report.cards import Run
from mindflood.report.figures import BLUE, GREEN, GREY, ORANGE, VERMILION, read_series, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def accordance_curves(run: Run, name: str) -> str | None:
    """Accordance, training and evaluation loss by epoch; None where the run was not probed.

    Sub-epochs without an accordance (one class, one batch) are left out. The band is the search
    range, between the training losses on the two sides of the crossing.

    Raises:
        UserError: a line of ``accordance.jsonl`` lacks a key or holds no number.
    """
    path = run.folder / "accordance.jsonl"
    losses = read_series(path, ("epoch", "train_loss", "eval_loss"))
    if not losses["epoch"]:
        return None
    measured = [
        (record["epoch"], record["accordance"])
        for record in read_json_lines(path)
        if record.get("accordance") is not None
    ]

    def draw(figure: "Figure") -> None:
        accordance, loss = figure.subplots(2, 1, sharex=True)
        accordance.axhline(0, color=GREY, linestyle="--", linewidth=1)
        accordance.plot(*zip(*measured, strict=True), color=GREEN, marker="o", markersize=4)
        accordance.set_ylabel("gradient accordance")
        epochs = losses["epoch"]
        loss.plot(epochs, losses["train_loss"], color=BLUE, label="training loss J")
        loss.plot(epochs, losses["eval_loss"], color=VERMILION, label="evaluation loss")
        loss.set_ylabel("loss (nats)")
        loss.set_xlabel("epoch")
        loss.set_ylim(bottom=0)
        _mark_level(run, loss, accordance)
        loss.legend(fontsize=9)

    return to_svg(draw, name) if measured else None


def _mark_level(run: Run, loss: "Axes", accordance: "Axes") -> None:
    """The chosen level, its range and the sub-epoch that it comes from."""
    found = run.card.get("accordance", {})
    if "level" not in found:
        return
    loss.axhspan(found["lower"], found["upper"], color=ORANGE, alpha=0.25, label="search range")
    level = f"flood level b = {found['level']:.3g} ({found['source']})"
    loss.axhline(found["level"], color=ORANGE, linestyle="--", label=level)
    for axes in (loss, accordance):
        axes.axvline(found["epoch"], color=GREY, linewidth=1)
