"""PGD (Madry et al. 2018; FreeLB §3.1): train at the δ that K ascents find."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.perturbation import Perturbation, float_mask


class PGD(nn.Cell):
    """J at the last δ, and its gradients: K passes back to the input, one to the parameters.

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
        self.passes = steps + 1
        self.perturbation = perturbation
        self.input_gradient = ms.grad(loss, 0)
        self.parameter_gradients = ms.value_and_grad(loss, None, parameters)

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
        """(J, scale × the gradients, δ); the inputs are those of ``AdversarialLoss``."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        delta = self.perturbation.initial(unit_noise, mask)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = self.input_gradient(delta, scale, k, *batch)
            delta = self.perturbation.ascend(delta, gradient / scale, mask)
            k = k + 1
        J, gradients = self.parameter_gradients(delta, scale, k, *batch)
        return J / scale, gradients, delta
