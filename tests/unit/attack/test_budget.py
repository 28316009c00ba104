"""Budgets: what is refused, and that numbers within different ones do not compare."""

import pytest

from mindflood.attack.settings import asked
from mindflood.config.attack import UNLIMITED, Budget
from mindflood.errors import UserError

RECIPE = "0123456789abcdef"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_queries": 0}, "--max-queries: expected at least 1, not 0"),
        ({"max_seconds": 0.0}, "--max-seconds: expected more than 0, not 0.0"),
        ({"max_seconds": float("nan")}, "--max-seconds: expected a number, not nan"),
    ],
)
def test_a_limit_that_allows_nothing_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        asked({"model": "model", "task": "sst2", "recipe": "pwws"} | settings)


def test_a_recipe_s_own_budget_is_that_of_an_attack_without_one():
    swarm = asked({"model": "model", "task": "sst2", "recipe": "pso"})
    assert swarm.deciding()["max_queries"] == swarm.settled().max_queries == 5000
    assert swarm.settled().fingerprint(RECIPE) == Budget(5000).fingerprint(RECIPE)
    limited = asked({"model": "model", "task": "sst2", "recipe": "pso", "max_queries": 7})
    assert limited.settled().max_queries == 7
    assert asked({"model": "model", "task": "sst2", "recipe": "bae"}).settled().max_queries is None


def test_a_fingerprint_names_the_budget():
    assert UNLIMITED.fingerprint(RECIPE) == RECIPE
    budgets = [Budget(100), Budget(101), Budget(None, 100), Budget(100, 100), UNLIMITED]
    assert len({budget.fingerprint(RECIPE) for budget in budgets}) == len(budgets)
    assert Budget(100).fingerprint(RECIPE) != Budget(100).fingerprint(RECIPE[::-1])
