"""Batches of a few fixed shapes: one compiled graph a length bucket, order fixed by the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mindflood.data.encodings import EncodedRows, encode_rows
from mindflood.data.tokens import Encoded, FastTokenizer, encode, load_tokenizer
from mindflood.errors import UserError

__all__ = [
    "BUCKETS",
    "Batch",
    "Batches",
    "Encoded",
    "FastTokenizer",
    "encode",
    "encode_rows",
    "load_tokenizer",
]

BUCKETS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Batch:
    """B rows of L tokens.

    Attributes:
        input_ids, attention_mask, token_type_ids: int32 [B, L]; of questions [B, k, L].
        labels: int32 [B] classes; for other kinds of task as ``encoded.targets`` has them.
        weights: float32 [B], 1 for a row or what the data set gives it, 0 for a filler.
        indices: int64 [B], the row's place in the data set, -1 for a filler.
    """

    input_ids: np.ndarray
    attention_mask: np.ndarray
    token_type_ids: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    indices: np.ndarray


@dataclass(frozen=True)
class _Plan:
    """Which rows each batch of an epoch has: int64 [steps, B], -1 for a filler, and its length."""

    rows: np.ndarray
    lengths: np.ndarray


class Batches:
    """Every row once an epoch, in batches of one size whose length is one of the buckets.

    Shuffled rows are cut into batches as they come, so that each batch is a uniform sample, and a
    batch goes to the smallest bucket that holds its longest row; the last one is filled up.

    With ``group_by_length`` each row goes to the smallest bucket that holds it, and what is left
    over when a bucket is cut into batches goes on to the next larger one: less padding, but rows of
    a batch are of alike lengths. How many batches of each length an epoch has then stays the same
    from epoch to epoch.

    Args:
        buckets: lengths; those above the longest that ``encoded`` may have are cut to it.
        shuffle: False takes the rows grouped by length, in the order of the data set, short ones
            first: for an evaluation, which batches do not matter to.
        weights: float [n], of the rows' losses; None: 1.

    Raises:
        UserError: no rows, a batch size or bucket below 1, or a label that is out of range.
    """

    def __init__(
        self,
        encoded: EncodedRows,
        labels: np.ndarray,
        batch_size: int,
        num_labels: int,
        *,
        buckets: Sequence[int] = BUCKETS,
        seed: int = 0,
        shuffle: bool = True,
        group_by_length: bool = False,
        weights: np.ndarray | None = None,
    ) -> None:
        if not len(encoded):
            raise UserError("batches: the data set is empty; expected at least one row")
        if batch_size < 1:
            raise UserError(f"batch_size {batch_size}: expected at least 1")
        if not buckets or min(buckets) < 1:
            raise UserError(f"buckets {list(buckets)}: expected lengths of at least 1")
        classes = isinstance(encoded, Encoded) and labels.dtype.kind in "iu"
        in_range = not classes or (labels.min() >= 0 and labels.max() < num_labels)
        if len(labels) != len(encoded) or not in_range:
            raise UserError(f"labels: expected {len(encoded)} numbers from 0 to {num_labels - 1}")
        self.encoded = encoded
        self.labels = labels.astype(np.int32) if classes else labels
        self.weights = np.ones(len(labels)) if weights is None else weights
        self.batch_size = batch_size
        self.num_labels = num_labels
        self.seed = seed
        self.shuffle = shuffle
        self.group_by_length = group_by_length
        longest = encoded.max_length
        self.buckets = np.unique([*(min(bucket, longest) for bucket in buckets), longest])
        self._bucket_of = np.searchsorted(self.buckets, encoded.lengths)
        self._planned: tuple[int, _Plan] = (0, self._plan(0))

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch, the same for every epoch."""
        return -(-len(self.encoded) // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Batches of an epoch from number ``start`` on; those before cost nothing."""
        for index in range(start, self.steps_per_epoch):
            yield self.batch(epoch, index)

    def batch(self, epoch: int, index: int) -> Batch:
        """Batch number ``index`` of an epoch, a function of (seed, epoch, index) alone."""
        planned = self._planned  # read once: a probe and the next step's inputs ask side by side
        if planned[0] != epoch:
            self._planned = planned = (epoch, self._plan(epoch))
        plan = planned[1]
        rows = plan.rows[index]
        real = rows >= 0
        # A filler repeats a row: an empty one would give NaN in the attention.
        filled = np.where(real, rows, rows[0])
        length = int(plan.lengths[index])
        ids, mask, segments = self.encoded.padded(filled, length)
        return Batch(
            input_ids=ids,
            attention_mask=mask,
            token_type_ids=segments,
            labels=self.encoded.targets(self.labels, filled, length),
            weights=(real * self.weights[filled]).astype(np.float32),
            indices=rows.copy(),
        )

    def _plan(self, epoch: int) -> _Plan:
        order = np.arange(len(self.encoded))
        if not self.shuffle:
            return self._grouped(order)
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(order)
        if not self.group_by_length:
            return self._uniform(order)
        plan = self._grouped(order)
        shuffled = generator.permutation(len(plan.rows))
        return _Plan(plan.rows[shuffled], plan.lengths[shuffled])

    def _uniform(self, order: np.ndarray) -> _Plan:
        """Rows as they come, each batch as long as its longest row asks for."""
        places = np.full(self.steps_per_epoch * self.batch_size, -1)
        places[: len(order)] = order
        rows = places.reshape(-1, self.batch_size)
        buckets = np.where(rows >= 0, self._bucket_of[rows], 0).max(axis=1)
        return _Plan(rows, self.buckets[buckets])

    def _grouped(self, order: np.ndarray) -> _Plan:
        """Rows of one bucket together, and what is left of it with the next larger one's."""
        waiting = order[:0]
        batches, lengths = [], []
        for bucket in np.unique(self._bucket_of):
            # Those left over from shorter buckets first, so that none is promoted twice in vain.
            waiting = np.concatenate([waiting, order[self._bucket_of[order] == bucket]])
            full = len(waiting) // self.batch_size * self.batch_size
            batches.append(waiting[:full].reshape(-1, self.batch_size))
            lengths += [self.buckets[bucket]] * len(batches[-1])
            waiting = waiting[full:]
        if len(waiting):
            last = np.full((1, self.batch_size), -1)
            last[0, : len(waiting)] = waiting
            batches.append(last)
            lengths.append(self.buckets[self._bucket_of[waiting].max()])
        return _Plan(np.concatenate(batches), np.array(lengths))
