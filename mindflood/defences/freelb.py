"""FreeLB (Zhu et al. 2020, Algorithm 1): the gradients of all K ascents, averaged."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.perturbation import Perturbation, float_mask


class FreeLB(nn.Cell):
    """The mean J over δ_0 … δ_{K-1} and its gradients, from K full passes.

    Args:
        loss: J of one pass.
        parameters: those trained.
        perturbation: how δ starts and climbs.
        steps: K.
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
        self.passes = steps
        self.perturbation = perturbation
        self.sums = GradientSums(parameters)
        self.gradients = ms.value_and_grad(loss, 0, parameters)

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

        δ is the one after the K-th ascent, which Algorithm 1 takes and never uses.
        """
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        delta = self.sums.cleared(self.perturbation.initial(unit_noise, mask))
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            J, (gradient, gradients) = self.gradients(delta, scale, k, *batch)
            mean_J = self.sums.add(gradients, 1.0 / self.steps, mean_J + J / (scale * self.steps))
            delta = self.perturbation.ascend(delta, gradient / scale, mask)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta
