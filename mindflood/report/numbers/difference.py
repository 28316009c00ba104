"""Whether two methods' accuracy under attack differ by more than chance explains.

Chance is twofold: which texts were attacked, and which seed a model was trained from. Of one model
a side only the first can be tested, and what is found is said of these two models, not of their
methods: where seeds move the logits by 0.3, two models of one method differ significantly in up to
a third of the cases.

One model each, on the same texts: the exact sign test (McNemar's) on the texts that only one of the
two keeps. Not on the same texts, or without records of who kept which: Fisher's exact test.

Several seeds: let D be the difference of the mean rates. The same texts are attacked again and
again, so that 3 seeds of 200 texts are not 600 trials. The variance of D has a part of the seeds,
s²·(1/m + 1/k) with s² pooled over both sides, and one of the texts, v/n: v is the variance over
the texts of the difference of the shares of seeds that keep it, or p(1 - p) of each side where the
texts are not paired. The sum counts the noise that belongs to neither twice, which errs to the
safe side. D over its root is held against Student's t with the seeds' m + k - 2 degrees of freedom.
For few texts the t is too sure, so the larger p counts of this test and of the exact one above, on
the texts that more of one side's seeds keep, or on the counts of as many texts as a seed attacks.

Undecided texts count against the claim: as kept on the side that keeps less, as lost on the other.
Untouched texts are left out of pairs, and in Fisher's test count as not kept on both sides: which
texts are so depends on what a model has right, but not how many are touched and kept.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mindflood.report.numbers.outcomes import Attempt, Outcome, Text

LEVEL = 0.05  # of all claims of a report together
SIGN, FISHER = "exact sign test over the texts", "Fisher's exact test"
SEEDS_AND_TEXTS = "t test over the seeds and the texts"


@dataclass(frozen=True)
class Difference:
    """Which side keeps more (1 the second, -1 the first, 0 neither), p, and the test's name.

    ``texts`` are the pairs that the test is over; None where it compares counts.
    """

    sign: int
    p: float
    test: str
    texts: int | None


def difference(first: Sequence[Attempt], second: Sequence[Attempt]) -> Difference:
    """Test whether ``second`` keeps other than as many texts as ``first``.

    Args:
        first, second: the models of each side, one a seed; at least one each.
    """
    pairs = paired_texts(first, second)
    test = SEEDS_AND_TEXTS if len(first) + len(second) > 2 else FISHER if pairs is None else SIGN
    texts = None if pairs is None else len(pairs)
    if (pairs is not None and not pairs) or any(not one.total for one in (*first, *second)):
        return Difference(0, 1.0, test, texts)
    for sign in (1, -1):
        sides = (first, second) if sign == 1 else (second, first)
        p = _of_counts(*sides) if pairs is None else _of_pairs(pairs, *sides)
        if p is not None:
            return Difference(sign, p, test, texts)
    return Difference(0, 1.0, test, texts)


def holm(values: Sequence[float]) -> list[float]:
    """Holm's (1979) p values: with all below α claimed, one false claim at most α of the time."""
    adjusted, largest = [0.0] * len(values), 0.0
    for place, at in enumerate(np.argsort(values, kind="stable")):
        largest = max(largest, min(1.0, (len(values) - place) * values[at]))
        adjusted[at] = largest
    return adjusted


def paired_texts(first: Sequence[Attempt], second: Sequence[Attempt]) -> list[Text] | None:
    """The texts that all models were attacked on and none was untouched by; None if not paired."""
    every = [one.texts for one in (*first, *second)]
    known = [texts for texts in every if texts is not None]
    if len(known) < len(every) or any(texts.keys() != known[0].keys() for texts in known):
        return None
    return [text for text in known[0] if all(one[text] != "untouched" for one in known)]


def _of_pairs(pairs: list[Text], less: Sequence[Attempt], more: Sequence[Attempt]) -> float | None:
    """p of the claim that ``more`` keeps more; None where it does not, undecided texts aside."""
    lower = np.array([_kept(one.texts, pairs, undecided=True) for one in less])
    upper = np.array([_kept(one.texts, pairs, undecided=False) for one in more])
    # In whole numbers, for a mean of thirds that is zero may be a little off it.
    apart = len(lower) * upper.sum(axis=0) - len(upper) * lower.sum(axis=0)
    wins, losses = int((apart > 0).sum()), int((apart < 0).sum())
    if apart.sum() <= 0 or wins <= losses:
        return None
    exact = float(stats.binomtest(wins, wins + losses).pvalue)
    if len(less) + len(more) == 2:
        return exact
    if len(pairs) < 2:
        return 1.0
    rates = (lower.mean(axis=1), upper.mean(axis=1))
    by_text = apart / (len(lower) * len(upper))
    return max(exact, _t_test(*rates, by_text.var(ddof=1) / len(pairs)))


def _kept(
    texts: Mapping[Text, Outcome] | None, pairs: Sequence[Text], *, undecided: bool
) -> list[bool]:
    assert texts is not None
    counted = ("kept", "undecided") if undecided else ("kept",)
    return [texts[text] in counted for text in pairs]


def _of_counts(less: Sequence[Attempt], more: Sequence[Attempt]) -> float | None:
    """As :func:`_of_pairs`, from counts alone."""
    lower = np.array([(one.kept + one.undecided) / one.total for one in less])
    upper = np.array([one.kept / one.total for one in more])
    if upper.mean() <= lower.mean():
        return None
    few, many = (min(one.total for one in side) for side in (less, more))
    kept = (min(few, math.ceil(few * lower.mean() - 1e-9)), int(many * upper.mean() + 1e-9))
    table = [[kept[0], few - kept[0]], [kept[1], many - kept[1]]]
    exact = float(stats.fisher_exact(table).pvalue) if kept[1] * few > kept[0] * many else 1.0
    if len(less) + len(more) == 2:
        return exact
    rates = ((lower.mean(), few), (upper.mean(), many))
    return max(exact, _t_test(lower, upper, sum(p * (1 - p) / n for p, n in rates)))


def _t_test(first: np.ndarray, second: np.ndarray, of_texts: float) -> float:
    """Two-sided p of a difference of means over seeds, ``of_texts`` added to its variance."""
    freedom = len(first) + len(second) - 2
    squares = sum(float(((side - side.mean()) ** 2).sum()) for side in (first, second))
    of_seeds = squares / freedom * (1 / len(first) + 1 / len(second))
    apart, deviation = abs(second.mean() - first.mean()), math.sqrt(of_seeds + of_texts)
    return float(2 * stats.t.sf(apart / deviation, freedom)) if deviation else 0.0
