"""The figures of a run.

Each is one function from a run folder to SVG, or to None where the run has not the files;
``FIGURES`` names them in the order of the page.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mindflood.report.accordance_figure import accordance_curves
from mindflood.report.cards import Run
from mindflood.report.figures import training_curves

FIGURES: dict[str, tuple[str, Callable[[Run, str], str | None]]] = {
    "training": ("Loss and accuracy during training", training_curves),
    "accordance": ("Gradient accordance and the flood level it gave", accordance_curves),
}


@dataclass(frozen=True)
class Drawn:
    """One figure: its kind, what it shows in words, and the SVG."""

    kind: str
    description: str
    svg: str


def figures(run: Run, name: str) -> list[Drawn]:
    """Every figure that the run's files allow; ``name`` makes the SVG's ids its own.

    Raises:
        UserError: a line of a trace lacks a key or holds something else than a number.
    """
    found = []
    for kind, (description, draw) in FIGURES.items():
        svg = draw(run, f"{name}-{kind}")
        if svg is not None:
            found.append(Drawn(kind, description, svg))
    return found
