"""Loss under Gaussian noise in the embeddings, a line a method (Flooding-X Figure 1)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mindflood.cards.cards import Card
from mindflood.report.figures.conditions import setting_label
from mindflood.report.figures.svg import legend_above, look, to_svg
from mindflood.report.numbers.aggregate import by_setting
from mindflood.report.numbers.names import TASKS, encoder_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def noise_curves(cards: Sequence[Card], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each set of cards whose losses compare: same rows, same noise."""
    found: dict[tuple[object, ...], list[Card]] = {}
    for card in cards:
        if noise := card.get("analyses", {}).get("noise"):
            shared = (noise["num_examples"], noise["draws"], noise["seed"], *noise["alpha"])
            found.setdefault((card["task"], card["encoder"], *shared), []).append(card)
    for number, ((task, encoder, examples, *_), members) in enumerate(found.items()):
        title = f"{TASKS.get(str(task), task)}, {encoder_name(str(encoder))}, {examples} examples"
        yield title, to_svg(_drawing(members), f"{name}-{number}", height=3.6)


def _drawing(cards: Sequence[Card]) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for place, (setting, members) in enumerate(by_setting(cards).items()):
            measured = [card["analyses"]["noise"] for card in members]
            axes.plot(
                measured[0]["alpha"], np.mean([noise["loss"] for noise in measured], axis=0),
                **look(place), marker="o", markersize=3,
                label=setting_label(setting),
            )  # fmt: skip
        axes.set_xlabel("standard deviation α of the noise")
        axes.set_ylabel("mean loss (nats)")
        axes.set_ylim(bottom=0)
        legend_above(axes)

    return draw
