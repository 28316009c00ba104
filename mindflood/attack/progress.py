"""How an attack is getting on: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mindflood.attack.metrics import summarise

_SECONDS_BETWEEN_LINES = 30.0


class AttackProgress:
    """Shows samples done, running Aua and Suc, queries a second and the time left.

    Args:
        title: what is being attacked.
        total: number of samples.
        done: records of an earlier run; they count in the rates, not in the speed.
        console: where to write; None is the standard error stream.
    """

    def __init__(
        self,
        title: str,
        total: int,
        done: Sequence[dict[str, Any]] = (),
        console: Console | None = None,
    ) -> None:
        self.title, self.total = title, total
        self._records = list(done)
        self._before = len(self._records)
        self._queries = 0
        self._console = console or Console(stderr=True)
        self._started = self._last_line = time.monotonic()
        self._bar = Progress(
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=total, completed=self._before, rates="")

    def add(self, record: dict[str, Any]) -> None:
        """Count one more sample."""
        self._records.append(record)
        self._queries += record["queries"]
        self._bar.update(self._task, completed=len(self._records), rates=self._rates())
        now = time.monotonic()
        last = len(self._records) == self.total
        if not self._console.is_terminal and (
            last or now - self._last_line >= _SECONDS_BETWEEN_LINES
        ):
            self._last_line = now
            self._console.print(
                f"{self.title}: {len(self._records)}/{self.total} {self._rates()} "
                f"{self._left(now)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
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

    def _rates(self) -> str:
        summary = summarise(self._records)
        aua, suc = summary["accuracy_under_attack"], summary["attack_success_rate"]
        speed = self._queries / max(time.monotonic() - self._started, 1e-6)
        shown = f"Aua {_percent(aua)} Suc {_percent(suc)} {speed:.0f} queries/s"
        return shown + (f" {summary['errors']} errors" if summary["errors"] else "")

    def _left(self, now: float) -> str:
        per_sample = (now - self._started) / max(1, len(self._records) - self._before)
        return f"{per_sample * (self.total - len(self._records)):.0f} s left"


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"
