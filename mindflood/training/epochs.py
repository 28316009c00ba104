"""Which rows each epoch trains on, and how many steps that makes: the same in all, or found.

Training on adversarial examples (Yoo & Qi 2021) knows the rows of an epoch only when it begins, and
so the number of its steps. The plan then counts anew, and its learning rate goes on from where it
is, in a line, to zero at the end of the steps that are really made.
"""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from mindflood.data.batching import Batches
from mindflood.data.sources import Examples
from mindflood.training.decay import Decay


class Epochs:
    """Every epoch on the same rows.

    Args:
        batches: of an epoch.
        count: number of epochs.
    """

    def __init__(self, batches: Batches, count: int) -> None:
        self.batches, self.count = batches, count

    @property
    def total(self) -> int:
        """Steps of all epochs, as far as is known."""
        return self.count * self.batches.steps_per_epoch

    def of(self, step: int) -> int:
        """The epoch (from 0) of a step (from 0)."""
        return step // self.batches.steps_per_epoch

    def span(self, epoch: int) -> tuple[int, int]:
        """Its first step, and the first that is no longer its own."""
        steps = self.batches.steps_per_epoch
        return epoch * steps, (epoch + 1) * steps

    def done(self, step: int) -> float:
        """Epochs done after that many steps."""
        return step / self.batches.steps_per_epoch

    def begin(self, epoch: int) -> Batches:
        """The rows of an epoch, called when it begins or goes on."""
        return self.batches

    def seconds(self, epoch: int) -> float:
        """Spent on finding the rows of an epoch that begins."""
        return 0.0

    def resume(self, step: int) -> None:
        """Take in what is known of the epochs before a step."""


@dataclass
class Plan:
    """The steps of epochs on n rows, of which some have adversarial rows besides.

    Attributes:
        rows: n.
        batch_size: B.
        epochs: E.
        clean: C, epochs without adversarial rows before the first.
        interval: epochs from one attack to the next; those between have the last one's rows again.
        wanted: ⌈γ·n⌉, which an attack stops at, and is thought to find until one has found fewer.
        counts: adversarial rows by the epoch (from 0) at whose beginning they were found.
    """

    rows: int
    batch_size: int
    epochs: int
    clean: int
    interval: int
    wanted: int
    counts: dict[int, int] = field(default_factory=dict)

    def attacks(self, epoch: int) -> bool:
        """Whether the epoch begins with an attack."""
        return epoch >= self.clean and (epoch - self.clean) % self.interval == 0

    def source(self, epoch: int) -> int | None:
        """The epoch whose attack found the rows of this one; None: it is clean."""
        if epoch < self.clean:
            return None
        return epoch - (epoch - self.clean) % self.interval

    def steps(self, epoch: int) -> int:
        """Steps of an epoch; what is not known yet is as many as the last attack found."""
        source, found = self.source(epoch), 0
        if source is not None:
            last = self.counts[max(self.counts)] if self.counts else self.wanted
            found = self.counts.get(source, last)
        return math.ceil((self.rows + found) / self.batch_size)

    def starts(self) -> list[int]:
        """The first step of every epoch, and behind them the steps of all."""
        return [0, *accumulate(map(self.steps, range(self.epochs)))]


@dataclass(frozen=True)
class Round:
    """What an attack found, in a fixed order, and how long that took on the clock, in seconds."""

    examples: Examples
    seconds: float


class FoundEpochs(Epochs):
    """Epochs of which those after the clean ones have adversarial rows besides.

    Args:
        batches: of a clean epoch.
        plan: without counts.
        find: the rows of the attack that begins an epoch (from 0), on the model as it is; or, if
            the second argument is True, what stands in the RUN folder of a model before.
        unite: batches of the rows of ``batches`` and those found.

    Attributes:
        decay: of the learning rate, told whenever the plan changes.
    """

    def __init__(
        self,
        batches: Batches,
        plan: Plan,
        find: Callable[[int, bool], Round],
        unite: Callable[[Examples], Batches],
    ) -> None:
        super().__init__(batches, plan.epochs)
        self.plan, self.find, self.unite = plan, find, unite
        self.decay: Decay | None = None
        self.rounds: dict[int, Round] = {}
        self._united: tuple[int, Batches] | None = None
        self._starts = plan.starts()

    @property
    def total(self) -> int:
        return self._starts[-1]

    def of(self, step: int) -> int:
        return bisect.bisect_right(self._starts, step) - 1

    def span(self, epoch: int) -> tuple[int, int]:
        return self._starts[epoch], self._starts[epoch + 1]

    def done(self, step: int) -> float:
        epoch = min(self.of(step), self.count - 1)
        start, end = self.span(epoch)
        return epoch + (step - start) / (end - start)

    def begin(self, epoch: int) -> Batches:
        source = self.plan.source(epoch)
        if source is None:
            return self.batches
        if source not in self.rounds:
            self._take(source, begun=False)
        if self._united is None or self._united[0] != source:
            found = self.rounds[source].examples
            self._united = source, self.unite(found) if len(found) else self.batches
        return self._united[1]

    def seconds(self, epoch: int) -> float:
        return self.rounds[epoch].seconds if epoch in self.rounds else 0.0

    def resume(self, step: int) -> None:
        for epoch in range(self.count):
            if self._starts[epoch] >= step:
                return
            if self.plan.attacks(epoch):
                self._take(epoch, begun=True)

    def _take(self, epoch: int, *, begun: bool) -> None:
        self.rounds[epoch] = found = self.find(epoch, begun)
        self.plan.counts[epoch] = len(found.examples)
        self._starts = self.plan.starts()
        if self.decay is not None:
            self.decay.end_at(self.total, self._starts[epoch])
