"""TAVAT's table V: a perturbation for every token of the vocabulary, which outlives the batches."""

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from mindflood.defences.gradient_sums import PREFIX
from mindflood.streams import VOCABULARY_TABLE


class VocabularyTable(nn.Cell):
    """V, float32 ``[vocabulary, d]``, at first uniform(-1, 1)·mag/√d.

    Args:
        vocabulary, size: its shape.
        magnitude: mag.
        seed: of the first values.
        workers: data-parallel ones: all of them keep the same V, that of the global batch.
    """

    def __init__(
        self, vocabulary: int, size: int, magnitude: float, seed: int, workers: int
    ) -> None:
        super().__init__(auto_prefix=False)
        stream = np.random.default_rng((seed, VOCABULARY_TABLE))
        start = stream.random((vocabulary, size), np.float32) * 2.0 - 1.0
        self.table = _state("vocabulary_table", start * (magnitude / size**0.5))
        # The batch's sum and count for each of its tokens; what they hold between steps is stale.
        self.totals = _state(f"{PREFIX}.vocabulary", np.zeros((vocabulary, size)))
        self.counts = _state(f"{PREFIX}.occurrences", np.zeros((vocabulary, 1)))
        self.size = size
        self.gathered = workers > 1
        self.all_gather = ops.AllGather() if workers > 1 else ops.Identity()

    def rows(self, input_ids: Tensor) -> Tensor:
        """V[ids], float32 ``[B, L, d]``."""
        return ops.gather(self.table, input_ids, 0)

    def set_means(self, input_ids: Tensor, mask: Tensor, delta: Tensor, apply: Tensor) -> Tensor:
        """V[id] = the mean of ``delta`` over the unmasked occurrences of the id.

        Args:
            input_ids: int32 ``[B, L]``.
            mask: float32 ``[B, L, 1]``, 0 on padding.
            delta: float32 ``[B, L, d]``.
            apply: bool; where false, V stays what it is.
        """
        ids, present, values = self._flat(input_ids, mask, delta * mask)
        cleared = (
            ops.scatter_update(self.totals, ids, ops.zeros_like(values)),
            ops.scatter_update(self.counts, ids, ops.zeros_like(present)),
        )
        values, present = ops.depend(values, cleared), ops.depend(present, cleared)
        added = (
            ops.scatter_add(self.totals, ids, values),
            ops.scatter_add(self.counts, ids, present),
        )
        ids = ops.depend(ids, added)
        counts = ops.gather(self.counts, ids, 0)
        means = ops.gather(self.totals, ids, 0) / ops.maximum(counts, Tensor(1.0, ms.float32))
        replaced = ops.logical_and(counts > 0, apply)
        means = ops.where(replaced, means, ops.gather(self.table, ids, 0))
        return ops.scatter_update(self.table, ids, means)

    def add(self, input_ids: Tensor, delta: Tensor, apply: Tensor) -> Tensor:
        """V[id] += every ``delta`` of the id, padding's too where it has one: the release."""
        ids, _, values = self._flat(input_ids, delta[:, :, :1], delta)
        return ops.scatter_add(self.table, ids, ops.where(apply, values, ops.zeros_like(values)))

    def _flat(
        self, input_ids: Tensor, mask: Tensor, delta: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The tokens of the whole batch, of all workers: ids ``[N]``, mask and δ ``[N, .]``."""
        ids = ops.reshape(input_ids, (-1,))
        present, values = ops.reshape(mask, (-1, 1)), ops.reshape(delta, (-1, self.size))
        if self.gathered:
            return self.all_gather(ids), self.all_gather(present), self.all_gather(values)
        return ids, present, values


def _state(name: str, value: np.ndarray) -> Parameter:
    return Parameter(Tensor(value.astype(np.float32)), name=name, requires_grad=False)
