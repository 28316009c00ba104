"""Malformed rows: refused, or counted and left out where that is asked for."""

from functools import cache

from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.terminal import tell

REMEDY = "; or leave such rows out with --skip-bad-rows (in a config task.skip_bad_rows: true)"


class BadRows:
    """The malformed rows of a part of a source: those that reading finds, and those whose text or
    label means nothing.

    Args:
        origin: the part, as a message names it.
    """

    def __init__(self, task: Task, origin: object) -> None:
        tsv = str(origin).casefold().endswith((".tsv", ".tsv.gz"))
        self.origin, self.skip = origin, task.skip_bad_rows or (task.malformed_tsv and tsv)
        self.count, self.first = 0, ""

    def add(self, fault: str) -> None:
        """Take note of a row.

        Args:
            fault: file and row, what is wrong with it, and what to do.

        Raises:
            UserError: malformed rows are refused.
        """
        if not self.skip:
            raise UserError(fault + REMEDY) from None
        self.count += 1
        self.first = self.first or fault

    def told(self) -> None:
        """Say on stderr, once a process, how many were left out and what was wrong first."""
        if self.count:
            rows = "1 malformed row" if self.count == 1 else f"{self.count} malformed rows"
            _say(f"{self.origin}: {rows} left out (first {self.first})")


@cache
def _say(line: str) -> None:
    tell(line)
