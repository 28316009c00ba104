"""How well the logits of two implementations of one model agree: NumPy only, for both halves."""

import math
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4  # of the largest logit, or of 1 where that is smaller


@dataclass(frozen=True)
class Agreement:
    """PyTorch's logits against MindSpore's.

    Attributes:
        rows: compared, a prediction each.
        largest_difference: of a logit; NaN where one is no finite number.
        bound: what it may be at most, ``TOLERANCE`` · max(1, largest logit).
        other_predictions: rows whose largest logit is another one, near-ties (a lead of at most
            twice the bound) not counted.
    """

    rows: int
    largest_difference: float
    bound: float
    other_predictions: int

    @property
    def holds(self) -> bool:
        """Whether the difference is within the bound, and with it every prediction."""
        return self.largest_difference <= self.bound and not self.other_predictions

    def sentence(self) -> str:
        """What was found, without a full stop."""
        if math.isnan(self.largest_difference):
            return f"PyTorch's or MindSpore's logits on {self.rows} rows are no finite numbers"
        if self.holds:
            return (
                f"PyTorch's logits are within {self.largest_difference:.1e} of MindSpore's on "
                f"{self.rows} rows"
            )
        return (
            f"PyTorch's logits differ from MindSpore's by {self.largest_difference:.1e} on "
            f"{self.rows} rows, more than {self.bound:.1e}; {self.other_predictions} predictions "
            "are others"
        )


def compare(ours: np.ndarray, theirs: np.ndarray) -> Agreement:
    """Compare logits, float [..., k], of the same rows."""
    ours = ours.reshape(-1, ours.shape[-1]).astype(np.float64)
    theirs = theirs.reshape(ours.shape).astype(np.float64)
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return Agreement(len(ours), math.nan, TOLERANCE, 0)
    size = float(np.abs(ours).max())
    difference = float(np.abs(ours - theirs).max())
    bound = TOLERANCE * max(1.0, size)
    chosen = theirs.argmax(axis=1)
    lead = ours.max(axis=1) - ours[np.arange(len(ours)), chosen]
    return Agreement(len(ours), difference, bound, int((lead > 2 * bound).sum()))
