"""Accuracy under attack and success rate from counts, with what undecided samples leave open.

A sample whose attack raised an error or ran out of its budget is undecided: it may or may not
break. A sample of which the attack had no candidate to try is in no rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDEST = 0.01  # a point: with bounds further apart a rate has no single number


@dataclass(frozen=True)
class Rate:
    """A share of the samples, between two bounds: fractions in [0, 1].

    Attributes:
        low, high: the rate if all undecided samples came out one way, and the other.
        decided: the rate over the decided samples; None where there is none.
    """

    low: float
    high: float
    decided: float | None

    @property
    def is_open(self) -> bool:
        """Whether the bounds are more than a point apart."""
        return round(self.high - self.low, 9) > WIDEST

    @property
    def number(self) -> float | None:
        """The rate over the decided samples, where the undecided ones could not move it far."""
        return None if self.is_open else self.decided

    @property
    def bounds(self) -> tuple[float, float]:
        """``(low, high)``."""
        return self.low, self.high


def undecided(counts: Mapping[str, Any]) -> int:
    """Samples whose attack raised an error or ran out of its budget."""
    return int(counts["errors"] + counts["out_of_budget"])


def untouched(counts: Mapping[str, Any]) -> int:
    """Samples of which no candidate was ever tried; older cards do not tell them."""
    return int(counts.get("untouched", 0))


def accuracy_under_attack(counts: Mapping[str, Any]) -> Rate | None:
    """Samples still right after the attack, of all that are not untouched.

    One that was wrong before the attack counts as wrong: whether it could have been touched is not
    known. None where nothing is left, or of the samples that were right before all are untouched.

    Args:
        counts: an attack's summary.
    """
    if untouched(counts) and not counts["failed"] + counts["succeeded"] + undecided(counts):
        return None
    return _rate(counts["failed"], counts["succeeded"] + counts["skipped"], undecided(counts))


def attack_success_rate(counts: Mapping[str, Any]) -> Rate | None:
    """Successful attacks, of the samples that were right before; None where there are none."""
    return _rate(counts["succeeded"], counts["failed"], undecided(counts))


def mean_rate(rates: Sequence[Rate]) -> Rate:
    """The mean over several seeds, its bounds the means of theirs."""
    known = [rate.decided for rate in rates if rate.decided is not None]
    return Rate(
        sum(rate.low for rate in rates) / len(rates),
        sum(rate.high for rate in rates) / len(rates),
        sum(known) / len(known) if known else None,
    )


def _rate(part: int, rest: int, unknown: int) -> Rate | None:
    decided, total = part + rest, part + rest + unknown
    if not total:
        return None
    return Rate(part / total, (part + unknown) / total, part / decided if decided else None)
