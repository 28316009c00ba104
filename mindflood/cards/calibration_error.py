"""The expected calibration error of Guo et al. 2017, 'On calibration of modern neural networks'."""

from collections.abc import Sequence

import numpy as np

BINS = 15


def expected_calibration_error(
    confidence: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray
) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width, weighted by their rows.

    Args:
        confidence: probability of each row's predicted class.
        right: whether that class is the row's label.

    Returns:
        A fraction in [0, 1].
    """
    probable, hit = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    bins = np.clip(np.ceil(probable * BINS).astype(int) - 1, 0, BINS - 1)  # (0, 1/15], (1/15, ...
    gaps = np.bincount(bins, weights=probable - hit, minlength=BINS)
    return float(np.abs(gaps).sum() / len(probable))
