"""LDS, local distributional smoothness (Altinisik et al. 2023, Algorithm 1)."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.defences.perturbation import of_each_row
from mindflood.models.loss import mean_of_words, of_choices, weighted_loss


def divergence(clean: Tensor, perturbed: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Σ w_i · KL(f(x_i) ‖ f(x_i + δ_i)), from logits: scalar float32.

    That of a question is of the distributions over its choices, that of a sentence of tags the mean
    over its words, and that of a regression ½(f(x) - f(x + δ))²: of two normal distributions of
    variance 1. Of the labels, as in :func:`mindflood.models.loss.row_losses`, it only takes which
    choices and words there are.
    """
    if labels.dtype == ms.float32:
        rows = 0.5 * ops.square(ops.reshape(clean - perturbed, labels.shape))
    elif clean.ndim == 3:
        rows = mean_of_words(of_distributions(clean, perturbed), labels)
    elif labels.ndim == 2:
        rows = of_distributions(of_choices(clean, labels), of_choices(perturbed, labels))
    else:
        rows = of_distributions(clean, perturbed)
    return ops.reduce_sum(rows * weights)


def of_distributions(clean: Tensor, perturbed: Tensor) -> Tensor:
    """KL(softmax(clean) ‖ softmax(perturbed)) over the last axis, float32.

    KL(p ‖ q) is Σ p·(log p - log q) + q - p. The last Σ q - p is zero and has no gradient, but with
    it the gradient to the logits, q - p, is that of two outputs of one kernel: in the paper's small
    ball they are so near each other that the roundings of two kernels would drown the difference.
    """
    log_p, log_q = ops.log_softmax(clean, -1), ops.log_softmax(perturbed, -1)
    p, q = ops.exp(log_p), ops.exp(log_q)
    return ops.reduce_sum(p * (log_p - log_q) + q - p, -1)


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
            delta = self.ascend(delta, of_each_row(gradient, batch["text_weights"]), batch)
            k = k + 1
        (_, J), gradients = self.gradients(delta, k, batch)
        return J, gradients, delta

    def divergence_from(self, delta: Tensor, k: Tensor, clean: Tensor, batch: Batch) -> Tensor:
        """s·KL(f(x) ‖ f(x + δ)) of pass ``k``, for an f(x) that is given as logits."""
        perturbed = self.loss.logits(delta, k, batch)
        return divergence(clean, perturbed, batch["labels"], batch["weights"]) * batch["scale"]

    def smoothed(self, delta: Tensor, k: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """(s·(J(0) + KL), J(0)); the clean pass is the k-th, the perturbed one the next."""
        clean, perturbed = self.loss.logits(None, k, batch), self.loss.logits(delta, k + 1, batch)
        labels, weights = batch["labels"], batch["weights"]
        J = weighted_loss(clean, labels, weights)
        return (J + divergence(clean, perturbed, labels, weights)) * batch["scale"], J
