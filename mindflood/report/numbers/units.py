"""What the losses of a run are measured in, which decides what a flood level means."""

from collections.abc import Iterable

from mindflood.cards.cards import Card
from mindflood.report.numbers.kinds import kind_of


def loss_unit(card: Card) -> str:
    """Nats; of a regression, whose loss is the squared error, the label's unit squared."""
    return "squared unit of the label" if kind_of(card) == "regression" else "nats"


def loss_units(cards: Iterable[Card]) -> str:
    """:func:`loss_unit` of several: "nats or, of a regression, squared unit of the label"."""
    return " or, of a regression, ".join(sorted(set(map(loss_unit, cards)))) or "nats"
