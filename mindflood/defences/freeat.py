"""FreeAT (Shafahi et al. 2019): every replay of the batch updates the weights and δ at once.

δ is dropped after each batch, as FreeLB has it; Shafahi et al. hand it on to the next.
"""

from typing import Any

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch, named
from mindflood.defences.perturbation import perturbation_of
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.flooding.update import scaled


class FreeATTrainOneStepCell(FloodingTrainOneStepCell):
    """K optimizer steps on one batch; δ persists over these replays and is then dropped.

    Each replay's one pass gives the gradients of the weights, which are updated, and of δ, which
    climbs. Flooding's sign is decided in each replay, on its own J at the current δ. What is logged
    is the mean J: a step whose mean is above b can hold replays that climbed, and the reverse.

    Args:
        loss: J of one pass.
        optimizer, level, max_gradient_norm: as in ``FloodingTrainOneStepCell``.
        settings: the method's ``DefenceSettings``, without any null that it needs.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        optimizer: nn.Optimizer,
        level: float | None,
        settings: Any,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(loss, optimizer, level, max_gradient_norm=max_gradient_norm)
        self.steps = self.passes = settings.steps
        self.perturbation = perturbation_of(settings, loss.classifier.config.choices)
        self.gradients = ms.value_and_grad(loss, 0, self.weights)

    def construct(self, *inputs: Any) -> Tensor:
        """Run the K steps and return the mean of their raw J."""
        return self.replay(named(Tensor(1.0, ms.float32), *inputs))[0]

    def replay(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(mean J, δ after the last replay)."""
        delta = self.perturbation.initial(batch["unit_noise"], batch["mask"])
        mean_J, k = Tensor(0.0, ms.float32), Tensor(0, ms.int32)
        while k < self.steps:
            J, (gradient, gradients) = self.gradients(delta, k, batch)
            J = self.mean_over_workers(J)
            gradients = self.grad_reducer(scaled(gradients, ops.sign(J - self.flood_level)))
            updated = self.update(gradients, J, batch["scale"])
            mean_J = ops.depend(mean_J + J / self.steps, updated)
            delta = self.perturbation.ascend(ops.depend(delta, updated), gradient, batch["mask"])
            k = k + 1
        return mean_J, delta
