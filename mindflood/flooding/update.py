"""From gradients to weights: clip, skip on overflow, apply."""

from collections.abc import Sequence
from dataclasses import dataclass

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops


@dataclass(frozen=True)
class LossScale:
    """Dynamic loss scaling: halved on overflow, doubled after ``window`` steps without one.

    Attributes:
        initial, minimum: factors on the loss; the run stops on an overflow at ``minimum``.
        window: steps without overflow before the scale grows.
    """

    initial: float = 2.0**16
    minimum: float = 1.0
    window: int = 1000


class GradientUpdate(nn.Cell):
    """Apply gradients once they are known to be whole.

    Args:
        optimizer: called with the gradients that remain after unscaling and clipping.
        max_gradient_norm: bound on the global L2 norm, or None.
        loss_scale: settings of dynamic loss scaling, or None for float32.
        unclipped: parameters that are left out of the clipping and of its norm.
    """

    def __init__(
        self,
        optimizer: nn.Optimizer,
        max_gradient_norm: float | None,
        loss_scale: LossScale | None,
        unclipped: Sequence[Parameter] = (),
    ) -> None:
        super().__init__(auto_prefix=False)
        self.optimizer = optimizer
        self.max_gradient_norm = max_gradient_norm
        left_out = {parameter.name for parameter in unclipped}
        self.clips = tuple(parameter.name not in left_out for parameter in optimizer.parameters)
        self.clips_all = all(self.clips)
        self.scaled = loss_scale is not None
        self.settings = loss_scale or LossScale(initial=1.0)
        self.loss_scale = _state("loss_scale", self.settings.initial, ms.float32)
        self.good_steps = _state("good_steps", 0, ms.int32)
        self.gradient_norm = _state("gradient_norm", 0.0, ms.float32)
        self.applied = _state("applied", True, ms.bool_)

    def scale(self) -> Tensor:
        """The factor to put on the loss before the backward pass."""
        return self.loss_scale * 1.0

    def current_scale(self) -> float:
        """The loss scale, on the host."""
        return float(self.loss_scale.asnumpy())

    def construct(self, grads: tuple[Tensor, ...], J: Tensor, factor: Tensor) -> Tensor:
        """Update the weights with ``factor * grads``.

        Args:
            grads: float32, one a parameter, already reduced over the workers.
            J: the raw loss; with gradients that are finite but a loss that is not, no update.
            factor: scalar float32 that the gradients still lack (sign, 1 / loss scale).

        Returns:
            Scalar bool: whether the weights were updated.
        """
        norm = global_norm(grads) * ops.abs(factor)
        ops.assign(self.gradient_norm, norm)
        clipped = factor
        if self.max_gradient_norm is not None:
            bounded = norm if self.clips_all else self._norm_of_clipped(grads) * ops.abs(factor)
            clipped = factor * ops.minimum(self.max_gradient_norm / (bounded + 1e-6), Tensor(1.0))
        if not self.scaled:
            return self._apply(grads, factor, clipped)
        finite = ops.logical_and(ops.isfinite(norm), ops.isfinite(J))
        self._rescale(finite)
        ops.assign(self.applied, finite)
        if finite:
            self._apply(grads, factor, clipped)
        return finite

    def _apply(self, grads: tuple[Tensor, ...], factor: Tensor, clipped: Tensor) -> Tensor:
        if not self.scaled and self.max_gradient_norm is None:
            return self.optimizer(grads)
        final: tuple[Tensor, ...] = ()
        for index in range(len(grads)):
            final += (grads[index] * (clipped if self.clips[index] else factor),)
        return self.optimizer(final)

    def _norm_of_clipped(self, grads: tuple[Tensor, ...]) -> Tensor:
        chosen: tuple[Tensor, ...] = ()
        for index in range(len(grads)):
            if self.clips[index]:
                chosen += (grads[index],)
        return global_norm(chosen)

    def _rescale(self, finite: Tensor) -> None:
        grown = self.good_steps + 1
        ripe = ops.logical_and(finite, grown >= self.settings.window)
        lower = ops.maximum(self.loss_scale * 0.5, Tensor(self.settings.minimum, ms.float32))
        higher = ops.select(ripe, self.loss_scale * 2.0, self.loss_scale * 1.0)
        keeps_count = ops.logical_and(finite, ops.logical_not(ripe))
        ops.assign(self.loss_scale, ops.select(finite, higher, lower))
        ops.assign(self.good_steps, ops.select(keeps_count, grown, ops.zeros_like(grown)))


def global_norm(grads: tuple[Tensor, ...]) -> Tensor:
    """The L2 norm of all gradients as one vector (scalar float32).

    Rows are summed by a matrix product: MindSpore's ReduceSum is slow on large tensors on CPU
    and its L2Loss kernel loses four digits.
    """
    total = Tensor(0.0, ms.float32)
    for grad in grads:
        squares = ops.square(grad)
        if grad.ndim == 2:
            squares = ops.matmul(squares, ops.ones((grad.shape[1], 1), ms.float32))
        total = total + ops.reduce_sum(squares)
    return ops.sqrt(total)


def scaled(grads: tuple[Tensor, ...], factor: Tensor) -> tuple[Tensor, ...]:
    """Every gradient times the scalar ``factor``."""
    result: tuple[Tensor, ...] = ()
    for grad in grads:
        result += (grad * factor,)
    return result


def _state(name: str, value: float, dtype: ms.Type) -> Parameter:
    return Parameter(Tensor(value, dtype), name=name, requires_grad=False)
