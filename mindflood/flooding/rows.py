"""Flooding row by row: what every row's gradient counts with, from that row's loss.

With ℓ_i the loss of row i and s_i its share (1/B in a full batch), the direction of the update is
Σ s_i · w_i · ∇ℓ_i. The w_i are constants to the backward pass; they come from its own forward pass.
"""

from typing import Any

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding.row_methods import ROW_METHODS

_FAR = 1e6  # where x/√(x² + 1) is ±1 to float32; further out x² would overflow


class RowWeights(nn.Cell):
    """A rule of w_i, ``construct(losses, levels)``: float32 ``[B]`` from float32 ``[B]``.

    The levels are ``[B]`` or a scalar; a level of minus infinity is no flooding: w_i = 1.
    """

    own_levels = False

    def __init__(self) -> None:
        super().__init__(auto_prefix=False)


class IFlood(RowWeights):
    """sign(ℓ_i − b), of the objective mean |ℓ_i − b| + b (Xie et al. 2022, iFlood)."""

    def construct(self, losses: Tensor, levels: Tensor) -> Tensor:
        return ops.sign(losses - levels)


class SoftAD(RowWeights):
    """ρ'(x_i), x_i = (ℓ_i − θ)/σ, ρ(x) = √(x² + 1) − 1 (Holland & Nakatani 2024, SoftAD).

    The authors' release minimises σ² · mean ρ(x_i), whose direction is σ times this one; here a
    small σ leaves iFlood, and not a small step.

    Args:
        scale: σ, in nats.

    Raises:
        UserError: σ is not a positive number.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        if not 0 < scale < float("inf"):
            raise UserError(f"scale: {scale}: expected a positive number")
        self.scale = scale

    def construct(self, losses: Tensor, levels: Tensor) -> Tensor:
        x = ops.clip_by_value((losses - levels) / self.scale, -_FAR, _FAR)
        return x / ops.sqrt(ops.square(x) + 1.0)


class AdaFlood(IFlood):
    """sign(ℓ_i − θ_i): iFlood with a level a row (Bae et al. 2024, AdaFlood)."""

    own_levels = True


def rule_of(rows: str | RowWeights) -> RowWeights:
    """The rule of a name: ``iflood``, ``softad`` (σ = 1) or ``adaflood``.

    Raises:
        UserError: there is no such name.
    """
    if isinstance(rows, RowWeights):
        return rows
    if rows not in ROW_METHODS:
        raise UserError(f"rows: {rows!r}: expected {', '.join(ROW_METHODS)}, or a rule of w_i")
    rule: RowWeights = globals()[ROW_METHODS[rows].cell]()
    return rule


class RowFlood(nn.Cell):
    """From the losses of rows to what multiplies them, and what the trace tells of them."""

    def __init__(self, rule: RowWeights) -> None:
        super().__init__(auto_prefix=False)
        self.rule = rule

    def construct(self, losses: Tensor, shares: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        """s_i · w_i, float32 ``[B]``, and (J, share of the rows that climb), float32 ``[2]``.

        Args:
            losses: ℓ, float32 ``[B]``.
            shares: s, float32 ``[B]``; 0 for rows that only fill the batch.
            levels: float32 ``[B]`` or scalar.
        """
        losses = ops.stop_gradient(losses)
        weights = self.rule(losses, levels)
        climbing = ops.cast(weights < 0, ms.float32)
        measured = (ops.reduce_sum(losses * shares), ops.reduce_sum(climbing * shares))
        return weights * shares, ops.stack(measured)


class FloodedRows(nn.Cell):
    """The objective whose gradient is the direction: scale · Σ s_i · w_i · ℓ_i.

    Args:
        network: returns ℓ, float32 ``[B]``, where every row counts the same, or ℓ and s.
    """

    def __init__(self, network: nn.Cell, rule: RowWeights) -> None:
        super().__init__(auto_prefix=False)
        self.network = network
        self.flood = RowFlood(rule)

    def construct(self, scale: Tensor, levels: Tensor, *inputs: Any) -> tuple[Tensor, Tensor]:
        """The objective (scalar float32), and what :class:`RowFlood` measures."""
        losses, shares = losses_and_shares(self.network(*inputs))
        factors, measured = self.flood(losses, shares, levels)
        return ops.reduce_sum(losses * factors) * scale, measured


def losses_and_shares(returned: Any) -> tuple[Tensor, Tensor]:
    """ℓ and s, float32 ``[B]`` each, of what a network returns."""
    if isinstance(returned, tuple):
        losses, shares = ops.cast(returned[0], ms.float32), returned[1]
        _row_count(losses.shape)
        return losses, shares
    losses = ops.cast(returned, ms.float32)
    return losses, ops.ones_like(losses) / _row_count(losses.shape)


@ops.constexpr
def _row_count(shape: tuple[int, ...]) -> int:
    """B; at compile time in graph mode, which knows no exceptions of one's own."""
    if len(shape) != 1:
        raise ValueError(
            f"rows: the network returned a loss of shape {shape}, expected a loss a row, [B]; "
            "leave rows out to flood the mean of the batch"
        )
    return shape[0]
