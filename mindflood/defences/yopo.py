"""YOPO-m-n (Zhang et al. 2019; FreeLB §4.3): n steps on δ through the first layer, a full pass."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.perturbation import Perturbation, float_mask
from mindflood.models.loss import weighted_cross_entropy


class FirstLayer(nn.Cell):
    """h₁(E + δ), what the first transformer layer puts out."""

    def __init__(self, loss: AdversarialLoss) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = loss.classifier

    def construct(
        self,
        delta: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        """float32 ``[B, L, d]``; the masks are those of one pass."""
        words = self.classifier.embed_words(input_ids) + delta
        states = self.classifier.embed(words, input_ids, token_type_ids, keep_hidden)
        return self.classifier.encode(states, attention_mask, keep_hidden, keep_attention, 0, 1)


class LossFromFirstLayer(nn.Cell):
    """s·J of the network whose h₁ is h₁(E + δ) + ζ.

    ζ is zero: it is there for its gradient, p = ∂J/∂h₁, which the same backward pass yields.
    """

    def __init__(self, loss: AdversarialLoss, first: FirstLayer) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = loss.classifier
        self.masks = loss.masks
        self.first = first

    def construct(
        self,
        delta: Tensor,
        zeta: Tensor,
        scale: Tensor,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        """Scalar float32; the inputs are those of ``AdversarialLoss``."""
        hidden, attention = self.masks(keep_hidden, number), self.masks(keep_attention, number)
        states = self.first(delta, input_ids, attention_mask, token_type_ids, hidden, attention)
        states = self.classifier.encode(states + zeta, attention_mask, hidden, attention, 1)
        logits = self.classifier.classify(states, hidden)
        return weighted_cross_entropy(logits, labels, weights) * scale


class Aligned(nn.Cell):
    """⟨h₁(E + δ), p⟩ with p held fixed: what the inner steps ascend."""

    def __init__(self, loss: AdversarialLoss, first: FirstLayer) -> None:
        super().__init__(auto_prefix=False)
        self.masks = loss.masks
        self.first = first

    def construct(
        self,
        delta: Tensor,
        p: Tensor,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        hidden, attention = self.masks(keep_hidden, number), self.masks(keep_attention, number)
        states = self.first(delta, input_ids, attention_mask, token_type_ids, hidden, attention)
        return ops.reduce_sum(states * p)


class YOPO(nn.Cell):
    """The mean J over the full passes, and its gradients: m passes, n steps on δ after each.

    The first of the n steps has its gradient from the full pass: there p is ∂J/∂h₁ at this very δ,
    so that ∇⟨h₁(E + δ), p⟩ = ∂J/∂δ. The other n - 1 go through the first layer alone.

    Args:
        loss: J of one pass.
        parameters: those trained.
        perturbation: how δ starts and climbs; its step is η/n.
        steps: m.
        inner_steps: n.
        final_pass: one more pass, at the last δ, as the release of FreeLB has it. Without it, as
            FreeLB §4.3 has it, the last n steps are taken and never used; Zhang et al. use them.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        perturbation: Perturbation,
        steps: int,
        inner_steps: int,
        final_pass: bool,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.passes = steps + 1 if final_pass else steps
        self.inner_steps = inner_steps
        self.perturbation = perturbation
        self.sums = GradientSums(parameters)
        first = FirstLayer(loss)
        self.gradients = ms.value_and_grad(LossFromFirstLayer(loss, first), (0, 1), parameters)
        self.inner_gradient = ms.grad(Aligned(loss, first), 0)

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
        """(mean J, scale × its gradients, δ); the inputs are those of ``AdversarialLoss``.

        δ is the one after the inner steps that follow the last pass.
        """
        masks = (keep_hidden, keep_attention)
        texts = (input_ids, attention_mask, token_type_ids)
        mask = float_mask(attention_mask)
        delta = self.sums.cleared(self.perturbation.initial(unit_noise, mask))
        zeta = ops.zeros_like(unit_noise)
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.passes:
            J, ((gradient, p), gradients) = self.gradients(
                delta, zeta, scale, k, *texts, labels, weights, *masks
            )
            mean_J = mean_J + J / (scale * self.passes)
            mean_J = self.sums.add(gradients, 1.0 / self.passes, mean_J)
            delta = self.perturbation.ascend(delta, gradient / scale, mask)
            for _ in range(self.inner_steps - 1):
                gradient = self.inner_gradient(delta, p, k, *texts, *masks)
                delta = self.perturbation.ascend(delta, gradient / scale, mask)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta
