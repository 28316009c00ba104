"""The training step that floods: minimise |J - b| + b (Flooding-X, eq. 1), or row by row."""

from collections.abc import Sequence
from typing import Any

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding.rows import FloodedRows, RowWeights, rule_of
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

    With ``rows`` every row has a weight of its own in place of the sign, from its own loss
    (:mod:`mindflood.flooding.rows`): ``iflood``, ``softad`` or ``adaflood``. For ``adaflood`` the
    step is called with the rows' levels, float32 ``[B]``, before the network's inputs.

    Args:
        network: returns J, the batch mean loss, as a scalar float32 Tensor. With ``rows`` it
            returns the loss of every row, float32 ``[B]``, whose mean is J; or these and a weight
            a row, float32 ``[B]``, with Σ weight · loss = J and 0 for rows that do not count.
        optimizer: any MindSpore optimizer over the trainable parameters.
        level: the flood level b in nats; None trains without flooding.
        rows: the name of a rule, or the rule itself, ``SoftAD(scale=0.5)``; None: the batch's sign.
        max_gradient_norm: the gradients are scaled down to this global L2 norm; None: no clipping.
        loss_scale: dynamic loss scaling for float16 or bfloat16 networks. A step whose gradients
            overflow on any worker changes nothing but the scale.
        unclipped: parameters of the optimizer whose gradients are neither clipped nor part of the
            norm that is bounded.

    After a call ``update.gradient_norm`` (before clipping), ``update.applied`` and, with ``rows``,
    ``climbing``, the share of the rows whose loss is raised, hold what the step did.

    Raises:
        UserError: the level is negative or not a number, or is given where rows have their own;
            there is no such rule.
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
        rows: str | RowWeights | None = None,
    ) -> None:
        super().__init__(network, optimizer)
        rule = None if rows is None else rule_of(rows)
        self.by_rows = rule is not None
        self.own_levels = rule is not None and rule.own_levels
        if self.own_levels and level is not None:
            raise UserError(f"flood_level: {level}: every row has a level of its own; leave it out")
        self.flood_level = Parameter(
            Tensor(checked_level(level), ms.float32), name="flood_level", requires_grad=False
        )
        self.update = GradientUpdate(optimizer, max_gradient_norm, loss_scale, unclipped)
        self.mean_over_workers = MeanOverWorkers(self.degree if self.reducer_flag else 1)
        self.climbing = Parameter(Tensor(0.0, ms.float32), name="climbing", requires_grad=False)
        if rule is not None:
            self.flood_rows(rule)

    def flood_rows(self, rule: RowWeights) -> None:
        """Make the objective of rows, and what differentiates it."""
        objective = FloodedRows(self.network, rule)
        self.of_rows = ms.value_and_grad(objective, None, self.weights, has_aux=True)

    def set_flood_level(self, level: float | None) -> None:
        """Change b in the running step; nothing is compiled again.

        Raises:
            UserError: the level is negative or not a number.
        """
        self.flood_level.set_data(Tensor(checked_level(level), ms.float32))

    def construct(self, *inputs: Any) -> Tensor:
        """Run one step and return the raw J (scalar float32), never the flooded loss."""
        scale = self.update.scale()
        if self.by_rows:
            measured, grads = self.loss_and_gradients(scale, *inputs)
            J, _ = self.judged(measured)
        else:
            J, sign = self.judged(self.network(*inputs))
            grads = self.grad(self.network, self.weights)(*inputs, sign * scale)
        grads = self.grad_reducer(grads)
        return ops.depend(J, self.update(grads, J, 1.0 / scale))

    def loss_and_gradients(self, scale: Tensor, *inputs: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The network's J and ``scale`` × its gradients, without the batch's sign.

        By rows, in place of J: J and the share of the rows that climb, float32 ``[2]``; each row's
        weight is in the gradients.
        """
        if self.by_rows:
            levels, inputs = self.levels_of(inputs)
            (_, measured), grads = self.of_rows(scale, levels, *inputs)
            return measured, grads
        return self.network(*inputs), self.grad(self.network, self.weights)(*inputs, scale)

    def judged(self, measured: Tensor) -> tuple[Tensor, Tensor]:
        """J over all workers, and what the gradients lack still: the batch's sign; by rows, 1.

        Args:
            measured: as :meth:`loss_and_gradients` returns it, of this worker's whole batch.
        """
        measured = self.mean_over_workers(measured)
        if not self.by_rows:
            return measured, ops.sign(measured - self.flood_level)
        J = ops.depend(measured[0], ops.assign(self.climbing, measured[1]))
        return J, ops.ones_like(J)

    def levels_of(self, inputs: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """The rows' levels, or b, and the inputs of the network."""
        if self.own_levels:
            return inputs[0], inputs[1:]
        return self.flood_level * 1.0, inputs


class MeanOverWorkers(nn.Cell):
    """The mean of a tensor over the data-parallel workers; the identity for one worker."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers
        self.all_reduce = ops.AllReduce() if workers > 1 else ops.Identity()

    def construct(self, value: Tensor) -> Tensor:
        if self.workers == 1:
            return value
        return self.all_reduce(value) / self.workers
