"""LDS, local distributional smoothness (Altinisik et al. 2023, Algorithm 1)."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.perturbation import Perturbation, float_mask, of_each_row
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


class DivergenceFrom(nn.Cell):
    """s·l(f(x), f(x + δ)) for an f(x) that is held fixed, which δ ascends."""

    def __init__(self, loss: AdversarialLoss) -> None:
        super().__init__(auto_prefix=False)
        self.loss = loss

    def construct(
        self,
        delta: Tensor,
        scale: Tensor,
        number: Tensor,
        clean: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        masks = (keep_hidden, keep_attention)
        perturbed = self.loss.logits(
            delta, number, input_ids, attention_mask, token_type_ids, *masks
        )
        return divergence(clean, perturbed, weights) * scale


class CleanAndDivergence(nn.Cell):
    """(s·(J(0) + l(f(x), f(x + δ))), J(0)); the clean pass comes first."""

    def __init__(self, loss: AdversarialLoss) -> None:
        super().__init__(auto_prefix=False)
        self.loss = loss

    def construct(
        self,
        delta: Tensor,
        scale: Tensor,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """The inputs are those of ``AdversarialLoss``; ``number`` is the clean pass's."""
        texts = (input_ids, attention_mask, token_type_ids, keep_hidden, keep_attention)
        clean = self.loss.logits(None, number, *texts)
        perturbed = self.loss.logits(delta, number + 1, *texts)
        J = weighted_cross_entropy(clean, labels, weights)
        return (J + divergence(clean, perturbed, weights)) * scale, J


class LDS(nn.Cell):
    """The clean J, and the gradients of J(0) + KL(f(x) ‖ f(x + δ)), through both arguments.

    δ ascends the divergence and knows no label. The clean J decides flooding's sign, which turns
    the divergence's gradient too.

    Args:
        loss: J of one pass, and its logits.
        parameters: those trained.
        perturbation: how δ starts, from Gaussian noise, and climbs.
        steps: S.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        perturbation: Perturbation,
        steps: int,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.steps = steps
        self.passes = steps + 2
        self.perturbation = perturbation
        self.loss = loss
        self.input_gradient = ms.grad(DivergenceFrom(loss), 0)
        objective = CleanAndDivergence(loss)
        self.gradients = ms.value_and_grad(objective, None, parameters, has_aux=True)

    def construct(
        self,
        scale: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
        unit_noise: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """(J(0), scale × the gradients, δ); the inputs are those of ``AdversarialLoss``."""
        masks = (keep_hidden, keep_attention)
        texts = (input_ids, attention_mask, token_type_ids)
        mask = float_mask(attention_mask)
        last = Tensor(self.steps, ms.int32)
        clean = self.loss.logits(None, last, *texts, *masks)
        delta = self.perturbation.initial(unit_noise, mask)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = self.input_gradient(delta, scale, k, clean, *texts, weights, *masks)
            gradient = of_each_row(gradient / scale, weights)
            delta = self.perturbation.ascend(delta, gradient, mask)
            k = k + 1
        (_, J), gradients = self.gradients(delta, scale, k, *texts, labels, weights, *masks)
        return J, gradients, delta
