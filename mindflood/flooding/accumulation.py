"""Flooding under gradient accumulation: one sign for the whole effective batch."""

from collections.abc import Sequence
from typing import Any

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from mindflood.flooding.step import FloodingTrainOneStepCell


class AccumulatedFloodingStep:
    """Flooding steps over micro-batches whose J and gradients add up before the sign is taken.

    The sign of J - b is known only when the last micro-batch has been seen, and a gradient is
    linear in its sensitivity; so the raw gradients are summed, and the sum takes the sign.

    Args:
        step: the one-batch cell; its network returns a micro-batch's *share* of J, so that the
            shares of one effective batch add up to the batch mean.
    """

    def __init__(self, step: FloodingTrainOneStepCell) -> None:
        self.step = step
        self._accumulate = _Accumulate(step)
        self._apply = _Apply(step, self._accumulate)

    def __call__(self, micro_batches: Sequence[Sequence[Any]]) -> Tensor:
        """Step on the batch that the micro-batches make up; returns its raw J (scalar float32)."""
        for inputs in micro_batches:
            self._accumulate(*inputs)
        return self._apply()


class _Accumulate(nn.Cell):
    """Add a micro-batch's share of J and its gradients to the running sums."""

    def __init__(self, step: FloodingTrainOneStepCell) -> None:
        super().__init__(auto_prefix=False)
        self.step = step
        self.update = step.update
        self.sums = step.weights.clone(prefix="accumulated", init="zeros")
        self.loss = Parameter(Tensor(0.0, ms.float32), name="accumulated_loss", requires_grad=False)

    def construct(self, *inputs: Any) -> Tensor:
        share, grads = self.step.loss_and_gradients(self.update.scale(), *inputs)
        ops.assign_add(self.loss, share)
        for i in range(len(self.sums)):
            ops.assign_add(self.sums[i], grads[i])
        return share


class _Apply(nn.Cell):
    """Take the sign on the sum, update, and start again from zero."""

    def __init__(self, step: FloodingTrainOneStepCell, accumulate: _Accumulate) -> None:
        super().__init__(auto_prefix=False)
        self.flood_level = step.flood_level
        self.mean_over_workers = step.mean_over_workers
        self.grad_reducer = step.grad_reducer
        self.update = step.update
        self.sums = accumulate.sums
        self.loss = accumulate.loss

    def construct(self) -> Tensor:
        J = self.mean_over_workers(self.loss * 1.0)
        sign = ops.sign(J - self.flood_level)
        grads: tuple[Tensor, ...] = ()
        for total in self.sums:
            grads += (total * sign,)
        grads = self.grad_reducer(grads)
        updated = self.update(grads, J, 1.0 / self.update.scale())
        J = ops.depend(J, updated)
        zeroed = ops.assign(self.loss, ops.depend(ops.zeros_like(self.loss), J))
        for total in self.sums:
            zeroed = ops.depend(zeroed, ops.assign(total, ops.depend(ops.zeros_like(total), J)))
        return ops.depend(J, zeroed)
