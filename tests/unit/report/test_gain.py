"""The gain of a method over another and its interval, against the arithmetic and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mindflood.report.numbers.gain import Gain, gain
from mindflood.report.numbers.outcomes import Attempt, Outcome
from mindflood.report.numbers.validated import Audit

RESULTS: dict[str, Outcome] = {
    "k": "kept",
    "b": "broken",
    "w": "wrong",
    "u": "undecided",
    "-": "untouched",
}
Z = stats.norm.ppf(0.975)


def model(letters: str, changed: int = 0, unclear: int = 0, graded: int = 0) -> Attempt:
    texts = {(row, (f"text {row}",)): RESULTS[letter] for row, letter in enumerate(letters)}
    audit = None
    if graded:
        same = graded - changed - unclear
        counts = (len(letters), letters.count("k"), letters.count("b"))
        audit = Audit(*counts, same, changed, unclear, english=0)
    return Attempt(letters.count("k"), letters.count("u"), len(letters), texts, audit)


def found(first: list[Attempt], second: list[Attempt], **kind: bool) -> Gain:
    answer = gain(first, second, **kind)
    assert answer is not None
    return answer


@given(st.data())
def test_one_model_a_side_is_the_paired_t_interval(data: st.DataObject) -> None:
    texts = data.draw(st.integers(2, 40))
    row = st.text("kbw", min_size=texts, max_size=texts)
    one, two = data.draw(row), data.draw(row)
    apart = [(b == "k") - (a == "k") for a, b in zip(one, two, strict=True)]
    answer = found([model(one)], [model(two)])
    assert answer.value == pytest.approx(sum(apart) / texts)
    assert answer.texts == texts
    if len(set(apart)) > 1:
        low, high = stats.ttest_1samp(apart, 0).confidence_interval(0.95)
        assert (answer.low, answer.high) == pytest.approx((max(-1, low), min(1, high)))
    else:
        assert answer.low == answer.high == answer.value


def test_several_seeds_by_hand() -> None:
    first, second = ["kkbbbbbbbb", "kbbbbbbbbb"], ["kkkkkbbbbb", "kkkbbbbbbb", "kkkkbbbbbb"]
    answer = found([model(one) for one in first], [model(one) for one in second])
    kept = [np.array([[x == "k" for x in one] for one in side], float) for side in (first, second)]
    apart = kept[1].mean(0) - kept[0].mean(0)
    of_texts = apart.var(ddof=1) / 10
    rates = [side.mean(1) for side in kept]
    pooled = sum(((rate - rate.mean()) ** 2).sum() for rate in rates) / 3
    of_seeds = pooled * (1 / 2 + 1 / 3)
    freedom = (of_texts + of_seeds) ** 2 / (of_texts**2 / 9 + of_seeds**2 / 3)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(of_texts + of_seeds)
    assert answer.value == pytest.approx(0.25)
    assert (answer.low, answer.high) == pytest.approx((0.25 - half, 0.25 + half))


def test_validated_by_hand() -> None:
    """Half of the first model's 40 successes were read, 3 of them changed, 1 is unclear."""
    first = [model("k" * 60 + "b" * 40, changed=3, unclear=1, graded=20)]
    second = [model("k" * 70 + "b" * 20 + "w" * 10, changed=0, graded=20)]
    answer = found(first, second, validated=True)
    counts = [np.r_[np.ones(60), np.full(40, 0.15)], np.r_[np.ones(70), np.zeros(30)]]
    apart = counts[1] - counts[0]
    assert answer.value == pytest.approx(0.70 - (0.60 + 0.40 * 0.15))
    own = stats.t.ppf(0.975, 99) ** 2 * apart.var(ddof=1) / 100
    lower, _ = wilson(3, 20)
    _, upper = wilson(4, 20)
    unread = math.sqrt(1 - 20 / 40)  # all of the second's were read: nothing is left open
    below, above = (0.40 * unread * far for far in (0.15 - lower, upper - 0.20))
    assert answer.low == pytest.approx(answer.value - 0.40 / 20 - math.sqrt(own + above**2))
    assert answer.high == pytest.approx(answer.value + math.sqrt(own + below**2))
    raw = found(first, second)
    assert raw.value == pytest.approx(0.10)


def test_what_is_read_of_several_seeds_counts_together() -> None:
    """Nothing among ten of each of five models: as nothing among fifty, in the one that has it."""
    of_seeds = [model("k" * 60 + "b" * 40, graded=10) for _ in range(5)]
    whole = [model("k" * 300 + "b" * 200, graded=50)]
    several = found(of_seeds, of_seeds, validated=True)
    one = found(whole, whole, validated=True)
    assert several.value == one.value == 0
    assert (several.low, several.high) == pytest.approx((one.low, one.high))
    reach = 0.4 * math.sqrt(1 - 50 / 200) * wilson(0, 50)[1]
    assert several.high == pytest.approx(reach)


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.05, 0.001, 0.1), "support"), ((0.05, 0.0, 0.1), "open"), ((0.049, 0.001, 0.1), "open"),
        ((0.03, 0.02, 0.0499), "against"), ((-0.2, -0.3, -0.1), "against"),
        ((0.0, -0.05, 0.05), "open"),
    ],
)  # fmt: skip
def test_the_rule_of_the_study(ends: tuple[float, float, float], said: str) -> None:
    assert Gain(*ends, texts=100).finding == said


def wilson(count: int, of: int) -> tuple[float, float]:
    interval = stats.binomtest(count, of).proportion_ci(0.95, "wilson")
    return interval.low, interval.high


def test_what_cannot_be_paired_has_no_gain() -> None:
    kept, lost = model("k" * 50), model("b" * 50)
    assert gain([kept], [Attempt(10, 0, 50)]) is None
    assert gain([kept], [model("k" * 49 + "u")]) is None
    assert gain([kept], [lost], validated=True) is None
    assert gain([model("k-")], [model("kk")]) is None
    many = model("k" * 199 + "u")
    assert found([many], [model("k" * 200)]).texts == 199


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_interval_holds_the_truth_as_often_as_it_says(seeds: int) -> None:
    """Texts differ in how hard they are, seeds in how good they are, and the truth is 5 points."""
    random = np.random.default_rng(seeds)
    held, worlds = 0, 400
    for _ in range(worlds):
        hard = random.normal(0, 1, 120)
        sides = []
        for better in (0.0, 0.05):
            moved = random.normal(0, 0.02 * (seeds > 1), seeds)
            keeps = np.clip(stats.norm.cdf(hard) * 0.8 + 0.05 + better + moved[:, None], 0, 1)
            kept = random.random((seeds, 120)) < keeps
            sides.append([model("".join("k" if one else "b" for one in row)) for row in kept])
        answer = found(*sides)
        held += answer.low <= 0.05 <= answer.high
    assert held / worlds > 0.93
