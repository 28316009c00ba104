"""The numbers that an attack shows."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from mindflood.attack.results.metrics import percent_between, summarise
from mindflood.cards.rates import accuracy_under_attack, attack_success_rate
from mindflood.progress import Display


class AttackProgress(Display):
    """Samples done, running Aua and Suc, queries a second and the time left.

    Args:
        title: what is being attacked.
        total: number of samples.
        records: those of an earlier run; they count in the rates, not in the speed.
        console: where to write; None is the standard error stream.
    """

    def __init__(
        self,
        title: str,
        total: int,
        records: Sequence[dict[str, Any]] = (),
        console: Console | None = None,
    ) -> None:
        super().__init__(title, total, len(records), seconds_between_lines=30, console=console)
        self._records = list(records)
        self._queries = 0

    def add(self, record: dict[str, Any]) -> None:
        """Count one more sample."""
        self._records.append(record)
        self._queries += record["queries"]
        self.advance(self._rates())

    def _rates(self) -> str:
        summary = summarise(self._records)
        aua, suc = accuracy_under_attack(summary), attack_success_rate(summary)
        speed = self._queries / max(self.seconds, 1e-6)
        shown = f"Aua {percent_between(aua)} Suc {percent_between(suc)} {speed:.0f} queries/s"
        for count in ("errors", "out_of_budget", "untouched"):
            shown += f" {summary[count]} {count.replace('_', ' ')}" if summary[count] else ""
        return shown
