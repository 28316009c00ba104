"""Counts and rates of an attack against arithmetic on whole lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.results.metrics import OUTCOMES, percent_between, summarise
from mindflood.cards.rates import accuracy_under_attack

records = st.lists(
    st.fixed_dictionaries(
        {
            "result": st.sampled_from(OUTCOMES),
            "queries": st.integers(0, 10_000),
            "seconds": st.floats(0, 1e4),
        }
    )
)


def test_flooding_x_definitions_by_hand():
    results = ["skipped"] * 2 + ["succeeded"] * 6 + ["failed"] * 2 + ["untouched"]
    queries = [1, 1, 10, 20, 30, 40, 50, 60, 100, 200, 9]
    summary = summarise(
        {"result": result, "queries": number, "seconds": 0.5}
        for result, number in zip(results, queries, strict=True)
    )
    assert summary == {
        "num_examples": 11,
        "skipped": 2,
        "succeeded": 6,
        "failed": 2,
        "errors": 0,
        "out_of_budget": 0,
        "untouched": 1,
        "accuracy_under_attack": 2 / 10,
        "accuracy_under_attack_bounds": [2 / 10, 2 / 10],
        "attack_success_rate": 6 / 8,
        "attack_success_rate_bounds": [6 / 8, 6 / 8],
        "mean_queries": 510 / 8,
        "mean_queries_at_least": 510 / 8,
        "seconds": 5.5,
    }


def results(**counts):
    named = [name for name, number in counts.items() for _ in range(number)]
    return [{"result": name, "queries": 8, "seconds": 0.5} for name in named]


def test_a_budget_leaves_a_range_and_no_number():
    """24 sentences at eight queries each: one failed, 14 ran out, three were wrong before."""
    summary = summarise(results(skipped=3, succeeded=6, failed=1, out_of_budget=13, error=1))
    assert summary["accuracy_under_attack_bounds"] == [1 / 24, 15 / 24]
    assert summary["attack_success_rate_bounds"] == [6 / 21, 20 / 21]
    numbers = ("accuracy_under_attack", "attack_success_rate", "mean_queries")
    assert [summary[name] for name in numbers] == [None, None, None]
    assert summary["mean_queries_at_least"] == 8


@pytest.mark.parametrize(("undecided", "is_open"), [(0, False), (2, False), (3, True)])
def test_from_a_point_on_bounds_are_told_apart(undecided, is_open):
    records = results(skipped=20, failed=80, succeeded=100 - undecided, error=undecided)
    summary = summarise(records)
    low, high = summary["accuracy_under_attack_bounds"]
    assert (low, high) == (80 / 200, (80 + undecided) / 200)
    assert (summary["accuracy_under_attack"] is None) is is_open
    assert is_open or low <= summary["accuracy_under_attack"] <= high
    # The success rate is of the 180 that were right before: it opens sooner.
    assert (summary["attack_success_rate"] is None) is (undecided / 180 > 0.01)


def test_texts_without_a_candidate_are_in_no_rate():
    summary = summarise(results(untouched=5))
    assert summary["untouched"] == summary["num_examples"] == 5
    rates = ("accuracy_under_attack", "attack_success_rate", "mean_queries")
    for name in (*rates, *(f"{rate}_bounds" for rate in rates[:2])):
        assert summary[name] is None
    assert summarise(results(untouched=5, failed=1, succeeded=3))["accuracy_under_attack"] == 1 / 4
    # Nor do those that were wrong before make a model look broken that nobody has attacked.
    assert summarise(results(untouched=5, skipped=2))["accuracy_under_attack"] is None
    assert summarise(results(skipped=2))["accuracy_under_attack"] == 0


def test_nothing_decided_has_no_rates():
    summary = summarise([{"result": "error", "queries": 3, "seconds": 1.0}])
    rates = ("accuracy_under_attack", "attack_success_rate", "mean_queries")
    assert [summary[rate] for rate in rates] == [None, None, None]
    assert summary["accuracy_under_attack_bounds"] == [0, 1]
    assert percent_between(accuracy_under_attack(summary)) == "0.0 to 100.0 %"


def test_unknown_result_is_refused():
    with pytest.raises(ValueError, match="sucess"):
        summarise([{"result": "sucess", "queries": 1, "seconds": 1.0}])


@given(records)
def test_every_sample_is_counted_once(attacked):
    summary = summarise(attacked)
    parts = ("skipped", "succeeded", "failed", "errors", "out_of_budget", "untouched")
    assert sum(summary[part] for part in parts) == summary["num_examples"] == len(attacked)


def naive(attacked, undecided_become):
    """Accuracy under attack and success rate, once every undecided sample has become something."""
    outcomes = [
        undecided_become if record["result"] in ("error", "out_of_budget") else record["result"]
        for record in attacked
        if record["result"] != "untouched"
    ]
    right_before = [outcome for outcome in outcomes if outcome != "skipped"]
    return (
        sum(outcome == "failed" for outcome in outcomes) / len(outcomes) if outcomes else None,
        sum(outcome == "succeeded" for outcome in right_before) / len(right_before)
        if right_before
        else None,
    )


@given(records)
def test_bounds_are_what_the_undecided_can_become(attacked):
    summary = summarise(attacked)
    (low, most), (high, least) = naive(attacked, "succeeded"), naive(attacked, "failed")
    nobody_attacked = summary["untouched"] and most is None
    low = None if nobody_attacked else low
    assert summary["accuracy_under_attack_bounds"] == (None if low is None else [low, high])
    assert summary["attack_success_rate_bounds"] == (None if most is None else [least, most])


@given(records)
def test_rates_equal_naive_arithmetic_where_they_have_a_number(attacked):
    summary = summarise(attacked)
    decided = [r for r in attacked if r["result"] not in ("error", "out_of_budget", "untouched")]
    right_before = [r for r in decided if r["result"] != "skipped"]
    if (aua := summary["accuracy_under_attack"]) is not None:
        right_after = [r["result"] == "failed" for r in decided]
        assert aua == pytest.approx(sum(right_after) / len(decided))
        low, high = summary["accuracy_under_attack_bounds"]
        assert low <= aua <= high
    if (success := summary["attack_success_rate"]) is not None:
        broken = [r["result"] == "succeeded" for r in right_before]
        assert success == pytest.approx(sum(broken) / len(right_before))
        mean = sum(r["queries"] for r in right_before) / len(right_before)
        assert summary["mean_queries"] == pytest.approx(mean)
