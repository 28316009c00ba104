"""A search that knows whether its budget cut it short, and whether it had anything to try."""

from collections.abc import Sequence
from typing import Any

from mindflood.attack.searches import OutOfTimeError
from mindflood.attack.textattack_import import textattack


class OutOfQueriesError(Exception):
    """Raised inside a search that has used up its queries and asks for more."""


class NoWordsError(Exception):
    """Raised inside a swarm whose text has no words, out of which TextAttack's would draw one."""


class BudgetedSearch:
    """The search method of an attack of one sample.

    TextAttack stops a search with its last query, whether or not it would have asked for more. Here
    it goes on until it does, so that one that ends by itself is told from one that was cut short.

    Args:
        attack: a ``textattack.Attack`` of the sample's own.

    Attributes:
        cut_short: whether the search asked for more than its budget.
        touched: whether the victim was shown a candidate: a text that the transformation made, that
            is not the original and that satisfied the constraints. The texts that a search asks
            for to rank the words, with one left out or masked, are none.
    """

    def __init__(self, attack: Any) -> None:
        self.cut_short = self.touched = False
        self._out_of_time = False
        self._method, self._goal = attack.search_method, attack.goal_function
        self._method.get_goal_results = self._goal_results
        self._transformed = self._method.get_transformations
        self._method.get_transformations = self._candidates
        self._found: set[str] = set()  # candidates, until one of them is shown
        self._takes_nothing = False
        if isinstance(self._method, textattack.search_methods.ParticleSwarmOptimization):
            self._method._get_best_neighbors = self._best_neighbours

    def __call__(self, initial_result: Any) -> Any:
        """The search's result; ``initial_result`` where it was cut short before it had one."""
        try:
            return self._method(initial_result)
        except (OutOfQueriesError, OutOfTimeError):
            self.cut_short = True
            initial_result.num_queries = self._goal.num_queries
            return initial_result
        except NoWordsError:
            return initial_result

    def _candidates(self, text: Any, original_text: Any = None, **options: Any) -> list[Any]:
        """As ``Attack.get_transformations``, and remembers what it came to."""
        candidates: list[Any] = self._transformed(text, original_text, **options)
        if not self.touched:
            self._found.update(candidate.text for candidate in candidates)
            self._found.discard(self._goal.initial_attacked_text.text)
        return candidates

    def _goal_results(self, texts: Sequence[Any]) -> tuple[list[Any], bool]:
        """As ``GoalFunction.get_results``, which answers as many texts as queries are left.

        Most searches cannot take an empty answer, and are ended by an exception.
        """
        left = self._goal.query_budget - self._goal.num_queries
        self.cut_short = self.cut_short or len(texts) > left
        if self.cut_short and (left == 0 or self._out_of_time):
            if self._takes_nothing:
                return [], True
            raise OutOfQueriesError
        try:
            results, _ = self._goal.get_results(texts)
        except OutOfTimeError:
            self.cut_short = self._out_of_time = True
            if self._takes_nothing:
                return [], True
            raise
        if not self.touched and any(result.attacked_text.text in self._found for result in results):
            self.touched = True
            self._found.clear()
        return results, self.cut_short

    def _best_neighbours(self, current: Any, original: Any) -> tuple[list[Any], Any]:
        """As the swarm's own, which goes on to the other words with what it has found so far.

        A particle that succeeded before stays in the swarm until all have moved: an exception
        would lose it.
        """
        if not current.attacked_text.words:
            raise NoWordsError
        self._takes_nothing = True
        try:
            return type(self._method)._get_best_neighbors(self._method, current, original)
        except OutOfTimeError:  # of a model that a constraint asks
            self.cut_short = self._out_of_time = self._method._search_over = True
            return [current], [1.0]
        finally:
            self._takes_nothing = False
