"""Loss and accuracy under attack over the epochs, a line a method (Flooding-X Figure 4)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mindflood.cards.cards import Card, Epoch
from mindflood.report.figures.conditions import (
    Condition,
    by_condition,
    draw_robust,
    matching,
    setting_label,
)
from mindflood.report.figures.svg import GREY, PALETTE, legend_above, to_svg
from mindflood.report.numbers.aggregate import attacked, by_setting
from mindflood.report.numbers.units import loss_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Loss = Literal["train_loss", "eval_loss"]
_LINES: dict[_Loss, tuple[str, str]] = {
    "train_loss": ("training loss J", "-"),
    "eval_loss": ("evaluation loss", ":"),
}

_ASIDE = 0.06  # of an epoch, so that the methods' bars do not hide each other


def epoch_curves(cards: Sequence[Card], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each condition under which the models of single epochs were attacked.

    Seeds of a setting are averaged, epoch by epoch.
    """
    conditions = by_condition(
        cards, lambda card: [epoch["attacks"] for epoch in card.get("epochs", [])]
    )
    for number, (condition, members) in enumerate(conditions.items()):
        svg = to_svg(_drawing(members, condition), f"{name}-{number}", height=5.6)
        yield condition.titled(cards), svg


def _drawing(cards: Sequence[Card], condition: Condition) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        loss, robust = figure.subplots(2, 1, sharex=True)
        settings = by_setting(cards)
        for place, (setting, members) in enumerate(settings.items()):
            colour = PALETTE[place % len(PALETTE)]
            aside = _ASIDE * (place - (len(settings) - 1) / 2)
            epochs = _by_epoch(members)
            for key, (_, line) in _LINES.items():
                _draw_loss(loss, epochs, key, color=colour, linestyle=line)
            _draw_robust(
                robust, epochs, condition, aside, color=colour, label=setting_label(setting)
            )
        for name, line in _LINES.values():
            loss.plot([], [], color=GREY, linestyle=line, label=name)
        loss.set_ylabel(f"loss ({loss_unit(cards[0])})")
        loss.set_ylim(bottom=0)
        robust.set_ylabel("accuracy under attack (%)")
        robust.set_ylim(bottom=0)
        robust.set_xlabel("epoch")
        robust.locator_params(axis="x", integer=True)
        for axes in (loss, robust):
            legend_above(axes)

    return draw


def _by_epoch(cards: Sequence[Card]) -> dict[int, list[Epoch]]:
    """What the seeds of a setting have for each epoch, epochs ascending."""
    found: dict[int, list[Epoch]] = {}
    for record in (record for card in cards for record in card.get("epochs", [])):
        found.setdefault(record["epoch"], []).append(record)
    return dict(sorted(found.items()))


def _draw_loss(axes: "Axes", epochs: dict[int, list[Epoch]], key: _Loss, **style: Any) -> None:
    means = {
        epoch: float(np.mean(values))
        for epoch, records in epochs.items()
        if (values := [value for record in records if (value := record[key]) is not None])
    }
    axes.plot(list(means), list(means.values()), **style)


def _draw_robust(
    axes: "Axes",
    epochs: dict[int, list[Epoch]],
    condition: Condition,
    aside: float,
    **style: Any,
) -> None:
    measured = {
        epoch: attacked(summaries)
        for epoch, records in epochs.items()
        if (summaries := [s for record in records if (s := matching(record["attacks"], condition))])
    }
    at = [epoch + aside for epoch in measured]
    draw_robust(axes, at, list(measured.values()), marker="o", markersize=4, **style)
