"""The figures that set the runs of a folder beside each other.

Each is one function from the cards to pairs of title and SVG, none where the cards do not allow it;
``COMPARISONS`` names them in the order of the page.
"""

from collections.abc import Callable, Iterator, Sequence

from mindflood.report.cards import Card
from mindflood.report.epochs_figure import epoch_curves
from mindflood.report.noise_figure import noise_curves
from mindflood.report.run_figures import Drawn
from mindflood.report.sweep_figure import sweeps
from mindflood.report.transfer_figure import transfer_maps

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
