"""InfoBERT (Wang et al. 2021): FreeLB with two regularizers from information theory."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.information import (
    Critic,
    anchored_information,
    anchors,
    bottleneck,
    chunks_of,
    shuffled,
)
from mindflood.defences.perturbation import Perturbation, float_mask
from mindflood.models.layers import slice_axis
from mindflood.models.loss import weighted_cross_entropy


class Passed(nn.Cell):
    """One pass at E + δ: J, and what the two bounds look at."""

    def __init__(self, loss: AdversarialLoss) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = loss.classifier
        self.masks = loss.masks

    def construct(
        self,
        delta: Tensor,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """J, the embedded tokens ``[B, L, d]`` and the last [CLS] states ``[B, d]``, float32."""
        hidden, attention = self.masks(keep_hidden, number), self.masks(keep_attention, number)
        words = self.classifier.embed_words(input_ids) + delta
        embedded = self.classifier.embed(words, input_ids, token_type_ids, hidden)
        states = self.classifier.encode(embedded, attention_mask, hidden, attention)
        J = weighted_cross_entropy(self.classifier.classify(states, hidden), labels, weights)
        return J, embedded, ops.reshape(slice_axis(states, 1, 0, 1), (states.shape[0], -1))


class Information(nn.Cell):
    """I of the anchored tokens."""

    def __init__(self, critic: Critic, chunks_alike: bool) -> None:
        super().__init__(auto_prefix=False)
        self.critic = critic
        self.chunks_alike = chunks_alike

    def construct(
        self,
        embedded: Tensor,
        summary: Tensor,
        places: Tensor,
        valid: Tensor,
        order: Tensor | None,
    ) -> Tensor:
        """Scalar float32; the arguments are those of :func:`chunks_of`, ``valid`` in its order."""
        x, y = chunks_of(embedded, summary, places, order)
        return anchored_information(self.critic, x, y, valid, self.chunks_alike)


class InfoBERT(nn.Cell):
    """The mean J over δ_0 … δ_{K-1}, and the gradients of the mean of J + β·U - α·I.

    I needs the anchored tokens, and these the gradient of J + β·U with respect to the inputs. So a
    forward is followed by two backwards, one to the inputs and one to all weights: both are of the
    same pass, whose J, embedded tokens and [CLS] states get the derivatives of the objective.
    Flooding's sign is J's alone, but turns the whole gradient: where J < b, U and I and the critic
    go the other way too.

    Args:
        loss: J of one pass.
        parameters: those trained, the critic's among them.
        perturbation: how δ starts and climbs.
        steps: K.
        critic: F of the bound I.
        alpha, beta: α and β.
        release: as the authors' code does it: the anchored tokens of the batch are shuffled and cut
            into chunks of its size, so that a sentence's own other tokens are among the negatives,
            and I is the mean over these chunks, the last and smaller one too.
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
        release: bool = False,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.steps = steps
        self.passes = steps
        self.alpha = alpha
        self.beta = beta
        self.release = release
        self.perturbation = perturbation
        self.sums = GradientSums(parameters)
        self.forward = Passed(loss)
        of_critic = {parameter.name for parameter in critic.get_parameters()}
        self.is_critic = tuple(parameter.name in of_critic for parameter in parameters)
        self.weights = ParameterTuple([p for p in parameters if p.name not in of_critic])
        critic_weights = ParameterTuple([p for p in parameters if p.name in of_critic])
        self.to_input = ops.GradOperation(sens_param=True)(self.forward)
        self.to_weights = ops.GradOperation(get_by_list=True, sens_param=True)(
            self.forward, self.weights
        )
        self.of_bottleneck = ms.grad(bottleneck, 0)
        self.of_information = ms.grad(Information(critic, release), (0, 1), critic_weights)

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
        keys: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """(mean J, scale × the gradients, δ after K ascents, of which the last is not used).

        ``uniform`` is float32 ``[K, B, L]``: which tokens U compares with, pass by pass. ``keys``,
        of that shape, are what the release's anchors are shuffled by.
        """
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        real = ops.cast(weights > 0, ms.float32)
        counted = mask * ops.reshape(real, (-1, 1, 1))
        delta = self.sums.cleared(self.perturbation.initial(unit_noise, mask))
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            J, embedded, summary = self.forward(delta, k, *batch)
            of_U = self.beta * self.of_bottleneck(embedded, counted, ops.gather(uniform, k, 0))
            unseen = ops.zeros_like(summary)
            gradient = self.to_input(delta, k, *batch, (scale, scale * of_U, unseen)) / scale
            places, valid = anchors(gradient, mask)
            valid, order = valid * ops.expand_dims(real, 0), None
            if self.release:
                order, valid = shuffled(valid, ops.gather(keys, k, 0))
            (of_embedded, of_summary), of_critic = self.of_information(
                embedded, summary, places, valid, order
            )
            less = -self.alpha * scale
            given = (scale, scale * of_U + less * of_embedded, less * of_summary)
            of_weights = self.to_weights(delta, k, *batch, given)
            gradients = self.together(of_weights, of_critic, less)
            mean_J = self.sums.add(gradients, 1.0 / self.steps, mean_J + J / self.steps)
            delta = self.perturbation.ascend(delta, gradient, mask)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta

    def together(
        self, of_weights: tuple[Tensor, ...], of_critic: tuple[Tensor, ...], less: Tensor
    ) -> tuple[Tensor, ...]:
        """The gradients in the order of the parameters; only I has some of the critic's."""
        gradients: tuple[Tensor, ...] = ()
        network, critic = 0, 0
        for is_critic in self.is_critic:
            if is_critic:
                gradients += (less * of_critic[critic],)
                critic += 1
            else:
                gradients += (of_weights[network],)
                network += 1
        return gradients
