"""Budgets: what is refused, and that numbers within different ones do not compare."""

import pytest

from mindflood.attack.settings import UNLIMITED, Budget
from mindflood.errors import UserError

RECIPE = "0123456789abcdef"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_queries": 0}, "--max-queries 0: expected 1 or more"),
        ({"max_seconds": 0.0}, "--max-seconds 0: expected more than 0"),
        ({"max_seconds": float("nan")}, "--max-seconds nan: expected more than 0"),
    ],
)
def test_a_limit_that_allows_nothing_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        Budget(**settings)


def test_a_fingerprint_names_the_budget():
    assert UNLIMITED.fingerprint(RECIPE) == RECIPE
    budgets = [Budget(100), Budget(101), Budget(None, 100), Budget(100, 100), UNLIMITED]
    assert len({budget.fingerprint(RECIPE) for budget in budgets}) == len(budgets)
    assert Budget(100).fingerprint(RECIPE) != Budget(100).fingerprint(RECIPE[::-1])
