"""Whether two methods differ: the tests against arithmetic of their own, and how often they err."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from mindflood.report.numbers.difference import FISHER, SEEDS_AND_TEXTS, SIGN, difference, holm
from mindflood.report.numbers.outcomes import Attempt, Outcome

_LETTERS: dict[str, Outcome] = {
    "k": "kept",
    "l": "broken",
    "u": "undecided",
    "-": "untouched",
}


def model(outcomes: str, *, paired: bool = True, start: int = 0) -> Attempt:
    """A model by the letters of what became of its texts."""
    texts = {
        (start + row, (f"text {row}",)): _LETTERS[letter] for row, letter in enumerate(outcomes)
    }
    kept, undecided = outcomes.count("k"), outcomes.count("u")
    return Attempt(kept, undecided, len(outcomes), texts if paired else None)


def sign_by_hand(wins: int, losses: int) -> float:
    """Two-sided exact sign test: twice the tail of a fair coin, at most 1."""
    tosses = wins + losses
    tail = sum(math.comb(tosses, heads) for heads in range(max(wins, losses), tosses + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**tosses)))


def fisher_by_hand(kept: tuple[int, int], totals: tuple[int, int]) -> float:
    """Two-sided: the probability of all tables of these margins no likelier than the one found."""
    every, together = sum(totals), sum(kept)

    def ways(of_first: int) -> int:
        return math.comb(totals[0], of_first) * math.comb(totals[1], together - of_first)

    low, high = max(0, together - totals[1]), min(together, totals[0])
    found = ways(kept[0])
    rarer = sum(ways(one) for one in range(low, high + 1) if ways(one) <= found)
    return float(Fraction(rarer, math.comb(every, together)))


def t_by_hand(first: Sequence[float], second: Sequence[float], of_texts: float) -> float:
    """p by the incomplete beta function, the variances by their definition."""
    freedom = len(first) + len(second) - 2
    means = [sum(side) / len(side) for side in (first, second)]
    squares = sum(
        (rate - mean) ** 2
        for side, mean in zip((first, second), means, strict=True)
        for rate in side
    )
    variance = squares / freedom * (1 / len(first) + 1 / len(second)) + of_texts
    t_squared = (means[1] - means[0]) ** 2 / variance
    return float(betainc(freedom / 2, 0.5, freedom / (freedom + t_squared)))


LETTERS = st.text("kl", min_size=1, max_size=40)


@given(st.lists(st.tuples(st.sampled_from("kl"), st.sampled_from("kl")), min_size=1, max_size=60))
def test_one_model_each_on_the_same_texts_is_mcnemar_s_exact_test(pairs) -> None:
    first, second = ("".join(side) for side in zip(*pairs, strict=True))
    wins, losses = pairs.count(("l", "k")), pairs.count(("k", "l"))
    found = difference([model(first)], [model(second)])
    assert found.test == SIGN
    assert found.texts == len(pairs)
    assert found.sign == (wins > losses) - (wins < losses)
    assert found.p == pytest.approx(sign_by_hand(wins, losses) if wins != losses else 1.0)


@settings(deadline=None)
@given(LETTERS, LETTERS)
def test_without_records_counts_are_compared_by_fisher_s_test(first: str, second: str) -> None:
    found = difference([model(first, paired=False)], [model(second, paired=False)])
    kept, totals = (first.count("k"), second.count("k")), (len(first), len(second))
    assert (found.test, found.texts) == (FISHER, None)
    above = kept[1] * totals[0] - kept[0] * totals[1]
    assert found.sign == (above > 0) - (above < 0)
    expected = fisher_by_hand(kept, totals) if above else 1.0
    assert found.p == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.data())
def test_several_seeds_have_the_larger_p_of_both_tests(data: st.DataObject) -> None:
    texts = data.draw(st.integers(2, 30))
    row = st.text("kl", min_size=texts, max_size=texts)
    first = data.draw(st.lists(row, min_size=1, max_size=3))
    second = data.draw(st.lists(row, min_size=2, max_size=3))
    found = difference([model(one) for one in first], [model(one) for one in second])
    kept = [
        np.array([[letter == "k" for letter in one] for one in side]) for side in (first, second)
    ]
    apart = kept[1].mean(axis=0) - kept[0].mean(axis=0)
    wins, losses = int((apart > 1e-12).sum()), int((apart < -1e-12).sum())
    agrees = abs(apart.mean()) > 1e-12 and apart.mean() * (wins - losses) > 0
    assert found.test == SEEDS_AND_TEXTS
    if not agrees:
        assert (found.sign, found.p) == (0, 1.0)
        return
    variance = sum((one - apart.mean()) ** 2 for one in apart) / (texts - 1) / texts
    rates = [side.mean(axis=1) for side in kept]
    spread = variance + sum(float(side.var()) for side in rates)
    by_t = t_by_hand(*rates, variance) if spread > 1e-15 else 0.0
    assert found.sign == np.sign(apart.mean())
    assert found.p == pytest.approx(max(sign_by_hand(wins, losses), by_t), abs=1e-9)


def test_a_mean_of_thirds_that_is_zero_has_no_sign() -> None:
    first, second = ["kkkkkllll", "kkkkllkll"], ["kkkkkkkll", "kkkklllll", "kkkklllll"]
    for sides in ((first, second), (second, first)):
        found = difference(*[[model(one) for one in side] for side in sides])
        assert (found.sign, found.p) == (0, 1.0)


def test_several_seeds_without_records() -> None:
    counts = ((20, 24, 22), (60, 50, 58))
    first, second = ([Attempt(kept, 0, 200) for kept in side] for side in counts)
    found = difference(first, second)
    rates = [[kept / 200 for kept in side] for side in counts]
    of_texts = sum(np.mean(side) * (1 - np.mean(side)) / 200 for side in rates)
    expected = max(t_by_hand(*rates, of_texts), fisher_by_hand((22, 56), (200, 200)))
    assert (found.sign, found.texts) == (1, None)
    assert found.p == pytest.approx(expected)
    assert found.p < 0.05
    assert difference(second, first).sign == -1


def test_seeds_on_the_same_texts_are_no_further_texts() -> None:
    """Five texts of 20 that one method keeps and the other does not, whatever the seed."""
    first, second = "l" * 20, "k" * 5 + "l" * 15
    pooled = sign_by_hand(5 * 3, 0)
    found = difference([model(first)] * 3, [model(second)] * 3)
    assert pooled < 0.001, "what taking each seed's texts as new ones would claim"
    assert found.p >= sign_by_hand(5, 0) > 0.05


@pytest.mark.parametrize("paired", [True, False])
def test_undecided_texts_count_against_the_claim(paired: bool) -> None:
    clear = difference([model("l" * 20, paired=paired)], [model("k" * 12 + "l" * 8, paired=paired)])
    assert clear.p < 0.001
    opened = difference(
        [model("l" * 20, paired=paired)], [model("k" * 4 + "u" * 8 + "l" * 8, paired=paired)]
    )
    assert opened.p > 0.05
    turned = difference(
        [model("u" * 12 + "l" * 8, paired=paired)], [model("k" * 12 + "l" * 8, paired=paired)]
    )
    assert (turned.sign, turned.p) == (0, 1.0)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 10))
def test_no_way_of_settling_the_undecided_makes_the_claim_weaker(wins, losses, open_) -> None:
    first = "l" * wins + "k" * losses + "l" * open_ + "k"
    second = "k" * wins + "l" * losses + "u" * open_ + "k"
    found = difference([model(first)], [model(second)])
    for settled in (second.replace("u", "k"), second.replace("u", "l")):
        one = difference([model(first)], [model(settled)])
        assert found.sign in (0, one.sign)
        assert found.p >= one.p - 1e-12 or found.sign == 0


def test_untouched_texts_are_in_no_pair_and_alike_in_counts() -> None:
    first, second = "kk--ll", "klk-kl"
    found = difference([model(first)], [model(second)])
    assert found.texts == 4
    # A model that has more right has more untouched texts, and keeps as many of the others.
    few, many = "k" * 60 + "l" * 40, "k" * 60 + "-" * 30 + "l" * 10
    sides = ([model(one, paired=False)] for one in (few, many))
    assert difference(*sides).sign == 0


def test_other_texts_are_not_paired() -> None:
    found = difference([model("kkl")], [model("kll", start=7)])
    assert (found.test, found.texts) == (FISHER, None)


def test_nothing_that_was_attacked_differs_from_nothing() -> None:
    nothing = Attempt(0, 0, 0)
    assert difference([nothing], [model("kkk")]).p == 1.0
    assert difference([model("---")], [model("---")]).p == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_its_definition(values: list[float]) -> None:
    """A hypothesis falls at α if it and all with smaller p are below α over how many are left."""
    adjusted = holm(values)
    for at, value in enumerate(values):
        smaller = sorted(one for one in values if one <= value)
        expected = max((len(values) - rank) * one for rank, one in enumerate(smaller))
        ties = values.count(value)
        expected = max(expected, *(0.0, (len(values) - len(smaller) + ties) * value)[:2])
        assert adjusted[at] == pytest.approx(min(1.0, expected))
    assert all(a <= b + 1e-12 for a, b in pairwise(sorted(adjusted)))


def claims(models: tuple[int, int], seeds_move: float, worlds: int = 400) -> float:
    """How often a difference is claimed between methods that are alike in the mean."""
    random = np.random.default_rng(5)
    claimed = 0
    for _ in range(worlds):
        texts = random.normal(0, 1.5, 200)
        sides = []
        for number in models:
            own = texts + random.normal(0, 1, 200)
            logits = own + random.normal(0, seeds_move, (number, 1))
            kept = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
            sides.append([model("".join("lk"[int(one)] for one in seed)) for seed in kept])
        claimed += difference(*sides).p < 0.05
    return claimed / worlds


@pytest.mark.parametrize("seeds_move", [0.0, 0.3])
@pytest.mark.parametrize("models", [(2, 2), (1, 3), (3, 3), (5, 5)], ids=str)
def test_methods_that_are_alike_are_seldom_told_apart(models, seeds_move) -> None:
    """At most 5 % are promised; it is 1 to 2, for the noise of both is counted in full."""
    assert claims(models, seeds_move) < 0.05


def test_one_model_each_tells_models_apart_and_not_methods() -> None:
    assert claims((1, 1), 0.0) < 0.08
    assert claims((1, 1), 0.3) > 0.15, "why a verdict of one seed says so"


def test_a_difference_that_is_there_is_found() -> None:
    random = np.random.default_rng(0)
    sides = [
        [model("".join(random.choice(list("kl"), 200, p=[p, 1 - p]))) for _ in range(3)]
        for p in (0.3, 0.52)
    ]
    found = difference(*sides)
    assert found.sign == 1
    assert found.p < 0.01
