"""Many searches in one thread: what they ask of a model is answered for all of them at once.

Each search runs in a greenlet, ordinary sequential code that is set aside when it asks a model
through a :class:`Broker`. Once every search waits, each model answers what all of them ask, equal
queries once, and they go on in the order in which they began. There is no second thread, so the
same searches take the same way every time. A component that asks a model need not know who else
does::

    vectors = Broker(encode)            # encode: n different texts → their n vectors
    first, second = vectors.ask(texts)  # in a search this waits for the others; else it encodes
"""

import math
import random
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from time import perf_counter
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from greenlet import getcurrent, greenlet
from typing_extensions import Self


@dataclass(frozen=True)
class ProcessState:
    """The global random generators that attacks draw from, and PyTorch's gradient mode."""

    python: tuple[Any, ...]
    numpy: Any
    torch: torch.Tensor
    gradients: bool

    @classmethod
    def now(cls) -> Self:
        """The state as it is."""
        return cls(
            random.getstate(),
            np.random.get_state(),
            torch.get_rng_state(),
            torch.is_grad_enabled(),
        )

    def restore(self) -> None:
        """Bring it back."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        torch.set_grad_enabled(self.gradients)


Result = TypeVar("Result")


class OutOfTimeError(Exception):
    """Raised inside a search that has used up its seconds and asks a model for more."""


@dataclass(frozen=True)
class PlannedSearch(Generic[Result]):
    """A search that has not begun.

    Attributes:
        run: the search; what it returns is its result.
        size: the memory it takes, relative to others, such as the number of words of its text.
    """

    run: Callable[[], Result]
    size: int = 1


class RunningSearch(greenlet, Generic[Result]):
    """A search in work.

    Args:
        planned: what is run.
        max_seconds: most that ``seconds`` may be when it asks a model.

    Attributes:
        size: the memory it takes, as planned.
        seconds: what it has cost so far: its own computing, and of each batch of a model the share
            that its queries are of the batch.
        asked: the broker and the queries it waits for, while it is not ``dead``.
        result: what the search returned, once it is ``dead``.
    """

    asked: "tuple[Broker[Any, Any], list[Any]]"
    result: Result

    def __init__(self, planned: PlannedSearch[Result], max_seconds: float = math.inf) -> None:
        super().__init__(planned.run)
        self.size = planned.size
        self.seconds = 0.0
        self._max_seconds = max_seconds
        self._resumed = 0.0
        self._reply: list[Any] | Exception | None = None
        self._state = ProcessState.now()

    def advance(self) -> None:
        """Go on until it asks a model or ends; what the search raises comes out here."""
        outside = ProcessState.now()
        self._state.restore()
        self._resumed = perf_counter()
        try:
            outcome = self._go_on()
        finally:
            self.seconds += perf_counter() - self._resumed
            self._state = ProcessState.now()
            outside.restore()
        if self.dead:
            self.result = outcome
        else:
            self.asked = outcome

    def _go_on(self) -> Any:
        reply, self._reply = self._reply, None
        if reply is None:
            return self.switch()
        return self.throw(reply) if isinstance(reply, Exception) else self.switch(reply)

    def wait_for(self, broker: "Broker[Any, Any]", queries: list[Any]) -> list[Any]:
        """Called inside the search: ``broker``'s answers to ``queries``, once the model has them.

        Raises:
            OutOfTimeError: the search has used up its seconds.
            Exception: what the model raised on these queries.
        """
        if self.seconds + perf_counter() - self._resumed > self._max_seconds:
            raise OutOfTimeError(f"more than {self._max_seconds:g} s")
        assert self.parent is not None, "only the greenlet of run_searches has no parent"
        answers: list[Any] = self.parent.switch((broker, queries))
        return answers

    def reply(self, answers: list[Any] | Exception, seconds: float) -> None:
        """What :meth:`wait_for` returns or raises when the search goes on, and what it cost."""
        self._reply = answers
        self.seconds += seconds


def running_search() -> RunningSearch[Any] | None:
    """The search that this code runs in; None outside of one."""
    current = getcurrent()
    return current if isinstance(current, RunningSearch) else None


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


def run_searches(
    planned: Iterable[PlannedSearch[Result]],
    *,
    at_once: int,
    max_size: float = math.inf,
    max_seconds: float = math.inf,
) -> Generator[RunningSearch[Result], None, None]:
    """Run searches side by side; yields each as it ends, its result in it.

    One is taken from ``planned`` only when it can begin.

    Args:
        at_once: most searches in work.
        max_size: none begins while those in work are together of this size or larger.
        max_seconds: a search that has cost more gets an
            :class:`~mindflood.attack.searches.OutOfTimeError` when it next asks a model.

    Raises:
        BaseException: what a search raises; the others are ended.
    """
    upcoming = iter(planned)
    working: list[RunningSearch[Result]] = []
    try:
        while True:
            while len(working) < at_once and sum(s.size for s in working) < max_size:
                if (following := next(upcoming, None)) is None:
                    break
                working.append(RunningSearch(following, max_seconds))
            if not working:
                return
            for search in list(working):
                search.advance()
                if search.dead:
                    working.remove(search)
                    yield search
            _answer(working)
    finally:
        _end(working)


def _answer(waiting: Iterable[RunningSearch[Any]]) -> None:
    """Let each model answer all that is asked of it."""
    askers: dict[Broker[Any, Any], list[RunningSearch[Any]]] = {}
    for search in waiting:
        askers.setdefault(search.asked[0], []).append(search)
    for broker, searches in askers.items():
        try:
            _answer_together(broker, searches)
        except Exception:  # one of them asks what the model cannot take: the others go on
            for search in searches:
                try:
                    _answer_together(broker, [search])
                except Exception as error:
                    search.reply(error, 0.0)


def _answer_together(broker: Broker[Any, Any], searches: list[RunningSearch[Any]]) -> None:
    asked = [search.asked[1] for search in searches]
    started = perf_counter()
    queries = list(dict.fromkeys(chain.from_iterable(asked)))
    answers = dict(zip(queries, broker.answer(queries), strict=True))
    seconds = perf_counter() - started
    sizes = [sum(map(broker.size, queries)) for queries in asked]
    for search, queries, size in zip(searches, asked, sizes, strict=True):
        search.reply([answers[query] for query in queries], seconds * size / sum(sizes))


def _end(searches: Iterable[RunningSearch[Any]]) -> None:
    for search in searches:
        if not search.dead:
            search.throw()  # GreenletExit: the search's own clean-up runs
