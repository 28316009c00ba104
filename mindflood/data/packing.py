"""Several texts a row: what is left of a batch when its padding goes."""

from dataclasses import dataclass

import numpy as np

from mindflood.data.batching import Batch

_SHAPES = 8  # numbers of rows that a batch may be packed into, at most: a compiled graph each


@dataclass(frozen=True)
class Packed:
    """The texts of a batch in R rows of L tokens, L that of the batch.

    Attributes:
        input_ids, token_type_ids: int32 [R, L].
        owners: int32 [R, L], which of the batch's texts, from 1, a token is of; 0: padding.
        positions: int32 [R, L], a token's place in its text, from 0.
        firsts: int32 [B], of each text of the batch the place of its first token, row · L +
            column. A filler has the first place of all.
    """

    input_ids: np.ndarray
    token_type_ids: np.ndarray
    owners: np.ndarray
    positions: np.ndarray
    firsts: np.ndarray

    @property
    def rows(self) -> int:
        """R."""
        return len(self.input_ids)


def pack(batch: Batch) -> Packed:
    """The texts of ``batch``, which are no questions, each in the first row with room for it.

    The longest first (first-fit decreasing). R is rounded up to a multiple of B / 8, so that few
    shapes occur.
    """
    lengths = batch.attention_mask.sum(axis=1) * (batch.indices >= 0)
    rows, columns = _places(lengths, batch.input_ids.shape[1])
    of_shape = max(1, len(lengths) // _SHAPES)
    shape = (-(-(rows.max() + 1) // of_shape) * of_shape, batch.input_ids.shape[1])
    padding = _padding(batch)
    ids, segments = np.full(shape, padding, np.int32), np.zeros(shape, np.int32)
    owners, positions = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for text in np.flatnonzero(lengths):
        place = (rows[text], slice(columns[text], columns[text] + lengths[text]))
        real = slice(lengths[text])
        ids[place] = batch.input_ids[text, real]
        segments[place] = batch.token_type_ids[text, real]
        owners[place] = text + 1
        positions[place] = np.arange(lengths[text])
    firsts = (rows * shape[1] + columns).astype(np.int32)
    return Packed(ids, segments, owners, positions, firsts)


def _places(lengths: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and first column of each text: int64 [B] each; 0 and 0 for one without a token."""
    rows, columns = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    filled = np.zeros(len(lengths), np.int64)
    for text in np.argsort(-lengths, kind="stable"):
        if lengths[text]:
            row = int(np.argmax(filled + lengths[text] <= length))
            rows[text], columns[text] = row, filled[row]
            filled[row] += lengths[text]
    return rows, columns


def _padding(batch: Batch) -> int:
    """The id of the padding; any will do where there is none."""
    unused = batch.input_ids[batch.attention_mask == 0]
    return int(unused[0]) if len(unused) else 0
