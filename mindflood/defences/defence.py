"""What the defences have in common: how δ starts and climbs, and the derivatives of J in a pass."""

from typing import Any

import mindspore as ms
import numpy as np
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch, of_each_text
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.perturbation import perturbation_of


class Defence(nn.Cell):
    """A defence but for its algorithm, which is ``construct`` of a subclass.

    It is called with a :func:`~mindflood.defences.batch.named` batch and returns J (scalar
    float32), the batch's scale × the gradients of the parameters, and the last δ. One that has a
    method ``remember(apply, delta, batch)`` keeps something of δ for the steps to come.

    Where the loss floods row by row, it returns J and the share of the rows that climb, float32
    ``[2]``, in the place of J, and each row's weight, decided in each pass on the losses of that
    pass, is in the gradients of the parameters; δ climbs every row's own loss all the same.

    Args:
        loss: J of one pass.
        parameters: those trained, those of ``beside`` too.
        settings: the method's ``DefenceSettings``, without any null that it needs.
        seed: of what the defence itself starts from.
        beside: the cell that is trained beside the network, for a method that has one.

    Attributes:
        averages: whether the gradients of several passes are summed up in ``sums``.
        steps: K.
        passes: through the network in a step, each of which may have dropout masks of its own.
        nothing: 0 in the place of J, which sums over passes begin with.
    """

    averages = False

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        settings: Any,
        seed: int = 0,
        beside: nn.Cell | None = None,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.loss = loss
        self.steps: int = settings.steps
        self.passes = self.passes_of(settings)
        self.perturbation = perturbation_of(settings, loss.classifier.config.choices)
        if self.averages:
            self.sums = GradientSums(parameters)
        self.by_rows = loss.by_rows
        self.nothing = Tensor(np.zeros(2 if loss.by_rows else (), np.float32))
        self._to_input = ms.grad(loss, 0)
        if self.by_rows:
            self._to_weights = ms.value_and_grad(loss.flooded, None, parameters, has_aux=True)
            self._to_both = ms.value_and_grad(loss.flooded, 0, parameters, has_aux=True)
        else:
            self._to_weights = ms.value_and_grad(loss, None, parameters)
            self._to_both = ms.value_and_grad(loss, 0, parameters)

    @staticmethod
    def passes_of(settings: Any) -> int:
        """As many as there are steps, unless a method has more."""
        return int(settings.steps)

    def initial(self, batch: Batch) -> Tensor:
        """δ₀, float32 ``[B, L, d]``."""
        return self.perturbation.initial(batch["unit_noise"], batch["mask"])

    def ascend(self, delta: Tensor, gradient: Tensor, batch: Batch) -> Tensor:
        """δ ← Π_ε(δ + η·g/‖g‖)."""
        return self.perturbation.ascend(delta, gradient, batch["mask"])

    def input_gradient(self, delta: Tensor, k: Tensor, batch: Batch) -> Tensor:
        """∂J/∂δ of pass ``k``, float32 ``[B, L, d]``; none of the parameters' is computed."""
        return self._to_input(delta, k, batch) / batch["scale"]

    def weight_gradients(
        self, delta: Tensor, k: Tensor, batch: Batch
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(J, scale × ∂J/∂θ) of pass ``k``."""
        if self.by_rows:
            (_, measured, _), gradients = self._to_weights(delta, k, batch)
            return measured, gradients
        J, gradients = self._to_weights(delta, k, batch)
        return J / batch["scale"], gradients

    def full_pass(
        self, delta: Tensor, k: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """(J, ∂J/∂δ, scale × ∂J/∂θ) of pass ``k``."""
        if self.by_rows:
            (_, measured, factors), (gradient, gradients) = self._to_both(delta, k, batch)
            return measured, unflooded(gradient, factors, batch) / batch["scale"], gradients
        J, (gradient, gradients) = self._to_both(delta, k, batch)
        return J / batch["scale"], gradient / batch["scale"], gradients


def unflooded(gradient: Tensor, factors: Tensor, batch: Batch) -> Tensor:
    """∂(Σ w_i·l_i)/∂δ out of ∂(Σ f_i·l_i)/∂δ; 0 in a row whose weight is exactly 0.

    Args:
        gradient: float32 ``[B·k, L, d]``, a row of k texts.
        factors: f, float32 ``[B]``.
    """
    counts = factors != 0
    divisor = ops.where(counts, factors, ops.ones_like(factors))
    ratio = ops.where(counts, batch["weights"] / divisor, ops.zeros_like(factors))
    of_texts = of_each_text(ratio, batch["attention_mask"])
    return gradient * ops.reshape(of_texts, (-1, 1, 1))
