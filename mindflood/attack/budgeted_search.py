"""A search that knows whether its budget cut it short, or it had come to its end."""

from collections.abc import Sequence
from typing import Any

from mindflood.attack.search import OutOfTimeError


class OutOfQueriesError(Exception):
    """Raised inside a search that has used up its queries and asks for more."""


class BudgetedSearch:
    """The search method of an attack of one sample.

    TextAttack stops a search with its last query, whether or not it would have asked for more. Here
    it goes on until it does, so that one that ends by itself is told from one that was cut short.

    Args:
        attack: a ``textattack.Attack`` of the sample's own.

    Attributes:
        cut_short: whether the search asked for more than its budget.
    """

    def __init__(self, attack: Any) -> None:
        self.cut_short = False
        self._method, self._goal = attack.search_method, attack.goal_function
        self._method.get_goal_results = self._goal_results

    def __call__(self, initial_result: Any) -> Any:
        """The search's result; ``initial_result`` where it was cut short before it had one."""
        try:
            return self._method(initial_result)
        except (OutOfQueriesError, OutOfTimeError):
            self.cut_short = True
            initial_result.num_queries = self._goal.num_queries
            return initial_result

    def _goal_results(self, texts: Sequence[Any]) -> tuple[list[Any], bool]:
        """As ``GoalFunction.get_results``, which answers as many texts as queries are left."""
        left = self._goal.query_budget - self._goal.num_queries
        if len(texts) > left:
            self.cut_short = True
            if left == 0:
                raise OutOfQueriesError
        results, _ = self._goal.get_results(texts)
        return results, self.cut_short
