"""FreeAT (Shafahi et al. 2019): every replay of the batch updates the weights and δ at once.

δ is dropped after each batch, as FreeLB has it; Shafahi et al. hand it on to the next.
"""

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.perturbation import Perturbation, float_mask
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
        perturbation: how δ starts and climbs.
        steps: K.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        optimizer: nn.Optimizer,
        level: float | None,
        perturbation: Perturbation,
        steps: int,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(loss, optimizer, level, max_gradient_norm=max_gradient_norm)
        self.steps = steps
        self.perturbation = perturbation
        self.gradients = ms.value_and_grad(loss, 0, self.weights)

    def construct(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
        unit_noise: Tensor,
    ) -> Tensor:
        """Run the K steps and return the mean of their raw J."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        return self.replay(batch, unit_noise)[0]

    def replay(self, batch: tuple[Tensor, ...], unit_noise: Tensor) -> tuple[Tensor, Tensor]:
        """(mean J, δ after the last replay)."""
        mask = float_mask(batch[1])
        scale = Tensor(1.0, ms.float32)
        delta = self.perturbation.initial(unit_noise, mask)
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            J, (gradient, gradients) = self.gradients(delta, scale, k, *batch)
            J = self.mean_over_workers(J)
            gradients = self.grad_reducer(scaled(gradients, ops.sign(J - self.flood_level)))
            updated = self.update(gradients, J, scale)
            mean_J = ops.depend(mean_J + J / self.steps, updated)
            delta = self.perturbation.ascend(ops.depend(delta, updated), gradient, mask)
            k = k + 1
        return mean_J, delta
