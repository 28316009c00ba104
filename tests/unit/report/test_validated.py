"""Validated accuracy under attack, against arithmetic and simulation of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.validated import Audit, Rate, Reading, pooled, reading, validated


@st.composite
def audits(draw):
    successes = draw(st.integers(1, 300))
    graded = draw(st.integers(1, successes))
    same = draw(st.integers(0, graded))
    changed = draw(st.integers(0, graded - same))
    held, skipped = draw(st.integers(0, 200)), draw(st.integers(0, 100))
    return Audit(
        attacked=held + skipped + successes,
        held=held,
        successes=successes,
        same=same,
        changed=changed,
        unclear=graded - same - changed,
        english=draw(st.integers(0, graded)),
    )


def test_by_hand():
    # 200 texts, 20 hold, 150 broken; of 50 read 10 had changed: 20 + 150/5 = 50 hold.
    audit = Audit(200, 20, 150, same=38, changed=10, unclear=2, english=45)
    assert audit.validated().value == pytest.approx(0.25)
    assert audit.keeps_label().value == pytest.approx(0.76)
    assert audit.keeps_label().low == pytest.approx(wilson(38, 50)[0])
    assert audit.keeps_label().high == pytest.approx(wilson(40, 50)[1])
    assert audit.still_english() == Rate(0.9, *wilson(45, 50))


@given(audits())
def test_everything_read_gives_the_plain_share_and_its_interval(audit):
    whole = Audit(
        attacked=audit.attacked,
        held=audit.held,
        successes=audit.graded,
        same=audit.same + audit.unclear,
        changed=audit.changed,
        unclear=0,
        english=audit.english,
    )
    found = whole.validated()
    holds = audit.held + audit.changed
    assert found.value == pytest.approx(holds / audit.attacked)
    assert (found.low, found.high) == pytest.approx(wilson(holds, audit.attacked), abs=1e-9)


@given(audits())
def test_the_ends_are_in_order_and_solve_the_equation(audit):
    found = audit.validated()
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12 <= 1 + 2e-12
    assert found.value >= audit.held / audit.attacked - 1e-12  # never below plain Aua
    share = audit.changed / audit.graded
    reach = (share - wilson(audit.changed, audit.graded)[0]) * audit.successes / audit.attacked
    rest = reach**2 * (1 - audit.graded / audit.successes)

    def gap(theta):
        sampling = 1.959963984540054**2 * theta * (1 - theta) / audit.attacked
        return (found.value - theta) ** 2 - sampling - rest

    if gap(0.0) > 0 > gap(found.value):
        assert found.low == pytest.approx(brentq(gap, 0, found.value), abs=1e-9)
    else:
        assert found.low == pytest.approx(0, abs=1e-6) or gap(found.low) == pytest.approx(0)


@given(audits())
def test_unclear_ones_settled_either_way_stay_within(audit):
    names = ("attacked", "held", "successes", "english")
    known = {name: getattr(audit, name) for name in names}
    found = audit.validated()
    for also_changed in range(audit.unclear + 1):
        changed = audit.changed + also_changed
        settled = Audit(same=audit.graded - changed, changed=changed, unclear=0, **known)
        assert found.value <= settled.validated().value + 1e-12
        assert found.low - 1e-9 <= settled.validated().value <= found.high + 1e-9
        label, all_readings = settled.keeps_label(), audit.keeps_label()
        assert all_readings.low - 1e-9 <= label.value <= all_readings.high + 1e-9


@pytest.mark.parametrize(
    ("held", "wrong", "changes", "texts", "read"),
    [
        (0.06, 0.15, 0.49, 100, 35),
        (0.34, 0.15, 0.08, 200, 50),
        (0.30, 0.15, 0.00, 200, 20),
        (0.05, 0.10, 0.10, 800, 100),
        (0.50, 0.15, 0.30, 200, 30),
    ],
)
def test_the_interval_covers_the_truth_in_19_of_20(held, wrong, changes, texts, read):
    """Texts drawn one by one from a population whose truth is known, then read in part."""
    generator = np.random.default_rng(0)
    truth = held + (1 - held - wrong) * changes
    rates = [held, wrong, (1 - held - wrong) * changes, (1 - held - wrong) * (1 - changes)]
    covered, values = 0, []
    for _ in range(2000):
        kinds = generator.choice(4, size=texts, p=rates)
        broken = kinds[kinds >= 2]
        seen = generator.permutation(broken)[:read]
        changed = int((seen == 2).sum())
        audit = Audit(
            texts, int((kinds == 0).sum()), len(broken), len(seen) - changed, changed, 0, 0
        )
        found = audit.validated()
        covered += found.low <= truth <= found.high
        values.append(found.value)
    assert 0.935 <= covered / 2000 <= 0.995
    assert np.mean(values) == pytest.approx(truth, abs=0.006)


def test_the_spread_is_the_one_that_sampling_twice_has():
    """Half the interval's width over z is the standard deviation of repeated audits."""
    generator = np.random.default_rng(1)
    texts, read = 400, 60
    values, halves = [], []
    for _ in range(3000):
        held, broken_changed, broken, _ = generator.multinomial(texts, [0.3, 0.2, 0.4, 0.1])
        successes = broken_changed + broken
        changed = int(generator.hypergeometric(broken_changed, broken, read))
        found = Audit(texts, held, successes, read - changed, changed, 0, 0).validated()
        values.append(found.value)
        halves.append((found.high - found.low) / 2 / 1.96)
    assert np.mean(halves) == pytest.approx(np.std(values), rel=0.06)


