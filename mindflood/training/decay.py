"""A linear decay whose end may move while it is under way: no framework is imported here."""

from dataclasses import dataclass


@dataclass
class Decay:
    """The share of the peak after the warm-up: a line from 1 at W to 0 at T, which may bend.

    Where the end moves while the line is under way, it goes on from where it is to the new end.

    Attributes:
        warmup: W, steps.
        total: T, steps.
        start, share: a point of the line, where it bent last.
    """

    warmup: int
    total: int
    start: int = 0
    share: float = 1.0

    def __post_init__(self) -> None:
        self.start = self.warmup

    def end_at(self, total: int, step: int) -> None:
        """The end is another from ``step`` on."""
        if step > self.start:
            self.start, self.share = step, self.at(step)
        self.total = total

    def at(self, step: int) -> float:
        """The line at a step; above 1 before W."""
        return self.share * max(0, self.total - step) / max(1, self.total - self.start)
