"""InfoBERT (Wang et al. 2021): FreeLB with two regularizers from information theory."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.information import Critic, anchored_information, anchors, bottleneck
from mindflood.defences.perturbation import Perturbation, float_mask
from mindflood.models.layers import slice_axis
from mindflood.training.objective import weighted_cross_entropy


class Regularised(nn.Cell):
    """(s·(J + β·U - α·I), J) at E + δ; without anchors there is no I."""

    def __init__(self, loss: AdversarialLoss, critic: Critic, alpha: float, beta: float) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = loss.classifier
        self.masks = loss.masks
        self.critic = critic
        self.alpha = alpha
        self.beta = beta

    def construct(
        self,
        delta: Tensor,
        scale: Tensor,
        number: Tensor,
        anchored: tuple[Tensor, Tensor] | None,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
        uniform: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Two scalars, float32.

        Args:
            anchored: places and validity of the anchors.
            uniform: float32 ``[K, B, L]``, which tokens U compares with, pass by pass.
        """
        hidden, attention = self.masks(keep_hidden, number), self.masks(keep_attention, number)
        words = self.classifier.embed_words(input_ids) + delta
        embedded = self.classifier.embed(words, input_ids, token_type_ids, hidden)
        states = self.classifier.encode(embedded, attention_mask, hidden, attention)
        J = weighted_cross_entropy(self.classifier.classify(states, hidden), labels, weights)
        real = ops.cast(weights > 0, ms.float32)
        mask = float_mask(attention_mask) * ops.reshape(real, (-1, 1, 1))
        value = J + self.beta * bottleneck(embedded, mask, ops.gather(uniform, number, 0))
        if anchored is not None:
            places, valid = anchored
            summary = ops.reshape(slice_axis(states, 1, 0, 1), (states.shape[0], -1))
            valid = valid * ops.expand_dims(real, 0)
            shared = anchored_information(self.critic, embedded, summary, places, valid)
            value = value - self.alpha * shared
        return value * scale, J


class Ascended(nn.Cell):
    """s·(J + β·U), which δ climbs and whose gradient ranks the tokens."""

    def __init__(self, objective: Regularised) -> None:
        super().__init__(auto_prefix=False)
        self.objective = objective

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
        uniform: Tensor,
    ) -> Tensor:
        texts = (input_ids, attention_mask, token_type_ids, labels, weights)
        masks = (keep_hidden, keep_attention)
        return self.objective(delta, scale, number, None, *texts, *masks, uniform)[0]


class InfoBERT(nn.Cell):
    """The mean J over δ_0 … δ_{K-1}, and the gradients of the mean of J + β·U - α·I.

    I needs the anchored tokens, and these the gradient with respect to the inputs: a pass back to
    them comes before each full one. Flooding's sign is J's alone, but turns the whole gradient:
    where J < b, U and I and the critic go the other way too.

    Args:
        loss: J of one pass.
        parameters: those trained, the critic's among them.
        perturbation: how δ starts and climbs.
        steps: K.
        critic: F of the bound I.
        alpha, beta: α and β.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        perturbation: Perturbation,
        steps: int,
        critic: Critic,
        alpha: float,
        beta: float,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.steps = steps
        self.passes = steps
        self.perturbation = perturbation
        self.critic = critic
        self.sums = GradientSums(parameters)
        objective = Regularised(loss, critic, alpha, beta)
        self.input_gradient = ms.grad(Ascended(objective), 0)
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
        uniform: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """(mean J, scale × the gradients, δ after K ascents, of which the last is not used)."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks, uniform)
        mask = float_mask(attention_mask)
        delta = self.sums.cleared(self.perturbation.initial(unit_noise, mask))
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = self.input_gradient(delta, scale, k, *batch) / scale
            anchored = anchors(gradient, mask)
            (_, J), gradients = self.gradients(delta, scale, k, anchored, *batch)
            mean_J = self.sums.add(gradients, 1.0 / self.steps, mean_J + J / self.steps)
            delta = self.perturbation.ascend(delta, gradient, mask)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta
