"""The training step of a defence, which floods like any other."""

from collections.abc import Sequence
from typing import Any

from mindspore import Parameter, Tensor, nn, ops

from mindflood.defences.batch import Batch, named
from mindflood.defences.defence import Defence
from mindflood.flooding.rows import RowWeights
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale, scaled


class DefendedTrainOneStepCell(FloodingTrainOneStepCell):
    """One optimizer step with the gradients of a defence times sign(J - b).

    J is the defence's own loss: what its file says it returns. The sign is decided once a step, on
    the mean of J over all workers and micro-batches. Where the defence's loss floods row by row,
    the rows' weights take its place.

    Args:
        defence: one that ``remember``s keeps nothing of a step that is skipped.
        optimizer, level, max_gradient_norm, loss_scale, unclipped: as in
            ``FloodingTrainOneStepCell``.
    """

    def __init__(
        self,
        defence: Defence,
        optimizer: nn.Optimizer,
        level: float | None = None,
        *,
        max_gradient_norm: float | None = None,
        loss_scale: LossScale | None = None,
        unclipped: Sequence[Parameter] = (),
    ) -> None:
        super().__init__(
            defence.loss, optimizer, level,
            max_gradient_norm=max_gradient_norm, loss_scale=loss_scale, unclipped=unclipped,
            rows=defence.loss.flood.rule if defence.by_rows else None,
        )  # fmt: skip
        self.defence = defence
        self.remembers = hasattr(defence, "remember")

    def construct(self, *inputs: Any) -> Tensor:
        """Run one step and return the raw J (scalar float32), never the flooded loss."""
        scale = self.update.scale()
        batch = self.batch_of(scale, inputs)
        measured, grads, delta = self.defence(batch)
        J, sign = self.judged(measured)
        if not self.by_rows:
            grads = scaled(grads, sign)
        grads = self.grad_reducer(grads)
        J = ops.depend(J, self.update(grads, J, 1.0 / scale))
        if self.remembers:
            norm = ops.depend(self.update.gradient_norm * 1.0, J)
            finite = ops.logical_and(ops.isfinite(norm), ops.isfinite(J))
            J = ops.depend(J, self.defence.remember(finite, delta, batch))
        return J

    def loss_and_gradients(self, scale: Tensor, *inputs: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As that of the class above, of the defence."""
        measured, grads, _ = self.defence(self.batch_of(scale, inputs))
        return measured, grads

    def flood_rows(self, rule: RowWeights) -> None:
        """Nothing: the defence differentiates the rows' losses itself."""

    def batch_of(self, scale: Tensor, inputs: tuple[Any, ...]) -> Batch:
        """The inputs under their names, with the level of the rows where these are flooded."""
        if not self.by_rows:
            return named(scale, *inputs)
        levels, inputs = self.levels_of(inputs)
        return named(scale, *inputs, levels=levels)
