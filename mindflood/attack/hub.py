"""Many searches in one thread: what they ask of a model is answered for all of them at once.

Each search runs in a greenlet until it asks a model through a
:class:`~mindflood.attack.broker.Broker`. Once every search waits, each model answers what all of
them ask, and they go on in the order in which they began. There is no second thread, so the same
searches take the same way every time.
"""

import math
from collections.abc import Generator, Iterable
from itertools import chain
from time import perf_counter
from typing import Any, TypeVar

from mindflood.attack.broker import Broker
from mindflood.attack.search import Search, Task

Result = TypeVar("Result")


def run_searches(
    tasks: Iterable[Task[Result]],
    *,
    at_once: int,
    max_size: float = math.inf,
    max_seconds: float = math.inf,
) -> Generator[Search[Result], None, None]:
    """Run searches side by side; yields each as it ends, its result in it.

    A task is taken from ``tasks`` only when it can begin.

    Args:
        at_once: most searches in work.
        max_size: none begins while those in work are together of this size or larger.
        max_seconds: a search that has cost more gets an
            :class:`~mindflood.attack.search.OutOfTimeError` when it next asks a model.

    Raises:
        BaseException: what a search raises; the others are ended.
    """
    upcoming = iter(tasks)
    working: list[Search[Result]] = []
    try:
        while True:
            while len(working) < at_once and sum(s.task.size for s in working) < max_size:
                if (task := next(upcoming, None)) is None:
                    break
                working.append(Search(task, max_seconds))
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


def _answer(waiting: Iterable[Search[Any]]) -> None:
    """Let each model answer all that is asked of it."""
    askers: dict[Broker[Any, Any], list[Search[Any]]] = {}
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


def _answer_together(broker: Broker[Any, Any], searches: list[Search[Any]]) -> None:
    asked = [search.asked[1] for search in searches]
    started = perf_counter()
    queries = list(dict.fromkeys(chain.from_iterable(asked)))
    answers = dict(zip(queries, broker.answer(queries), strict=True))
    seconds = perf_counter() - started
    sizes = [sum(map(broker.size, queries)) for queries in asked]
    for search, queries, size in zip(searches, asked, sizes, strict=True):
        search.reply([answers[query] for query in queries], seconds * size / sum(sizes))


def _end(searches: Iterable[Search[Any]]) -> None:
    for search in searches:
        if not search.dead:
            search.throw()  # GreenletExit: the search's own clean-up runs
