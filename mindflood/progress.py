"""How far long work has come: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typing_extensions import Self

from mindflood.visible import visible_line


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
        self._before = done
        self._console = console or Console(stderr=True)
        self._prints_lines = not (self._console.is_terminal or silent)
        self._seconds_between_lines = seconds_between_lines
        self._started = self._last_line = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=silent or not self._console.is_terminal,
        )
        self._task = self._bar.add_task(self.title, total=total, completed=done, numbers="")

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
        self.done += pieces
        self._bar.update(self._task, completed=self.done, numbers=numbers)
        now = time.monotonic()
        due = now - self._last_line >= self._seconds_between_lines or self.done == self.total
        if self._prints_lines and due:
            self._last_line = now
            left = (self.total - self.done) * self.seconds / (self.done - self._before)
            self._console.print(
                f"{self.title}  {self.done}/{self.total}  {numbers}  {left:.0f} s left",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
