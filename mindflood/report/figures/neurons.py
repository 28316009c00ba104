"""Where in the network the neurons of each tag are: a panel a method, a line a tag."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mindflood.cards.cards import Card
from mindflood.report.figures.conditions import setting_label
from mindflood.report.figures.svg import to_svg
from mindflood.report.numbers.names import TASKS, encoder_name
from mindflood.report.numbers.neurons import Compared, carriers, compared

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TAGS = 20  # the commonest: a reader compares no more lines
_SIDE_BY_SIDE = 2
_DARK = 0.55  # of the largest count: above it a white number is read better


def neuron_maps(cards: Sequence[Card], name: str) -> Iterator[tuple[str, str]]:
    """Title and SVG of each set of analyses that compare."""
    for number, one in enumerate(compared(cards)):
        title = (
            f"{TASKS.get(one.task, one.task)}, {encoder_name(one.encoder)}: neurons that carry "
            f"{100 * one.any['share']:g} % of a tag's weight"
        )
        lines = -(-len(one.methods) // _SIDE_BY_SIDE)
        height = lines * (0.19 * len(one.tags[:_TAGS]) + 0.7) + 0.5
        variant = f" ({one.variant})" if one.variant else ""
        yield title + variant, to_svg(_drawing(one), f"{name}-{number}", height=height)


def _drawing(one: Compared) -> Callable[["Figure"], None]:
    def draw(figure: "Figure") -> None:
        tags = one.tags[:_TAGS]
        counts, means = {}, {}
        for setting, seeds in one.methods.items():
            found = [of for _, of in seeds]
            label = setting_label(setting)
            counts[label] = np.mean(
                [[of["tags"][tag]["by_layer"] for tag in tags] for of in found], axis=0
            )
            means[label] = np.mean([carriers(of) for of in found])
        largest = max(float(each.max()) for each in counts.values())
        lines = -(-len(counts) // _SIDE_BY_SIDE)
        panels = figure.subplots(
            lines, min(len(counts), _SIDE_BY_SIDE), sharex=True, sharey=True, squeeze=False
        )
        layers = ["emb.", *map(str, range(1, one.any["layers"]))]
        for axes, (label, each) in zip(panels.flat, counts.items(), strict=False):
            axes.imshow(
                np.where(each > 0, each, np.nan),
                cmap="cividis_r",
                vmin=0,
                vmax=largest,
                aspect="auto",
            )
            for row, column in np.argwhere(each > 0):
                value = each[row, column]
                axes.text(
                    column, row, f"{value:.2g}", ha="center", va="center", fontsize=6,
                    color="white" if value > _DARK * largest else "black",
                )  # fmt: skip
            axes.set_title(f"{label}: {means[label]:.1f} a tag", fontsize=8)
            axes.set_xticks(range(len(layers)), layers, fontsize=7)
            axes.set_yticks(range(len(tags)), tags, fontsize=7)
            axes.grid(visible=False)
        for axes in panels.flat[len(counts) :]:
            axes.set_visible(False)
        figure.supxlabel("layer", fontsize=9)
        figure.supylabel(
            "tags, the commonest first"
            if len(tags) == len(one.tags)
            else f"the {len(tags)} commonest tags",
            fontsize=9,
        )

    return draw
