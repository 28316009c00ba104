"""Counts and rates of an attack against arithmetic on whole lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.metrics import OUTCOMES, summarise

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
    results = ["skipped"] * 2 + ["succeeded"] * 6 + ["failed"] * 2 + ["error", "out_of_budget"]
    queries = [1, 1, 10, 20, 30, 40, 50, 60, 100, 200, 999, 5000]
    summary = summarise(
        {"result": result, "queries": number, "seconds": 0.5}
        for result, number in zip(results, queries, strict=True)
    )
    assert summary == {
        "num_examples": 12,
        "skipped": 2,
        "succeeded": 6,
        "failed": 2,
        "errors": 1,
        "out_of_budget": 1,
        "accuracy_under_attack": 2 / 10,
        "attack_success_rate": 6 / 8,
        "mean_queries": 510 / 8,
        "seconds": 6.0,
    }


def test_nothing_attacked_has_no_rates():
    summary = summarise([{"result": "error", "queries": 3, "seconds": 1.0}])
    rates = ("accuracy_under_attack", "attack_success_rate", "mean_queries")
    assert [summary[rate] for rate in rates] == [None, None, None]


def test_unknown_result_is_refused():
    with pytest.raises(ValueError, match="sucess"):
        summarise([{"result": "sucess", "queries": 1, "seconds": 1.0}])


@given(records)
def test_every_sample_is_counted_once(attacked):
    summary = summarise(attacked)
    parts = ("skipped", "succeeded", "failed", "errors", "out_of_budget")
    assert sum(summary[part] for part in parts) == summary["num_examples"] == len(attacked)


@given(records)
def test_rates_equal_naive_arithmetic(attacked):
    summary = summarise(attacked)
    counted = [r for r in attacked if r["result"] not in ("error", "out_of_budget")]
    right_before = [r for r in counted if r["result"] != "skipped"]
    if counted:
        right_after = [r["result"] == "failed" for r in counted]
        assert summary["accuracy_under_attack"] == pytest.approx(sum(right_after) / len(counted))
    if right_before:
        clean = len(right_before) / len(counted)
        aua = summary["accuracy_under_attack"]
        assert summary["attack_success_rate"] == pytest.approx((clean - aua) / clean)
        mean = sum(r["queries"] for r in right_before) / len(right_before)
        assert summary["mean_queries"] == pytest.approx(mean)
