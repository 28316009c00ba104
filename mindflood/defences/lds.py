"""LDS, local distributional smoothness (Altinisik et al. 2023, Algorithm 1)."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.defences.perturbation import of_each_row
from mindflood.models.loss import weighted_cross_entropy


def divergence(clean: Tensor, perturbed: Tensor, weights: Tensor) -> Tensor:
    """Σ w_i · KL(f(x_i) ‖ f(x_i + δ_i)), from logits ``[B, k]``: scalar float32.

    KL(p ‖ q) is Σ p·(log p - log q) + q - p. The last Σ q - p is zero and has no gradient, but with
    it the gradient to the logits, q - p, is that of two outputs of one kernel: in the paper's small
    ball they are so near each other that the roundings of two kernels would drown the difference.
    """
    log_p, log_q = ops.log_softmax(clean, -1), ops.log_softmax(perturbed, -1)
    p, q = ops.exp(log_p), ops.exp(log_q)
    return ops.reduce_sum(ops.reduce_sum(p * (log_p - log_q) + q - p, -1) * weights)


class LDS(Defence):
    """The clean J, and the gradients of J(0) + KL(f(x) ‖ f(x + δ)), through both arguments.

    δ ascends the divergence from an f(x) that is held fixed, and knows no label. The clean J
    decides flooding's sign, which turns the divergence's gradient too.
    """

    def __init__(self, loss: AdversarialLoss, parameters: ParameterTuple, *rest: Any) -> None:
        super().__init__(loss, parameters, *rest)
        self.divergence_gradient = ms.grad(self.divergence_from, 0)
        self.gradients = ms.value_and_grad(self.smoothed, None, parameters, has_aux=True)

    @staticmethod
    def passes_of(settings: Any) -> int:
        return int(settings.steps) + 2

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        clean = self.loss.logits(None, Tensor(self.steps, ms.int32), batch)
        delta = self.initial(batch)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = self.divergence_gradient(delta, k, clean, batch) / batch["scale"]
            delta = self.ascend(delta, of_each_row(gradient, batch["weights"]), batch)
            k = k + 1
        (_, J), gradients = self.gradients(delta, k, batch)
        return J, gradients, delta

    def divergence_from(self, delta: Tensor, k: Tensor, clean: Tensor, batch: Batch) -> Tensor:
        """s·KL(f(x) ‖ f(x + δ)) of pass ``k``, for an f(x) that is given as logits."""
        perturbed = self.loss.logits(delta, k, batch)
        return divergence(clean, perturbed, batch["weights"]) * batch["scale"]

    def smoothed(self, delta: Tensor, k: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """(s·(J(0) + KL), J(0)); the clean pass is the k-th, the perturbed one the next."""
        clean, perturbed = self.loss.logits(None, k, batch), self.loss.logits(delta, k + 1, batch)
        J = weighted_cross_entropy(clean, batch["labels"], batch["weights"])
        return (J + divergence(clean, perturbed, batch["weights"])) * batch["scale"], J
