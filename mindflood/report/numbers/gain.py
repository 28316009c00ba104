"""How much more of the texts one method keeps than another, with a 95 % interval.

Let a text count 1 for a model that keeps it and, where people have read the model's successes and
found a share q of them to have changed the meaning, q where the attack broke it (*validated*, see
:mod:`mindflood.report.numbers.validated`; q = 0 otherwise). With the mean over a side's seeds for
each text, d is the second side's minus the first's, and the gain D the mean of d over the n texts
that both sides were attacked on.

Its variance has a part of the texts, s²(d)/n; a part of the seeds, s²·(1/m + 1/k), with s² pooled
over the sides' means of m and k seeds, which is left out where each side is one model: then D is of
these two models, not of their methods; and a part of the reading, for each model its own Wilson
reach times the share of broken texts, as in the validated accuracy. Texts and seeds are held
against Student's t with Welch and Satterthwaite's degrees of freedom, and the reading's reach is
joined to them as squares. What the readers left unclear counts, at either end, against that end.

Texts that an attack could not touch are left out. Undecided ones (an error, no budget left) are
too, as long as they are few; else there is no gain to tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mindflood.report.numbers.difference import paired_texts
from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.outcomes import Attempt, Text
from mindflood.report.numbers.validated import Audit

_FEW = 0.01  # share of the texts that may be undecided
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Gain:
    """A difference of shares, in [-1, 1], the ends of its interval, and the number of texts."""

    value: float
    low: float
    high: float
    texts: int


@dataclass(frozen=True)
class _Counted:
    """One side: what each text counts for each seed, and how far the reading carries its mean.

    Attributes:
        values: (seeds, texts), in [0, 1].
        unclear: what the mean would rise by, were all that is unclear a change of meaning.
        below, above: squares of the reading's reach.
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
    low = value - first.unclear - math.sqrt(own + second.below + first.above)
    high = value + second.unclear + math.sqrt(own + second.above + first.below)
    return Gain(value, max(-1.0, low), min(1.0, high), texts)


def _counted(
    attempts: Sequence[Attempt], texts: Sequence[Text], *, validated: bool
) -> _Counted | None:
    if validated and any(one.audit is None for one in attempts):
        return None
    values, unclear, below, above = [], 0.0, 0.0, 0.0
    for one in attempts:
        assert one.texts is not None
        kept = np.array([one.texts[text] == "kept" for text in texts], float)
        broken = np.array([one.texts[text] == "broken" for text in texts], float)
        changed = 0.0
        if validated and one.audit is not None:
            scale = float(broken.mean()) / len(attempts)
            changed = one.audit.changed / one.audit.graded
            unclear += scale * one.audit.unclear / one.audit.graded
            down, up = _reach(one.audit)
            below, above = below + (scale * down) ** 2, above + (scale * up) ** 2
        values.append(kept + changed * broken)
    return _Counted(np.array(values), unclear, below, above)


def _reach(audit: Audit) -> tuple[float, float]:
    """How far the share of changed successes may be below and above what was found.

    The lower end is of the changed ones alone, the upper one of these and the unclear ones.
    """
    unread = math.sqrt(max(0.0, 1 - audit.graded / audit.successes))
    most = audit.changed + audit.unclear
    low, _ = wilson(audit.changed, audit.graded)
    _, high = wilson(most, audit.graded)
    return unread * (audit.changed / audit.graded - low), unread * (high - most / audit.graded)


def _is_undecided(text: Text, attempts: Sequence[Attempt]) -> bool:
    return any(one.texts is not None and one.texts[text] == "undecided" for one in attempts)
