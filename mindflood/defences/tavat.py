"""TAVAT, token-aware virtual adversarial training (Li & Qiu 2021)."""

import mindspore as ms
from mindspore import ParameterTuple, Tensor, nn, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.gradient_sums import GradientSums
from mindflood.defences.perturbation import Perturbation, above_zero, float_mask
from mindflood.defences.vocabulary_table import VocabularyTable


class TAVAT(nn.Cell):
    """The mean J over δ_0 … δ_{K-1}, δ = δ_inst + δ_tok, and its gradients, from K full passes.

    δ_inst belongs to the sample and starts from noise; δ_tok starts from the vocabulary table,
    which keeps what the batch made of it.

    Args:
        loss: J of one pass.
        parameters: those trained.
        perturbation: how δ_inst starts and climbs, and the ball of δ.
        steps: K.
        table: V.
        release: as the authors' code does it: V[ids] over one norm of the whole batch, padding up
            to its longest row included; the first pass at a δ that no ball has clipped; gradients
            summed over the passes, not averaged; δ_tok added to V.
    """

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        perturbation: Perturbation,
        steps: int,
        table: VocabularyTable,
        release: bool,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.steps = steps
        self.passes = steps
        self.perturbation = perturbation
        self.table = table
        self.release = release
        self.share = 1.0 if release else 1.0 / steps
        self.sums = GradientSums(parameters)
        self.gradients = ms.value_and_grad(loss, 0, parameters)
        self.sum_over_workers = ops.AllReduce() if table.gathered else ops.Identity()

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
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, Tensor]]:
        """(mean J, scale × the gradients, (δ_inst, δ_tok) of the last pass)."""
        masks = (keep_hidden, keep_attention)
        batch = (input_ids, attention_mask, token_type_ids, labels, weights, *masks)
        mask = float_mask(attention_mask)
        instance = self.perturbation.initial(unit_noise, mask)
        token = self.first_token(input_ids, mask, weights)
        if not self.release:
            instance, token = self.clipped(instance, token)
        token = self.sums.cleared(token)
        mean_J = Tensor(0.0, ms.float32)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            J, (gradient, gradients) = self.gradients(instance + token, scale, k, *batch)
            mean_J = self.sums.add(gradients, self.share, mean_J + J / (scale * self.steps))
            k = k + 1
            climbed = self.ascended(instance, token, gradient / scale, mask)
            last = k == self.steps
            instance = ops.where(last, instance, climbed[0])
            token = ops.where(last, token, climbed[1])
        return mean_J, self.sums.after(mean_J), (instance, token)

    def remember(
        self,
        apply: Tensor,
        delta: tuple[Tensor, Tensor],
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        *noise: Tensor,
    ) -> Tensor:
        """Keep the batch's δ_tok in the table; not where the step was skipped (``apply``).

        Rows that only fill the batch leave nothing there.
        """
        if self.release:
            return self.table.add(input_ids, delta[1], apply)
        mask = float_mask(attention_mask) * self.real(weights)
        return self.table.set_means(input_ids, mask, delta[1], apply)

    def first_token(self, input_ids: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
        """δ_tok before the first pass; 0 in rows that only fill the batch."""
        real = self.real(weights)
        rows = self.table.rows(input_ids) * real
        if not self.release:
            return rows * mask
        rows = rows * self.columns(mask * real)
        norm = ops.sqrt(self.sum_over_workers(ops.reduce_sum(ops.square(rows))))
        return rows / above_zero(norm)

    def columns(self, counted: Tensor) -> Tensor:
        """1 up to the longest row of the batch, of all workers, and 0 behind: ``[1, L, 1]``.

        What a batch is padded by beyond its longest row is ours alone: the release trims it.
        ``counted`` is 1 on the tokens of rows that count.
        """
        tokens = self.sum_over_workers(ops.sum(counted, 0, True))
        return ops.cast(tokens > 0, ms.float32)

    def ascended(
        self, instance: Tensor, token: Tensor, gradient: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One ascent of both; a token's part is scaled by its norm over the sentence's largest."""
        gradient = gradient * mask
        step = self.perturbation.step_size
        instance = instance + gradient * (step / above_zero(self.perturbation.norm(gradient)))
        token = token + gradient * (step / above_zero(self.perturbation.token_norm(gradient)))
        norms = self.perturbation.token_norm(token)
        largest = ops.expand_dims(ops.amax(norms, 1), 1)
        return self.clipped(instance, token * (norms / above_zero(largest)))

    def clipped(self, instance: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        """Both times one factor a sample, so that their sum lies in the ball of radius ε."""
        radius = self.perturbation.radius
        if radius == 0:
            return instance, token
        length = self.perturbation.norm(instance + token)
        factor = radius / ops.maximum(length, Tensor(radius, ms.float32))
        return instance * factor, token * factor

    def real(self, weights: Tensor) -> Tensor:
        """1 for a row, 0 for one that fills the batch: float32 ``[B, 1, 1]``."""
        return ops.reshape(ops.cast(weights > 0, ms.float32), (-1, 1, 1))
