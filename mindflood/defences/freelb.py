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
        final_pass: one more pass, at the δ of the K-th ascent, as the authors' release for RoBERTa
            has it; the mean is then over K + 1.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        perturbation: Perturbation,
        steps: int,
        final_pass: bool = False,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.passes = steps + 1 if final_pass else steps
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

        δ is the one after the last pass's ascent, which nothing uses: Algorithm 1 takes its K-th
        all the same.
        """
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        delta = self.sums.cleared(self.perturbation.initial(unit_noise, mask))
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.passes:
            J, (gradient, gradients) = self.gradients(delta, scale, k, *batch)
            mean_J = self.sums.add(gradients, 1.0 / self.passes, mean_J + J / (scale * self.passes))
            delta = self.perturbation.ascend(delta, gradient / scale, mask)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta
