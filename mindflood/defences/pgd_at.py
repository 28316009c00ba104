"""PGD-AT (Altinisik et al. 2023, Algorithm 1): ∇J(clean) + ∇J at the δ of S ascents."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.defences.perturbation import of_each_row


class PGDAT(Defence):
    """The clean J, and the gradients of J(0) + J(δ): S passes back to the input, two full ones.

    The clean J decides flooding's sign, and a row's clean loss its weight: a level means what it
    means in fine-tuning. The sign, or weight, turns both gradients.
    """

    def __init__(self, loss: AdversarialLoss, parameters: ParameterTuple, *rest: Any) -> None:
        super().__init__(loss, parameters, *rest)
        self.gradients = ms.value_and_grad(self.both, None, parameters, has_aux=True)

    @staticmethod
    def passes_of(settings: Any) -> int:
        return int(settings.steps) + 2

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        delta = self.initial(batch)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = of_each_row(self.input_gradient(delta, k, batch), batch["text_weights"])
            delta = self.ascend(delta, gradient, batch)
            k = k + 1
        (_, J), gradients = self.gradients(delta, k, batch)
        return J, gradients, delta

    def both(self, delta: Tensor, k: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """(s·(J(0) + J(δ)), J(0)); the clean pass is the k-th, the adversarial one the next."""
        if self.by_rows:
            losses = self.loss.losses(None, k, batch)
            factors, measured = self.loss.flood(losses, batch["weights"], batch["levels"])
            both = losses + self.loss.losses(delta, k + 1, batch)
            return ops.reduce_sum(both * factors) * batch["scale"], measured
        J = self.loss.J(None, k, batch)
        return (J + self.loss.J(delta, k + 1, batch)) * batch["scale"], J
