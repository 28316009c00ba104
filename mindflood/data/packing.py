"""Several texts a row: what is left of a batch when its padding goes."""

from dataclasses import dataclass

import numpy as np

from mindflood.data.batching import Batch

_SHAPES = 8  # different R, at most, for each length: a compiled graph each


@dataclass(frozen=True)
class Packed:
    """The texts of a batch in R rows of L tokens, L that of the batch.

    Attributes:
        input_ids, token_type_ids: int32 [R, L]; 0 on padding, which nothing attends to.
        owners: int32 [R, L], which of the batch's texts, from 1, a token is of; 0: padding.
        positions: int32 [R, L], a token's place in its text, from 0; -1 where it is not counted.
        firsts: int32 [B], of each text of the batch the place of its first token, row · L +
            column. A filler has the first place of all.
    """

    input_ids: np.ndarray
    token_type_ids: np.ndarray
    owners: np.ndarray
    positions: np.ndarray
    firsts: np.ndarray


def pack(batch: Batch, uncounted: int | None = None) -> Packed:
    """The texts of ``batch``, which are no questions, each in the first row with room for it.

    The longest first (first-fit decreasing). R is rounded up, so that at most eight shapes occur.

    Args:
        uncounted: the padding's id where positions count the tokens that are another; a text may
            have it, too. None: they count all.
    """
    lengths = batch.attention_mask.sum(axis=1) * (batch.indices >= 0)
    rows, columns = _places(lengths, batch.input_ids.shape[1])
    unit = -(-len(lengths) // _SHAPES)
    many = min(-(-(rows.max() + 1) // unit) * unit, len(lengths))
    ids, segments, owners, positions = np.zeros((4, many, batch.input_ids.shape[1]), np.int32)
    for text in np.flatnonzero(lengths):
        place = (rows[text], slice(columns[text], columns[text] + lengths[text]))
        tokens = batch.input_ids[text, : lengths[text]]
        counted = tokens != uncounted
        ids[place] = tokens
        segments[place] = batch.token_type_ids[text, : lengths[text]]
        owners[place] = text + 1
        positions[place] = np.cumsum(counted) * counted - 1
    firsts = (rows * batch.input_ids.shape[1] + columns).astype(np.int32)
    return Packed(ids, segments, owners, positions, firsts)


def _places(lengths: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and first column of each text: int64 [B] each; 0 and 0 for one without a token."""
    rows, columns, filled = np.zeros((3, len(lengths)), np.int64)
    for text in np.argsort(-lengths, kind="stable"):
        if lengths[text]:
            row = int(np.argmax(filled + lengths[text] <= length))
            rows[text], columns[text] = row, filled[row]
            filled[row] += lengths[text]
    return rows, columns
