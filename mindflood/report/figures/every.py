"""The figures of the page: of one run, and of all runs of a folder beside each other.

Each is one function: from a run folder to SVG, or to None where the run has not the files; from the
runs to pairs of title and SVG. ``FIGURES`` and ``COMPARISONS`` name them in the order of the page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mindflood.cards.cards import Card, Run
from mindflood.report.figures.accordance import accordance_curves
from mindflood.report.figures.epochs import epoch_curves
from mindflood.report.figures.losses import loss_curves
from mindflood.report.figures.neurons import neuron_maps
from mindflood.report.figures.noise import noise_curves
from mindflood.report.figures.rows import climbing_curves, row_losses
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


_Figures = Iterator[tuple[str, str]]


def _of_cards(
    draw: Callable[[Sequence[Card], str], _Figures],
) -> Callable[[Sequence[Run], str], _Figures]:
    return lambda runs, name: draw([run.card for run in runs], name)


COMPARISONS: dict[str, tuple[str, Callable[[Sequence[Run], str], _Figures]]] = {
    "losses": ("Loss of all methods over the epochs", loss_curves),
    "climbing": ("Rows below their flood level over the epochs", climbing_curves),
    "rows": ("Losses of the training rows at the end", row_losses),
    "sweep": ("Accuracy under attack against the flood level", _of_cards(sweeps)),
    "noise": ("Loss under Gaussian noise in the word embeddings", _of_cards(noise_curves)),
    "epochs": ("Loss and accuracy under attack over the epochs", _of_cards(epoch_curves)),
    "transfer": ("Adversarial texts of one model that fool another", _of_cards(transfer_maps)),
    "neurons": ("Neurons of each tag by layer", _of_cards(neuron_maps)),
}


def comparisons(runs: Sequence[Run]) -> list[tuple[str, Drawn]]:
    """Title and figure of every comparison that the runs allow.

    Raises:
        UserError: as :func:`figures`.
    """
    return [
        (title, Drawn(kind, description, svg))
        for kind, (description, draw) in COMPARISONS.items()
        for title, svg in draw(runs, f"comparison-{kind}")
    ]
