"""How much more of the texts one method keeps than another, with a 95 % interval.

Let a text count 1 for a model that keeps it and, where people have read the model's successes and
found a share q of them to have changed the meaning, q where the attack broke it (*validated*, see
:mod:`mindflood.report.numbers.validated`; q = 0 otherwise). With the mean over a side's seeds for
each text, d is the second side's minus the first's, and the gain D the mean of d over the n texts
that both sides were attacked on.

Its variance has a part of the texts, s²(d)/n; a part of the seeds, s²·(1/m + 1/k), with s² pooled
over the sides' means of m and k seeds, which is left out where each side is one model: then D is of
these two models, not of their methods; and a part of the reading, for each side the reach that it
has in the validated accuracy. Texts and seeds are held against Student's t with Welch and
Satterthwaite's degrees of freedom, and the reading's reach is joined to them as squares. What the
readers left unclear counts, at either end, against that end.

Texts that an attack could not touch are left out. Undecided ones (an error, no budget left) are
too, as long as they are few; else there is no gain to tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from mindflood.report.numbers.difference import paired_texts
from mindflood.report.numbers.outcomes import Attempt, Text
from mindflood.report.numbers.validated import reading

LEAST = 0.05  # a gain that matters, from docs/results/study.md
Finding = Literal["support", "against", "open"]
_FEW = 0.01  # share of the texts that may be undecided
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Gain:
    """A difference of shares, in [-1, 1], the ends of its interval, and the number of texts."""

    value: float
    low: float
    high: float
    texts: int

    @property
    def finding(self) -> Finding:
        """What it says of a gain of :data:`LEAST`: seen, excluded, or neither."""
        if self.value >= LEAST and self.low > 0:
            return "support"
        return "against" if self.high < LEAST else "open"


@dataclass(frozen=True)
class _Counted:
    """One side: what each text counts for each seed, and how far the reading carries its mean.

    Attributes:
        values: (seeds, texts), in [0, 1].
        unclear: what the mean would rise by, were all that is unclear a change of meaning.
        below, above: how far the draw of the successes that were read may carry it.
    """

    values: np.ndarray
    unclear: float
    below: float
    above: float


def gain(
    first: Sequence[Attempt], second: Sequence[Attempt], *, validated: bool = False
) -> Gain | None:
    """What ``second`` keeps more than ``first``.

    Args:
        first, second: the models of each side, one a seed; at least one each.
        validated: do not count successes that changed the meaning.

    Returns:
        None where the sides were not attacked on the same texts, where more than one text in a
        hundred is undecided or, if ``validated``, where a model's successes were not read.
    """
    pairs = paired_texts(first, second)
    if pairs is None:
        return None
    clear = [text for text in pairs if not _is_undecided(text, (*first, *second))]
    if len(clear) < 2 or len(pairs) - len(clear) > _FEW * len(pairs):
        return None
    sides = [_counted(side, clear, validated=validated) for side in (first, second)]
    known = [side for side in sides if side is not None]
    return None if len(known) < len(sides) else _with_interval(*known)


def _with_interval(first: _Counted, second: _Counted) -> Gain:
    apart = second.values.mean(axis=0) - first.values.mean(axis=0)
    value, texts = float(apart.mean()), len(apart)
    of_texts = float(apart.var(ddof=1)) / texts
    rates = [side.values.mean(axis=1) for side in (first, second)]
    freedom = sum(map(len, rates)) - len(rates)
    squares = sum(float(((rate - rate.mean()) ** 2).sum()) for rate in rates)
    of_seeds = squares / freedom * sum(1 / len(rate) for rate in rates) if freedom else 0.0
    variance = of_texts + of_seeds
    spread = of_texts**2 / (texts - 1) + (of_seeds**2 / freedom if freedom else 0.0)
    quantile = float(stats.t.ppf(0.5 + _CONFIDENCE / 2, variance**2 / spread)) if spread else 0.0
    own = quantile**2 * variance
    low = value - first.unclear - math.sqrt(own + second.below**2 + first.above**2)
    high = value + second.unclear + math.sqrt(own + second.above**2 + first.below**2)
    return Gain(value, max(-1.0, low), min(1.0, high), texts)


def _counted(
    attempts: Sequence[Attempt], texts: Sequence[Text], *, validated: bool
) -> _Counted | None:
    audits = [one.audit for one in attempts if one.audit is not None] if validated else []
    if validated and len(audits) < len(attempts):
        return None
    kept, broken = (_of_outcome(attempts, texts, outcome) for outcome in ("kept", "broken"))
    if not validated:
        return _Counted(kept, 0.0, 0.0, 0.0)
    changed = np.array([[audit.changed / audit.graded] for audit in audits])
    read = reading(audits, (broken.mean(axis=1) / len(attempts)).tolist())
    return _Counted(kept + changed * broken, read.most - read.value, read.below, read.above)


def _of_outcome(attempts: Sequence[Attempt], texts: Sequence[Text], outcome: str) -> np.ndarray:
    """Whether each text (columns) had that outcome for each model (rows), as 0.0 and 1.0."""
    known = [one.texts for one in attempts if one.texts is not None]
    return np.array([[of[text] == outcome for text in texts] for of in known], float)


def _is_undecided(text: Text, attempts: Sequence[Attempt]) -> bool:
    return any(one.texts is not None and one.texts[text] == "undecided" for one in attempts)
