"""Flooding under gradient accumulation: one sign for the whole effective batch."""

import math
from collections.abc import Sequence
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding.step import FloodingTrainOneStepCell


class AccumulatedFloodingStep:
    """Flooding steps on the weighted mean of J over micro-batches, with one sign for all of them.

    The sign of J - b is known only when the last micro-batch has been seen, and a gradient is
    linear in its sensitivity; so the raw gradients are averaged, and the mean takes the sign. A
    step that floods row by row has no sign to wait for: the weights are each row's own.

    Args:
        step: the one-batch cell; its network returns the mean over the rows that it is given, here
            as there.
    """

    def __init__(self, step: FloodingTrainOneStepCell) -> None:
        self.step = step
        self._accumulate = _Accumulate(step)
        self._apply = _Apply(step, self._accumulate)

    def __call__(
        self, micro_batches: Sequence[Sequence[Any]], weights: Sequence[float] | None = None
    ) -> Tensor:
        """Step on the batch that the micro-batches make up; returns its raw J (scalar float32).

        Args:
            micro_batches: the network's inputs, one sequence each.
            weights: of the micro-batches, as many; their rows, where these differ. Only the ratios
                count. None: all weigh the same. Data-parallel workers weigh the same, whatever
                the weights on each.

        Raises:
            UserError: no micro-batch; or weights that are not as many, finite and above 0.
        """
        for inputs, share in zip(micro_batches, _shares(len(micro_batches), weights), strict=True):
            self._accumulate(Tensor(share, ms.float32), *inputs)
        return self._apply()


def _shares(count: int, weights: Sequence[float] | None) -> list[float]:
    """The weights divided by their sum."""
    if not count:
        raise UserError("micro_batches: none to step on; expected at least one")
    if weights is None:
        return [1.0 / count] * count
    if len(weights) != count:
        raise UserError(f"weights: {len(weights)} for {count} micro-batches; expected one each")
    total = math.fsum(weights)
    if not (math.isfinite(total) and all(weight > 0 for weight in weights)):
        raise UserError(f"weights: {list(weights)}: expected finite numbers above 0")
    return [weight / total for weight in weights]


class _Accumulate(nn.Cell):
    """Add a micro-batch's share of J and of its gradients to the running sums."""

    def __init__(self, step: FloodingTrainOneStepCell) -> None:
        super().__init__(auto_prefix=False)
        self.step = step
        self.update = step.update
        self.sums = step.weights.clone(prefix="accumulated", init="zeros")
        nothing = np.zeros(2 if step.by_rows else (), np.float32)
        self.loss = Parameter(Tensor(nothing), name="accumulated_loss", requires_grad=False)

    def construct(self, share: Tensor, *inputs: Any) -> Tensor:
        # The share goes in with the loss scale, so that half precision has the range of a whole
        # batch's gradients.
        J, grads = self.step.loss_and_gradients(self.update.scale() * share, *inputs)
        ops.assign_add(self.loss, J * share)
        for i in range(len(self.sums)):
            ops.assign_add(self.sums[i], grads[i])
        return J


class _Apply(nn.Cell):
    """Take the sign on the sum, update, and start again from zero."""

    def __init__(self, step: FloodingTrainOneStepCell, accumulate: _Accumulate) -> None:
        super().__init__(auto_prefix=False)
        self.step = step
        self.grad_reducer = step.grad_reducer
        self.update = step.update
        self.sums = accumulate.sums
        self.loss = accumulate.loss

    def construct(self) -> Tensor:
        J, sign = self.step.judged(self.loss * 1.0)
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
