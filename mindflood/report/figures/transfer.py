"""A heat map of transfers: how many of each model's adversarial texts fool each other model."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mindflood.cards.cards import Card
from mindflood.report.figures.svg import to_svg
from mindflood.report.tables.transfer import Transferred, matrices, sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DARK = 45  # percent: above it a white number is read better


def transfer_maps(cards: Sequence[Card], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each set of models whose texts were tried on each other."""
    for number, (title, members) in enumerate(matrices(cards)):
        size = max(3.2, 0.42 * len(sources(members)) + 1.8)
        yield title, to_svg(_drawing(members), f"{name}-{number}", height=size)


def _drawing(members: Sequence[Transferred]) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        labels = {one.name: one.label for one in members}
        names = sources(members)
        rates = [[one.rates.get(name) for one in members] for name in names]
        percent = np.array(
            [[np.nan if rate is None else 100 * rate[0] for rate in line] for line in rates]
        )
        shown = axes.imshow(percent, cmap="cividis_r", vmin=0, vmax=100, aspect="auto")
        for row, column in np.argwhere(~np.isnan(percent)):
            value = percent[row, column]
            axes.text(
                column, row, f"{value:.0f}", ha="center", va="center", fontsize=9,
                color="white" if value > _DARK else "black",
            )  # fmt: skip
        axes.set_xticks(
            range(len(members)), [one.label for one in members], rotation=45, ha="right"
        )
        axes.set_yticks(range(len(names)), [labels.get(name, name) for name in names])
        axes.tick_params(labelsize=8)
        axes.grid(visible=False)
        axes.set_xlabel("tried on")
        axes.set_ylabel("adversarial texts of")
        figure.colorbar(shown, label="fooled (%)")

    return draw
