"""PGD-AT (Altinisik et al. 2023, Algorithm 1): ∇J(clean) + ∇J at the δ of S ascents."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.perturbation import Perturbation, float_mask, of_each_row


class CleanAndAdversarial(nn.Cell):
    """(s·(J(0) + J(δ)), J(0)); the clean pass comes before the adversarial one."""

    def __init__(self, loss: AdversarialLoss) -> None:
        super().__init__(auto_prefix=False)
        self.loss = loss

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
    ) -> tuple[Tensor, Tensor]:
        """The inputs are those of ``AdversarialLoss``; ``number`` is the clean pass's."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        clean = self.loss(None, Tensor(1.0, ms.float32), number, *batch)
        return clean * scale + self.loss(delta, scale, number + 1, *batch), clean


class PGDAT(nn.Cell):
    """The clean J, and the gradients of J(0) + J(δ): S passes back to the input, two full ones.

    The clean J decides flooding's sign: its level means what it means in fine-tuning. The sign
    turns both gradients.

    Args:
        loss: J of one pass.
        parameters: those trained.
        perturbation: how δ starts, from Gaussian noise, and climbs.
        steps: S.
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
        self.passes = steps + 2
        self.perturbation = perturbation
        self.input_gradient = ms.grad(loss, 0)
        objective = CleanAndAdversarial(loss)
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
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """(J(0), scale × the gradients, δ); the inputs are those of ``AdversarialLoss``."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        delta = self.perturbation.initial(unit_noise, mask)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            gradient = self.input_gradient(delta, scale, k, *batch)
            gradient = of_each_row(gradient / scale, weights)
            delta = self.perturbation.ascend(delta, gradient, mask)
            k = k + 1
        (_, clean), gradients = self.gradients(delta, scale, k, *batch)
        return clean, gradients, delta
