"""How far long work has come: a bar on a terminal, a line now and then elsewhere."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from typing_extensions import Self

from mindflood.visible import visible_line


class Pace:
    """How long work still takes, judged by the later half of what was done.

    The first pieces are slow: they load and compile, and compile again for each new length. So
    nothing is judged by fewer than ``LEAST`` reports, nor while one of them took most of the time.

    Args:
        now: seconds of any clock.
        done: pieces done by then.
    """

    LEAST = 8
    MOST = 2000

    def __init__(self, now: float, done: int) -> None:
        self._marks = deque([(now, done)], self.MOST)

    def report(self, now: float, done: int) -> None:
        """So many pieces are done by ``now``."""
        self._marks.append((now, done))

    def left(self, total: int) -> float | None:
        """Seconds until ``total`` pieces are done, None where that cannot be told yet."""
        (now, done), reports = self._marks[-1], len(self._marks) - 1
        if done >= total:
            return 0.0
        if reports < self.LEAST:
            return None
        later = list(self._marks)[reports // 2 :]
        start, before = later[0]
        longest = max(end - begin for (begin, _), (end, _) in pairwise(later))
        if done == before or longest > (now - start) / 2:
            return None
        return (total - done) * (now - start) / (done - before)


class Display:
    """Shows how much is done, the latest numbers and the time left.

    Args:
        title: what is being done.
        total: pieces of work in all.
        done: pieces done by an earlier process; they do not count in the speed.
        seconds_between_lines: where there is no terminal.
        console: where to write; None is the standard error stream.
        silent: show nothing.
    """

    def __init__(
        self,
        title: str,
        total: int,
        done: int,
        seconds_between_lines: float,
        console: Console | None = None,
        silent: bool = False,
    ) -> None:
        self.title, self.total, self.done = visible_line(title), total, done
        self._console = console or Console(stderr=True)
        self._prints_lines = not (self._console.is_terminal or silent)
        self._seconds_between_lines = seconds_between_lines
        self._started = self._last_line = time.monotonic()
        self._pace = Pace(self._started, done)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=silent or not self._console.is_terminal,
        )
        self._task = self._bar.add_task(
            self.title, total=total, completed=done, numbers="", left=""
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since the display was made."""
        return time.monotonic() - self._started

    def advance(self, numbers: str, pieces: int = 1) -> None:
        """So many more pieces are done; ``numbers`` say how it stands."""
        now = time.monotonic()
        self.done += pieces
        self._pace.report(now, self.done)
        due = now - self._last_line >= self._seconds_between_lines or self.done == self.total
        if self._prints_lines and due:
            self._last_line = now
            parts = (self.title, f"{self.done}/{self.total}", numbers, self._left())
            self._console.print(
                "  ".join(filter(None, parts)), markup=False, highlight=False, soft_wrap=True
            )
        elif not self._bar.disable:
            self._bar.update(self._task, completed=self.done, numbers=numbers, left=self._left())

    def expect(self, total: int) -> None:
        """There are so many pieces in all."""
        self.total = total
        self._bar.update(self._task, total=total)

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """No bar while something else shows its own."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def _left(self) -> str:
        seconds = self._pace.left(self.total)
        return "" if seconds is None else f"{seconds:.0f} s left"
