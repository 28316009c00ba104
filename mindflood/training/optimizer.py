"""AdamW with bias correction (Loshchilov & Hutter 2019, algorithm 2): MindSpore has none on CPU."""

import math
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

# As in transformers' Trainer, whatever the architecture calls them.
_NOT_DECAYED = (
    "bias",
    "LayerNorm.weight",
    "_layer_norm.weight",
    "relative_attention_bias.weight",
)


def parameter_groups(
    model: nn.Cell,
    weight_decay: float,
    beside: nn.Cell | None = None,
    decay_all_beside: bool = False,
) -> list[dict[str, Any]]:
    """The trainable parameters as optimizer groups: biases and LayerNorm are not decayed.

    ``beside`` is a second network that the same optimizer trains; ``decay_all_beside`` decays its
    biases too.
    """
    second = beside.trainable_params() if beside else []
    parameters = [*model.trainable_params(), *second]
    named = parameters if not decay_all_beside else model.trainable_params()
    plain = [p for p in named if p.name.endswith(_NOT_DECAYED)]
    exempt = {p.name for p in plain}
    decayed = [p for p in parameters if p.name not in exempt]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return [*(group for group in groups if group["params"]), {"order_params": parameters}]


class AdamW(nn.Optimizer):
    """Equal to ``torch.optim.AdamW`` when fed the same gradients, in graph mode and PyNative.

    On the CPU one fused kernel does m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g² and
    w ← w − lr′·(m / (√v + ε′) + λ′w). It knows no bias correction, but with c₁ = 1 − β₁ᵗ and
    c₂ = 1 − β₂ᵗ the choice lr′ = lr·√c₂/c₁, ε′ = ε·√c₂, λ′ = λ·lr/lr′ makes it
    w ← w − lr·((m/c₁) / (√(v/c₂) + ε) + λw).

    Args:
        parameters: parameters or groups of them (see :func:`parameter_groups`).
        learning_rate: a number, or a schedule cell called with the global step (from 0).
        betas, eps, weight_decay: as in PyTorch.
        fused: use the CPU kernel; None: where the device is the CPU.
    """

    def __init__(
        self,
        parameters: list[Any],
        learning_rate: float | nn.Cell = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        fused: bool | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay)
        self.fused = ms.get_context("device_target") == "CPU" if fused is None else fused
        self.beta1, self.beta2 = (Tensor(beta, ms.float32) for beta in betas)
        # Logarithms of the float32 numbers the kernel multiplies with, so that the weights of the
        # running means add up to c₁ and c₂ exactly.
        self.log_beta1, self.log_beta2 = (math.log(float(np.float32(beta))) for beta in betas)
        self.eps = eps
        self.exp_avg = self.parameters.clone(prefix="exp_avg", init="zeros")
        self.exp_avg_sq = self.parameters.clone(prefix="exp_avg_sq", init="zeros")
        self.kernel = ops.AdamWeightDecay()

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        """Update the parameters; gradients: float32, in the order of the parameters."""
        gradients = self.flatten_gradients(gradients)
        lr = self.get_lr()
        decays = self.get_weight_decay()
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        t = ops.cast(ops.reshape(self.global_step, ()), ms.float32)
        c1, c2 = -ops.expm1(t * self.log_beta1), -ops.expm1(t * self.log_beta2)
        ratio = ops.sqrt(c2) / c1
        eps = self.eps * ops.sqrt(c2)
        for index in range(len(self.parameters)):
            rate = lr[index] if self.is_group_lr else lr
            decay = decays[index] if self.is_group else decays
            self.update(index, gradients[index], rate * ratio, eps, decay / ratio)
        return self.global_step

    def update(self, index: int, gradient: Tensor, rate: Any, eps: Any, decay: Any) -> None:
        """One parameter's step with lr′, ε′ and λ′."""
        weight: Parameter = self.parameters[index]
        mean, square = self.exp_avg[index], self.exp_avg_sq[index]
        if self.fused:
            self.kernel(weight, mean, square, rate, self.beta1, self.beta2, eps, decay, gradient)
            return
        new_mean = mean + (gradient - mean) * (1.0 - self.beta1)
        new_square = square + (gradient * gradient - square) * (1.0 - self.beta2)
        step = new_mean / (ops.sqrt(new_square) + eps) + weight * decay
        ops.assign(mean, new_mean)
        ops.assign(square, new_square)
        ops.assign(weight, weight - step * rate)
