"""Samples attacked side by side in this process."""

import contextlib
import math
from collections.abc import Generator, Iterable, Sequence
from functools import partial
from typing import Any

from mindflood.attack.driver.own_copy import remembered_words
from mindflood.attack.driver.sample import SampleAttacker, words_of
from mindflood.attack.searches import PlannedSearch, run_searches

Sample = tuple[int, Sequence[str], int]  # row, texts, label
Records = Generator[dict[str, Any], None, None]

_AT_ONCE = {"cpu": 16, "cuda": 64}  # samples: with more, no batch is fuller
_WORDS_AT_ONCE = {"cpu": 1024, "cuda": 2**14}  # of all samples in work, for their memory


def attack_here(
    attacker: SampleAttacker, samples: Iterable[Sample], at_once: int | None = None
) -> Records:
    """Records of ``samples``, each as it is finished, with ``seconds``: the sample's share.

    Args:
        at_once: most samples in work; None takes what suits the victim's device.
    """
    device = attacker.victim.device.type
    searches = run_searches(
        (PlannedSearch(partial(attacker, *sample), words_of(sample[1])) for sample in samples),
        at_once=at_once or suited(attacker),
        max_size=_WORDS_AT_ONCE.get(device, _WORDS_AT_ONCE["cpu"]),
        max_seconds=attacker.settings.max_seconds or math.inf,
    )
    with remembered_words(), contextlib.closing(searches):
        for search in searches:
            yield search.result | {"seconds": round(search.seconds, 4)}


def suited(attacker: SampleAttacker) -> int:
    """Number of samples in work that suits the victim's device."""
    return _AT_ONCE.get(attacker.victim.device.type, _AT_ONCE["cpu"])
