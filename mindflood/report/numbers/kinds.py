"""Which kind of task a card is of."""

from mindflood.cards.cards import Card
from mindflood.data.tasks import TASKS
from mindflood.kinds import Kind


def kind_of(card: Card) -> Kind:
    """That of its named task; a user's own data are always classes."""
    task = TASKS.get(card["task"])
    return "classification" if task is None else task.kind
