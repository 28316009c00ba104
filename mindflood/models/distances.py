"""Ranges of distances between two tokens, for a relative attention bias."""

import numpy as np

DISTANCE_RANGES = 32  # half of them for keys before the query, half for those behind it
_LONGEST = 128  # the last range holds this distance and all above


def distance_ranges(length: int) -> np.ndarray:
    """The range of the distance between every query and key: int32 ``[length, length]``.

    Raffel et al. 2020 (T5), §2.1, as MPNet has it: of the 16 ranges of a direction the first 8 are
    a distance each, and the others grow as logarithms do, up to 128.
    """
    places = np.arange(length, dtype=np.int32)
    behind = places[None, :] - places[:, None]
    distance = np.abs(behind)
    half = DISTANCE_RANGES // 2
    exact = half // 2
    # float32, as in PyTorch: the bounds 16, 32 and 64 are where a rounding decides.
    share = np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact))
    grown = share / np.float32(np.log(_LONGEST / exact)) * np.float32(half - exact)
    far = np.minimum(exact + grown.astype(np.int32), half - 1)
    ranges: np.ndarray = np.where(distance < exact, distance, far) + half * (behind > 0)
    return ranges.astype(np.int32)
