"""One search as a greenlet: ordinary sequential code, set aside while it waits for a model."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

from mindflood.attack.process_state import ProcessState

if TYPE_CHECKING:
    from mindflood.attack.broker import Broker

Result = TypeVar("Result")


class OutOfTimeError(Exception):
    """Raised inside a search that has used up its seconds and asks a model for more."""


@dataclass(frozen=True)
class Task(Generic[Result]):
    """A search to be run.

    Attributes:
        run: the search; what it returns is its result.
        size: the memory it takes, relative to others, such as the number of words of its text.
    """

    run: Callable[[], Result]
    size: int = 1


class Search(greenlet, Generic[Result]):
    """A task in work.

    Args:
        task: what is run.
        max_seconds: most that ``seconds`` may be when it asks a model.

    Attributes:
        seconds: what it has cost so far: its own computing, and of each batch of a model the share
            that its queries are of the batch.
        asked: the broker and the queries it waits for, while it is not ``dead``.
        result: what the task returned, once it is ``dead``.
    """

    asked: "tuple[Broker[Any, Any], list[Any]]"
    result: Result

    def __init__(self, task: Task[Result], max_seconds: float = math.inf) -> None:
        super().__init__(task.run)
        self.task = task
        self.seconds = 0.0
        self._max_seconds = max_seconds
        self._resumed = 0.0
        self._reply: list[Any] | Exception | None = None
        self._state = ProcessState.now()

    def advance(self) -> None:
        """Go on until it asks a model or ends; what the task raises comes out here."""
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
        """Called inside the search: ``broker``'s answers to ``queries``, once the hub has them.

        Raises:
            OutOfTimeError: the search has used up its seconds.
            Exception: what the model raised on these queries.
        """
        if self.seconds + perf_counter() - self._resumed > self._max_seconds:
            raise OutOfTimeError(f"more than {self._max_seconds:g} s")
        assert self.parent is not None, "only the hub's own greenlet has no parent"
        answers: list[Any] = self.parent.switch((broker, queries))
        return answers

    def reply(self, answers: list[Any] | Exception, seconds: float) -> None:
        """What :meth:`wait_for` returns or raises when the search goes on, and what it cost."""
        self._reply = answers
        self.seconds += seconds


def running_search() -> Search[Any] | None:
    """The search that this code runs in; None outside of one."""
    current = getcurrent()
    return current if isinstance(current, Search) else None