def test_several_models_share_the_texts_but_not_the_readers():
    audit = Audit(200, 60, 120, same=20, changed=20, unclear=0, english=40)
    one, four = validated([audit]), validated([audit] * 4)
    assert four.value == one.value
    plain = wilson(120, 200)  # (60 + 60) of 200, were everything read
    assert one.low < four.low < plain[0]
    assert plain[1] < four.high < one.high


def test_a_few_of_each_seed_are_as_good_as_all_of_them_of_one():
    """Ten read of 80 in each of five models, or fifty of 400 in one."""
    for changed, unclear in ((0, 0), (2, 1)):
        each = Audit(200, 60, 80, 10 - changed - unclear, changed, unclear, 10)
        whole = Audit(1000, 300, 400, *(5 * one for one in (10 - changed - unclear, changed)),
                      5 * unclear, 50)  # fmt: skip
        five, one = reading([each] * 5, [0.4 / 5] * 5), reading([whole], [0.4])
        assert vars(five) == pytest.approx(vars(one))


@given(st.lists(audits(), min_size=1, max_size=4), st.integers(0, 3))
def test_a_reading_is_never_narrower_than_what_was_read(several, alike):
    """Than z standard deviations of the stratified mean, where that is large enough to tell."""
    scales = [0.1 + 0.2 * (number if alike else 0) for number in range(len(several))]
    found = reading(several, scales)
    graded = np.array([audit.graded for audit in several], float)
    changed = np.array([audit.changed for audit in several]) / graded
    unclear = np.array([audit.unclear for audit in several]) / graded
    assert found.value == pytest.approx(np.dot(scales, changed))
    assert found.most == pytest.approx(np.dot(scales, changed + unclear))
    assert found.below >= -1e-12
    assert found.above >= -1e-12
    whole = np.array([audit.successes for audit in several], float)
    variance = np.sum(np.square(scales) * changed * (1 - changed) * (1 / graded - 1 / whole))
    # Wilson's two ends are together as far apart as z deviations each way, at the least of numbers.
    if min(graded) > 30 and np.all((changed > 0.2) & (changed < 0.8)):
        assert found.below + np.dot(scales, unclear) + found.above > 1.7 * 2 * np.sqrt(variance)


def test_a_side_without_a_success_has_nothing_to_read():
    assert reading([Audit(200, 150, 1, 1, 0, 0, 1)], [0.0]) == Reading(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("successes", "shares", "read"),
    [
        ((120, 120, 120, 120, 120), (0, 0, 0, 0, 0), (10, 10, 10, 10, 10)),
        ((120, 120, 120, 120, 120), (0.05, 0.05, 0.05, 0.05, 0.05), (10, 10, 10, 10, 10)),
        ((120, 100, 80), (0.3, 0.0, 0.1), (20, 20, 20)),
        ((150, 50), (0.2, 0.5), (15, 40)),
        ((15, 12, 12), (0.2, 0.1, 0.0), (15, 12, 10)),
        ((150, 150), (0.2, 0.0), (10, 100)),
        ((120, 120, 120, 120, 120), (0.2, 0, 0, 0, 0), (10, 30, 30, 30, 30)),
        ((25, 22, 30, 18, 27), (0, 0, 0.1, 0.1, 0), (10, 10, 10, 10, 10)),
    ],
)
def test_the_reading_covers_what_is_there(successes, shares, read):
    generator = np.random.default_rng(2)
    there = [round(share * number) for share, number in zip(shares, successes, strict=True)]
    scales = [number / 200 / len(successes) for number in successes]
    truth = sum(some / 200 / len(successes) for some in there)
    covered = 0
    for _ in range(2000):
        audited = []
        for some, number, seen in zip(there, successes, read, strict=True):
            changed = int(generator.hypergeometric(some, number - some, seen)) if some else 0
            audited.append(Audit(200, 50, number, seen - changed, changed, 0, 0))
        found = reading(audited, scales)
        covered += found.value - found.below <= truth + 1e-12 <= found.most + found.above + 2e-12
    assert covered / 2000 >= 0.935


def test_pooled_audits_add_up():
    one, other = Audit(10, 2, 6, 2, 1, 1, 3), Audit(20, 4, 8, 5, 2, 0, 6)
    assert pooled([one, other]) == Audit(30, 6, 14, 7, 3, 1, 9)


def test_of_a_card():
    summary = {"skipped": 30, "succeeded": 148, "failed": 22, "errors": 1, "out_of_budget": 4}
    assert Audit.of_card(summary) is None
    grades = {"same": 40, "changed": 8, "unclear": 2, "english": 44}
    assert Audit.of_card(summary | {"audit": grades | {"graded": 50}}) == Audit(
        200, 22, 148, 40, 8, 2, 44
    )
