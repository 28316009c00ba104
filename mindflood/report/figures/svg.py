"""What all figures share: palette, style, and a figure as SVG text; equal numbers, equal bytes."""

import io
import re
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mindflood.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every common colour blindness, on light and dark.
BLUE, VERMILION, GREEN, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#8A8A8A"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9", GREY)
_DASHES = ("-", "--", ":")
_LETTERS = 44  # of a legend's font beside each other above the axes
_INK = "#123457"  # stands for the page's text colour until the SVG is written
_STYLE: Any = {  # matplotlib types each key
    "svg.hashsalt": "mindflood",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "text.parse_math": False,
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
    ),
}


def look(place: int) -> dict[str, Any]:
    """Colour and line of the setting ``place``, from 0; the first 21 are told apart."""
    dash = _DASHES[place // len(PALETTE) % len(_DASHES)]
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": dash}


def legend_above(axes: "Axes") -> None:
    """A legend above the axes, where no curve is: in two columns if its labels fit, else in one."""
    handles, labels = axes.get_legend_handles_labels()
    shown = [textwrap.fill(label, _LETTERS) for label in labels]
    half = (len(shown) + 1) // 2
    left, right = (max(map(len, part), default=0) for part in (shown[:half], shown[half:]))
    axes.legend(
        handles,
        shown,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2 if left + right <= _LETTERS else 1,
        fontsize=9,
        borderaxespad=0,
    )


def to_svg(draw: Callable[["Figure"], None], name: str, *, height: float = 4.4) -> str:
    """What ``draw`` puts on a figure, as an SVG element that can stand inside a page.

    Ids begin with ``name``, so that figures on one page do not take each other's parts; text and
    axes have the page's colour.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, height), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_alpha(0)
        draw(figure)
        for text in figure.findobj(Text):  # SVG with a control character is no XML
            text.set_text(visible(text.get_text()))
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing)
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    return re.sub(r'((?<=\bid=")|(?<=href="#)|(?<=url\(#))', f"{name}-", svg)
