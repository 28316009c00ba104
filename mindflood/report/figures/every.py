"""The figures of the page: of one run, and of all runs of a folder beside each other.

Each is one function: from a run folder to SVG, or to None where the run has not the files; from the
cards to pairs of title and SVG. ``FIGURES`` and ``COMPARISONS`` name them in the order of the page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mindflood.cards.cards import Card, Run
from mindflood.report.figures.accordance import accordance_curves
from mindflood.report.figures.epochs import epoch_curves
from mindflood.report.figures.noise import noise_curves
from mindflood.report.figures.sweep import sweeps
from mindflood.report.figures.training import training_curves
from mindflood.report.figures.transfer import transfer_maps

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


Draw = Callable[[Sequence[Card], str], Iterator[tuple[str, str]]]

COMPARISONS: dict[str, tuple[str, Draw]] = {
    "sweep": ("Accuracy under attack against the flood level", sweeps),
    "noise": ("Loss under Gaussian noise in the word embeddings", noise_curves),
    "epochs": ("Loss and accuracy under attack over the epochs", epoch_curves),
    "transfer": ("Adversarial texts of one model that fool another", transfer_maps),
}


def comparisons(cards: Sequence[Card]) -> list[tuple[str, Drawn]]:
    """Title and figure of every comparison that the cards allow."""
    return [
        (title, Drawn(kind, description, svg))
        for kind, (description, draw) in COMPARISONS.items()
        for title, svg in draw(cards, f"comparison-{kind}")
    ]
