"""TAVAT, token-aware virtual adversarial training (Li & Qiu 2021)."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, Tensor, ops

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence
from mindflood.defences.perturbation import above_zero
from mindflood.defences.vocabulary_table import VocabularyTable


class TAVAT(Defence):
    """The mean J over δ_0 … δ_{K-1}, δ = δ_inst + δ_tok, and its gradients, from K full passes.

    δ_inst belongs to the sample and starts from noise; δ_tok starts from the vocabulary table V,
    which keeps what the batch made of it.

    The authors' release divides V[ids] by one norm of the whole batch, padding up to its longest
    row included; makes the first pass at a δ that no ball has clipped; sums the gradients over the
    passes and does not average them; adds δ_tok to V.
    """

    averages = True

    def __init__(
        self,
        loss: AdversarialLoss,
        parameters: ParameterTuple,
        settings: Any,
        seed: int,
        *rest: Any,
    ) -> None:
        super().__init__(loss, parameters, settings, seed, *rest)
        self.release = settings.variant == "release"
        self.share = 1.0 if self.release else 1.0 / settings.steps
        # Every worker of msrun keeps the same table.
        workers = int(ms.get_auto_parallel_context("device_num"))
        sizes = loss.classifier.config
        self.table = VocabularyTable(
            sizes.vocab_size, sizes.word_size, settings.magnitude, seed, workers
        )
        self.sum_over_workers = ops.AllReduce() if workers > 1 else ops.Identity()

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, Tensor]]:
        instance, token = self.initial(batch), self.first_token(batch)
        if not self.release:
            instance, token = self.clipped(instance, token)
        token = self.sums.cleared(token)
        mean_J, k = self.nothing, Tensor(0, ms.int32)
        while k < self.steps:
            J, gradient, gradients = self.full_pass(instance + token, k, batch)
            mean_J = self.sums.add(gradients, self.share, mean_J + J / self.steps)
            k = k + 1
            climbed = self.ascended(instance, token, gradient, batch["mask"])
            last = k == self.steps
            instance = ops.where(last, instance, climbed[0])
            token = ops.where(last, token, climbed[1])
        return mean_J, self.sums.after(mean_J), (instance, token)

    def remember(self, apply: Tensor, delta: tuple[Tensor, Tensor], batch: Batch) -> Tensor:
        """Keep the batch's δ_tok in the table; not where the step was skipped (``apply``).

        Rows that only fill the batch leave nothing there.
        """
        ids = batch["input_ids"]
        if self.release:
            return self.table.add(ids, delta[1], apply)
        return self.table.set_means(ids, batch["mask"] * self.real(batch), delta[1], apply)

    def first_token(self, batch: Batch) -> Tensor:
        """δ_tok before the first pass; 0 in rows that only fill the batch."""
        mask, real = batch["mask"], self.real(batch)
        rows = self.table.rows(batch["input_ids"]) * real
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

    def real(self, batch: Batch) -> Tensor:
        """1 for a row, 0 for one that fills the batch: float32 ``[B, 1, 1]``."""
        return ops.reshape(ops.cast(batch["text_weights"] > 0, ms.float32), (-1, 1, 1))
