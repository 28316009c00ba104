"""Puts a model behind the hub: equal queries are answered once, and those of all searches together.

A component that asks a model does it through a broker and need not know who else does::

    vectors = Broker(encode)            # encode: n different texts → their n vectors
    first, second = vectors.ask(texts)  # in a search this waits for the hub; elsewhere it encodes
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from mindflood.attack.search import running_search

Query = TypeVar("Query", bound=Hashable)
Answer = TypeVar("Answer")


class Broker(Generic[Query, Answer]):
    """Answers queries of one model.

    Args:
        model: from n different queries to their n answers, in order. It runs outside of any
            search, with the random generators of none, and may not ask a broker itself.
        size: what a query costs, relative to others, such as its number of letters; at least 1.
        remembered: number of most recent answers that are kept, over all searches.
    """

    def __init__(
        self,
        model: Callable[[Sequence[Query]], Iterable[Answer]],
        *,
        size: Callable[[Query], int] = lambda query: 1,
        remembered: int = 0,
    ) -> None:
        self.size = size
        self._model = model
        self._remembered: OrderedDict[Query, Answer] = OrderedDict()
        self._capacity = remembered

    def ask(self, queries: Sequence[Query]) -> list[Answer]:
        """The answer to each query.

        Raises:
            OutOfTimeError: the search that asks has used up its seconds.
            Exception: what the model raises.
        """
        known = {query: self._recall(query) for query in queries if query in self._remembered}
        new = [query for query in dict.fromkeys(queries) if query not in known]
        if new:
            search = running_search()
            answers = self.answer(new) if search is None else search.wait_for(self, new)
            known |= zip(new, answers, strict=True)
        return [known[query] for query in queries]

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Run the model on queries that differ from each other, and remember the answers."""
        answers = list(self._model(queries))
        if self._capacity:
            self._remembered.update(zip(queries, answers, strict=True))
            while len(self._remembered) > self._capacity:
                self._remembered.popitem(last=False)
        return answers

    def _recall(self, query: Query) -> Answer:
        self._remembered.move_to_end(query)
        return self._remembered[query]
