"""The numbers that a training run shows."""

from mindflood.progress import Display


class TrainingProgress(Display):
    """Loss, flood level, accuracy and time left of one run.

    Args:
        title: what is trained.
        total: optimizer steps of the whole run.
        done: steps done by an earlier process.
        silent: show nothing (the workers that do not write).
    """

    def __init__(self, title: str, total: int, done: int, silent: bool) -> None:
        super().__init__(title, total, done, seconds_between_lines=20, silent=silent)
        self._accuracy = ""

    def step(self, loss: float, level: float | None) -> None:
        """One optimizer step is done."""
        numbers = f"loss {loss:.4f}"
        if level is not None:
            numbers += f"  level {level:g}{' flooding' if loss < level else ''}"
        self.advance(numbers + self._accuracy)

    def evaluated(self, result: str) -> None:
        """What the evaluation at the end of an epoch came to."""
        self._accuracy = f"  {result}"
