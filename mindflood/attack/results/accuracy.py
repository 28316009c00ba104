"""What a model answers before any attack, and how often it is right."""

from typing import Any

import numpy as np

from mindflood.attack.results.metrics import percent
from mindflood.data.sources import Examples
from mindflood.progress import Display

_AT_ONCE = 512  # texts between two looks at the progress: enough for full batches


def predictions(victim: Any, examples: Examples) -> np.ndarray:
    """The class that ``victim`` answers to each example; shows how far it has come.

    Args:
        victim: a :class:`mindflood.attack.victim.wrapper.Victim`.

    Returns:
        int64 ``[n]``.

    Raises:
        UserError: the model cannot be asked.
    """
    found = np.empty(len(examples), np.int64)
    title = f"clean accuracy on {len(examples)} texts"
    with Display(title, len(examples), 0, seconds_between_lines=30) as progress, victim.asked():
        for start in range(0, len(examples), _AT_ONCE):
            end = min(start + _AT_ONCE, len(examples))
            rows = examples.texts[start:end]
            texts = [row[0] if len(row) == 1 else row for row in rows]
            found[start:end] = victim(texts).argmax(dim=1).numpy()
            right = float(np.mean(found[:end] == examples.labels[:end]))
            progress.advance(percent(right), end - start)
    return found
