"""Training and evaluation loss of all methods over the epochs, in one figure a task."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mindflood.cards.cards import Run
from mindflood.report.figures.conditions import setting_label
from mindflood.report.figures.svg import GREY, legend_above, look, to_svg
from mindflood.report.figures.training import read_series, smoothed, thinned
from mindflood.report.numbers.aggregate import by_setting
from mindflood.report.numbers.names import TASKS, encoder_name
from mindflood.report.numbers.units import loss_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Series = dict[str, list[float]]
_Drawn = tuple[Run, _Series, _Series]  # the run's trace, and its evaluations


def loss_curves(runs: Sequence[Run], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each task and encoder of which two runs or more have a trace.

    Raises:
        UserError: a line of a trace lacks a key or holds something else than a number.
    """
    found: dict[tuple[str, str], list[_Drawn]] = {}
    for run in runs:
        trace = read_series(run.folder / "trace.jsonl", ("epoch", "loss"))
        evaluations = read_series(run.folder / "evaluations.jsonl", ("epoch", "eval_loss"))
        if trace["epoch"]:
            what = (run.card["task"], run.card["encoder"])
            found.setdefault(what, []).append((run, trace, evaluations))
    several = [(what, members) for what, members in found.items() if len(members) > 1]
    for number, ((task, encoder), members) in enumerate(several):
        title = f"{TASKS.get(task, task)}, {encoder_name(encoder)}"
        yield title, to_svg(_drawing(members), f"{name}-{number}", height=6.0)


def _drawing(drawn: Sequence[_Drawn]) -> Callable[["Figure"], None]:
    by_card = {id(run.card): (trace, evaluations) for run, trace, evaluations in drawn}

    def draw(figure: "Figure") -> None:
        training, evaluation = figure.subplots(2, 1, sharex=True)
        settings = by_setting([run.card for run, *_ in drawn])
        for place, (setting, members) in enumerate(settings.items()):
            style = look(place)
            for seed, card in enumerate(members):
                trace, evaluations = by_card[id(card)]
                label = setting_label(setting) if seed == 0 else None
                _draw_seed(training, evaluation, trace, evaluations, label=label, **style)
            levels = {card["flood_level"] for card in members} - {None}
            for level in sorted(level for level in levels if level is not None):
                training.axhline(level, color=style["color"], linestyle="--", linewidth=1)
        if any(run.card["flood_level"] is not None for run, *_ in drawn):
            training.plot([], [], color=GREY, linestyle="--", linewidth=1, label="flood level b")
        unit = loss_unit(drawn[0][0].card)
        training.set_ylabel(f"training loss J ({unit})")
        evaluation.set_ylabel(f"evaluation loss ({unit})")
        evaluation.set_xlabel("epoch")
        for axes in (training, evaluation):
            axes.set_ylim(bottom=0)
        legend_above(training)

    return draw


def _draw_seed(
    training: "Axes", evaluation: "Axes", trace: _Series, evaluations: _Series, **style: Any
) -> None:
    """One run: its loss smoothed over the steps, and the evaluation after each epoch."""
    epochs, loss = thinned(trace["epoch"], smoothed(trace["loss"]))
    training.plot(epochs, loss, linewidth=1.2, alpha=0.85, **style)
    evaluation.plot(
        evaluations["epoch"], evaluations["eval_loss"],
        marker="o", markersize=3, linewidth=1.2, alpha=0.85, **style | {"label": None},
    )  # fmt: skip
