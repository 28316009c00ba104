"""The training curves of one run: loss and accuracy over the steps, and when flooding was on."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mindflood.cards.cards import Card, Run
from mindflood.errors import UserError
from mindflood.files import read_json_lines
from mindflood.report.figures.svg import BLUE, GREEN, ORANGE, VERMILION, legend_above, to_svg
from mindflood.report.numbers.units import loss_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 800


def training_curves(run: Run, name: str) -> str | None:
    """Loss and accuracy over the training steps of one run; None without a trace."""
    trace = read_series(run.folder / "trace.jsonl", ("step", "loss", "flooding"))
    path = run.folder / "evaluations.jsonl"
    evaluations, shown = read_series(path, ("step", "eval_loss")), _shown(path)
    if not trace["step"]:
        return None

    def draw(figure: "Figure") -> None:
        loss, accuracy = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
        _draw_loss(loss, trace, evaluations, run.card)
        accuracy.plot(evaluations["step"], shown[1], color=GREEN, marker="o", markersize=4)
        accuracy.set_ylabel(shown[0])
        accuracy.set_xlabel("training step")
        accuracy.locator_params(axis="x", integer=True)
        accuracy.set_xlim(0, max([1.0, *trace["step"], *evaluations["step"]]))

    return to_svg(draw, name)


def _shown(path: Path) -> tuple[str, list[float]]:
    """Accuracy in percent, or of a regression its first metric; undefined ones are NaN.

    Raises:
        UserError: neither is there.
    """
    records = [record for record in read_json_lines(path) if isinstance(record, dict)]
    regression = [record for record in records if _is_of_numbers(record)]
    if not regression or len(regression) < len(records):
        percent = read_series(path, ("eval_accuracy",))["eval_accuracy"]
        return "accuracy (%)", [100 * value for value in percent]
    name = next(iter(regression[0]["eval_metrics"]))
    values = [record["eval_metrics"].get(name) for record in regression]
    return name, [float(v) if isinstance(v, int | float) else math.nan for v in values]


def _is_of_numbers(record: dict[str, Any]) -> bool:
    """Whether an evaluation is one of a regression, which has no accuracy."""
    return isinstance(record.get("eval_metrics"), dict) and record.get("eval_accuracy") is None


def _draw_loss(
    axes: "Axes",
    trace: dict[str, list[float]],
    evaluations: dict[str, list[float]],
    card: Card,
) -> None:
    steps, loss = thinned(trace["step"], trace["loss"])
    axes.plot(steps, loss, color=BLUE, linewidth=0.8, alpha=0.5, label="training loss J")
    axes.plot(
        trace["step"], smoothed(trace["loss"]), color=BLUE, linewidth=1.6, label="J, smoothed"
    )
    if evaluations["step"]:
        axes.plot(
            evaluations["step"],
            evaluations["eval_loss"],
            color=VERMILION,
            marker="s",
            markersize=4,
            label="evaluation loss",
        )
    if (level := card["flood_level"]) is not None:
        axes.axhline(level, color=ORANGE, linestyle="--", label=f"flood level b = {level:.3g}")
    flooded = _spans(trace["step"], trace["flooding"])
    if flooded:
        bottom = axes.get_xaxis_transform()
        label = "flooding on (J < b)"
        axes.broken_barh(flooded, (0, 0.03), transform=bottom, color=ORANGE, label=label)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"loss ({loss_unit(card)})")
    legend_above(axes)


def read_series(path: Path, keys: Sequence[str], *, finite: bool = False) -> dict[str, list[float]]:
    """Columns of a JSON-lines file, one list a key, lines in their order; empty without a file.

    Raises:
        UserError: a line lacks a key or its value is not a number, or, where it must be
            ``finite``, is NaN or an infinity.
    """
    series: dict[str, list[float]] = {key: [] for key in keys}
    for number, record in enumerate(read_json_lines(path, finite=finite), start=1):
        for key in keys:
            value: Any = record.get(key) if isinstance(record, dict) else None
            if not isinstance(value, int | float):
                raise UserError(f"{path}, record {number}: expected a number under '{key}'")
            series[key].append(float(value) if math.isfinite(value) else math.nan)
    return series


def thinned(
    steps: Sequence[float], values: Sequence[float], most: int = _MOST_POINTS
) -> tuple[list[float], list[float]]:
    """At most ``most`` points (2 or more) with every bin's lowest and highest value kept."""
    if len(steps) <= most:
        return list(steps), list(values)
    width = math.ceil(len(steps) / (most // 2))
    kept: list[int] = []
    for start in range(0, len(steps), width):
        places = range(start, min(start + width, len(steps)))
        finite = [at for at in places if not math.isnan(values[at])] or [start]
        kept += sorted({min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)})
    return [steps[at] for at in kept], [values[at] for at in kept]


def smoothed(values: Sequence[float]) -> list[float]:
    """Exponential moving average; its span is a fiftieth of the run, five steps at least."""
    import pandas as pd

    span = max(5.0, len(values) / 50)
    averages: list[float] = pd.Series(list(values), dtype=float).ewm(span=span).mean().tolist()
    return averages


def _spans(steps: Sequence[float], on: Sequence[float]) -> list[tuple[float, float]]:
    """``(first step, width)`` of each run of logged steps that are on."""
    edges = [*steps, 2 * steps[-1] - steps[-2] if len(steps) > 1 else steps[-1] + 1]
    spans: list[tuple[float, float]] = []
    for at, is_on in enumerate(on):
        if is_on != 1:
            continue
        start, end = edges[at], edges[at + 1]
        if spans and spans[-1][0] + spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end - spans[-1][0])
        else:
            spans.append((start, end - start))
    return spans
