"""InfoBERT (Wang et al. 2021): FreeLB with two regularizers from information theory."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.defences.information import (
    Critic,
    anchored_information,
    anchors,
    bottleneck,
    chunks_of,
    shuffled,
)
from mindflood.models.layers import slice_axis
from mindflood.models.loss import weighted_loss


class InfoBERT(Defence):
    """The mean J over δ_0 … δ_{K-1}, and the gradients of the mean of J + β·U - α·I.

    I needs the anchored tokens, and these the gradient of J + β·U with respect to the inputs. So a
    forward is followed by two backwards, one to the inputs and one to all weights: both are of the
    same pass, whose J, embedded tokens and [CLS] states get the derivatives of the objective.
    Flooding's sign is J's alone, but turns the whole gradient: where J < b, U and I and the critic
    go the other way too.

    As the authors' release does it, the anchored tokens of the batch are shuffled and cut into
    chunks of its size, so that a sentence's own other tokens are among the negatives, and I is the
    mean over these chunks, the last and smaller one too.

    Args:
        beside: the critic, F of the bound I; its parameters are among ``parameters``.
    """

    averages = True

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        settings: Any,
        seed: int,
        beside: Critic,
    ) -> None:
        super().__init__(loss, parameters, settings, seed)
        self.alpha, self.beta = settings.alpha, settings.beta
        self.release = settings.variant == "release"
        self.critic = beside
        of_critic = {parameter.name for parameter in beside.get_parameters()}
        self.is_critic = tuple(parameter.name in of_critic for parameter in parameters)
        weights = ParameterTuple([p for p in parameters if p.name not in of_critic])
        critic_weights = ParameterTuple([p for p in parameters if p.name in of_critic])
        self.to_input = ops.GradOperation(sens_param=True)(self.forward)
        self.to_weights = ops.GradOperation(get_by_list=True, sens_param=True)(
            self.forward, weights
        )
        self.of_bottleneck = ms.grad(bottleneck, 0)
        self.of_information = ms.grad(self.information, (0, 1), critic_weights)

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        mask, scale = batch["mask"], batch["scale"]
        real = ops.cast(batch["text_weights"] > 0, ms.float32)
        counted = mask * ops.reshape(real, (-1, 1, 1))
        delta = self.sums.cleared(self.initial(batch))
        mean_J, k = Tensor(0.0, ms.float32), Tensor(0, ms.int32)
        while k < self.steps:
            J, embedded, summary = self.forward(delta, k, batch)
            uniform = ops.gather(batch["uniform"], k, 0)
            of_U = self.beta * self.of_bottleneck(embedded, counted, uniform)
            unseen = ops.zeros_like(summary)
            gradient = self.to_input(delta, k, batch, (scale, scale * of_U, unseen)) / scale
            places, valid = anchors(gradient, mask)
            valid, order = valid * ops.expand_dims(real, 0), None
            if self.release:
                order, valid = shuffled(valid, ops.gather(batch["keys"], k, 0))
            (of_embedded, of_summary), of_critic = self.of_information(
                embedded, summary, places, valid, order
            )
            less = -self.alpha * scale
            given = (scale, scale * of_U + less * of_embedded, less * of_summary)
            of_weights = self.to_weights(delta, k, batch, given)
            gradients = self.together(of_weights, of_critic, less)
            mean_J = self.sums.add(gradients, 1.0 / self.steps, mean_J + J / self.steps)
            delta = self.ascend(delta, gradient, batch)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta

    def forward(self, delta: Tensor, k: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """J, the embedded tokens ``[B, L, d]`` and the last [CLS] states ``[B, d]``, float32."""
        classifier, (hidden, attention) = self.loss.classifier, self.loss.masks(k, batch)
        ids = batch["input_ids"]
        words = classifier.embed_words(ids) + delta
        embedded = classifier.embed(words, ids, batch["token_type_ids"], hidden)
        states = classifier.encode(embedded, batch["attention_mask"], hidden, attention)
        logits = classifier.classify(states, hidden)
        J = weighted_loss(logits, batch["labels"], batch["weights"])
        return J, embedded, ops.reshape(slice_axis(states, 1, 0, 1), (states.shape[0], -1))

    def information(
        self,
        embedded: Tensor,
        summary: Tensor,
        places: Tensor,
        valid: Tensor,
        order: Tensor | None,
    ) -> Tensor:
        """I of the anchored tokens: the arguments of :func:`chunks_of`, ``valid`` in its order."""
        x, y = chunks_of(embedded, summary, places, order)
        return anchored_information(self.critic, x, y, valid, self.release)

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
