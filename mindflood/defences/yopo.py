"""YOPO-m-n (Zhang et al. 2019; FreeLB §4.3): n steps on δ through the first layer, a full pass."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.models.loss import weighted_loss


class YOPO(Defence):
    """The mean J over the full passes, and its gradients: m passes, n steps on δ after each.

    The first of the n steps has its gradient from the full pass: there p is ∂J/∂h₁ at this very δ,
    so that ∇⟨h₁(E + δ), p⟩ = ∂J/∂δ. The other n - 1 go through the first layer alone. Each is of
    size η/n.

    As FreeLB §4.3 has it, the last n steps are taken and never used; Zhang et al. use them, and so
    does the release of FreeLB, by one more pass at the last δ.
    """

    averages = True

    def __init__(
        self, loss: AdversarialLoss, parameters: ParameterTuple, settings: Any, *rest: Any
    ) -> None:
        super().__init__(loss, parameters, settings, *rest)
        self.inner_steps = settings.inner_steps
        self.gradients = ms.value_and_grad(self.from_first_layer, (0, 1), parameters)
        self.inner_gradient = ms.grad(self.aligned, 0)

    @staticmethod
    def passes_of(settings: Any) -> int:
        return int(settings.steps) + (settings.variant == "release")

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        delta = self.sums.cleared(self.initial(batch))
        # As wide as the states, and made of an input: MindSpore has no gradient of a constant.
        size = self.loss.classifier.config.hidden_size
        zeta = ops.zeros_like(ops.tile(batch["mask"], (1, 1, size)))
        mean_J, k = Tensor(0.0, ms.float32), Tensor(0, ms.int32)
        while k < self.passes:
            J, ((gradient, p), gradients) = self.gradients(delta, zeta, k, batch)
            mean_J = mean_J + J / batch["scale"] / self.passes
            mean_J = self.sums.add(gradients, 1.0 / self.passes, mean_J)
            delta = self.ascend(delta, gradient / batch["scale"], batch)
            for _ in range(self.inner_steps - 1):
                gradient = self.inner_gradient(delta, p, k, batch) / batch["scale"]
                delta = self.ascend(delta, gradient, batch)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta

    def from_first_layer(self, delta: Tensor, zeta: Tensor, k: Tensor, batch: Batch) -> Tensor:
        """s·J of the network whose h₁ is h₁(E + δ) + ζ.

        ζ is zero: it is there for its gradient, p = ∂J/∂h₁, which the same backward pass yields.
        """
        classifier, (hidden, attention) = self.loss.classifier, self.loss.masks(k, batch)
        states = self.first_layer(delta, k, batch) + zeta
        states = classifier.encode(states, batch["attention_mask"], hidden, attention, 1)
        logits = classifier.classify(states, hidden)
        return weighted_loss(logits, batch["labels"], batch["weights"]) * batch["scale"]

    def aligned(self, delta: Tensor, p: Tensor, k: Tensor, batch: Batch) -> Tensor:
        """⟨h₁(E + δ), p⟩ with p held fixed: what the inner steps ascend."""
        return ops.reduce_sum(self.first_layer(delta, k, batch) * p)

    def first_layer(self, delta: Tensor, k: Tensor, batch: Batch) -> Tensor:
        """h₁(E + δ), what the first transformer layer puts out: float32 ``[B, L, d]``."""
        classifier, (hidden, attention) = self.loss.classifier, self.loss.masks(k, batch)
        ids = batch["input_ids"]
        words = classifier.embed_words(ids) + delta
        states = classifier.embed(words, ids, batch["token_type_ids"], hidden)
        return classifier.encode(states, batch["attention_mask"], hidden, attention, 0, 1)
