"""The training step that floods: minimise |J - b| + b (Flooding-X, eq. 1)."""

from collections.abc import Sequence
from typing import Any

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding.update import GradientUpdate, LossScale

NO_FLOOD = float("-inf")  # J is never below it, so that the sign is always +1


def flood(loss: Tensor, level: Tensor | float) -> Tensor:
    """The flooded objective |J - b| + b (Flooding-X eq. 1, Ishida et al. 2020).

    Args:
        loss: J, the mean cross-entropy of the whole effective batch; scalar float32, in nats.
        level: the flood level b, same unit.

    Returns:
        Scalar float32. Its gradient is sign(J - b) times that of J, and 0 at J = b.
    """
    return ops.abs(loss - level) + level


def checked_level(level: float | None) -> float:
    """The level as the step cell holds it; None (no flooding) is minus infinity.

    Raises:
        UserError: ``level`` is negative or not a number.
    """
    if level is None:
        return NO_FLOOD
    if not level >= 0:
        raise UserError(f"flood_level: expected a number of at least 0 (or none), not {level}")
    return float(level)


class FloodingTrainOneStepCell(nn.TrainOneStepCell):
    """One optimizer step on |J - b| + b, in graph or PyNative mode.

    The flooded objective's gradient is sign(J - b) * dJ, so the sign goes in as the sensitivity
    of the backward pass and J itself is what comes back. Under data parallelism J is the mean
    over the workers before its sign is taken: every worker floods, or none does.

    Args:
        network: returns J, the batch mean loss, as a scalar float32 Tensor.
        optimizer: any MindSpore optimizer over the trainable parameters.
        level: the flood level b in nats; None trains without flooding.
        max_gradient_norm: the gradients are scaled down to this global L2 norm; None: no clipping.
        loss_scale: dynamic loss scaling for float16 or bfloat16 networks. A step whose gradients
            overflow on any worker changes nothing but the scale.
        unclipped: parameters of the optimizer whose gradients are neither clipped nor part of the
            norm that is bounded.

    After a call ``gradient_norm`` (before clipping) and ``applied`` hold what the step did.

    Raises:
        UserError: the level is negative or not a number.
    """

    def __init__(
        self,
        network: nn.Cell,
        optimizer: nn.Optimizer,
        level: float | None = None,
        *,
        max_gradient_norm: float | None = None,
        loss_scale: LossScale | None = None,
        unclipped: Sequence[Parameter] = (),
    ) -> None:
        super().__init__(network, optimizer)
        self.flood_level = Parameter(
            Tensor(checked_level(level), ms.float32), name="flood_level", requires_grad=False
        )
        self.update = GradientUpdate(optimizer, max_gradient_norm, loss_scale, unclipped)
        self.mean_over_workers = MeanOverWorkers(self.degree if self.reducer_flag else 1)

    def set_flood_level(self, level: float | None) -> None:
        """Change b in the running step; nothing is compiled again."""
        self.flood_level.set_data(Tensor(checked_level(level), ms.float32))

    def construct(self, *inputs: Any) -> Tensor:
        """Run one step and return the raw J (scalar float32), never the flooded loss."""
        J = self.mean_over_workers(self.network(*inputs))
        sign = ops.sign(J - self.flood_level)
        scale = self.update.scale()
        grads = self.grad(self.network, self.weights)(*inputs, sign * scale)
        grads = self.grad_reducer(grads)
        return ops.depend(J, self.update(grads, J, 1.0 / scale))

    def loss_and_gradients(self, scale: Tensor, *inputs: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The network's J and ``scale`` × its gradients, without a sign."""
        return self.network(*inputs), self.grad(self.network, self.weights)(*inputs, scale)


class MeanOverWorkers(nn.Cell):
    """The mean of a scalar over the data-parallel workers; the identity for one worker."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers
        self.all_reduce = ops.AllReduce() if workers > 1 else ops.Identity()

    def construct(self, value: Tensor) -> Tensor:
        if self.workers == 1:
            return value
        return self.all_reduce(value) / self.workers
