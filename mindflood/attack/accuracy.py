"""How often a model is right before any attack."""

from typing import Any

from mindflood.attack.metrics import percent
from mindflood.data.sources import Examples
from mindflood.progress import Display

_AT_ONCE = 512  # texts between two looks at the progress: enough for full batches


def clean_accuracy(victim: Any, examples: Examples) -> float:
    """Share of ``examples`` that ``victim`` classifies right; shows how far it has come.

    Args:
        victim: a :class:`mindflood.attack.victim.Victim`.

    Raises:
        UserError: the model cannot be asked.
    """
    right = 0
    title = f"clean accuracy on {len(examples)} texts"
    with Display(title, len(examples), 0, seconds_between_lines=30) as progress, victim.asked():
        for start in range(0, len(examples), _AT_ONCE):
            some = examples.take(range(start, min(start + _AT_ONCE, len(examples))))
            texts = [row[0] if len(row) == 1 else row for row in some.texts]
            right += int((victim(texts).argmax(dim=1).numpy() == some.labels).sum())
            progress.advance(percent(right / (start + len(some))), len(some))
    return right / len(examples)
