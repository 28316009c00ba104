"""What a training run shows: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 20.0


class TrainingProgress:
    """Loss, flood level, accuracy and time left of one run.

    Args:
        title: what is trained.
        total: optimizer steps of the whole run.
        done: steps done by an earlier process.
        silent: show nothing (the workers that do not write).
    """

    def __init__(self, title: str, total: int, done: int, silent: bool) -> None:
        console = Console(file=sys.stderr)
        self._terminal = console.is_terminal and not silent
        self._silent = silent
        self._title, self._total, self._done, self._first = title, total, done, done
        self._started = self._last_line = time.monotonic()
        self._accuracy = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._terminal,
        )
        self._task = self._bar.add_task(title, total=total, completed=done, numbers="")

    def __enter__(self) -> "TrainingProgress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def step(self, loss: float, level: float | None) -> None:
        """One optimizer step is done."""
        self._done += 1
        numbers = f"loss {loss:.4f}"
        if level is not None:
            numbers += f"  level {level:g}{' flooding' if loss < level else ''}"
        numbers += self._accuracy
        self._bar.update(self._task, advance=1, numbers=numbers)
        now = time.monotonic()
        due = now - self._last_line >= _SECONDS_BETWEEN_LINES or self._done == self._total
        if not self._terminal and not self._silent and due:
            self._last_line = now
            left = (self._total - self._done) * (now - self._started) / (self._done - self._first)
            print(
                f"{self._title}  {self._done}/{self._total}  {numbers}  {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def accuracy(self, value: float) -> None:
        """The accuracy at the end of an epoch, a fraction."""
        self._accuracy = f"  accuracy {100 * value:.1f} %"
