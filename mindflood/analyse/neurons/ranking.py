"""Which neurons matter to a tag, and to all of them, by a probe's weights (Dalvi et al. 2019)."""

import numpy as np

_STEPS = 100  # the weight mass is gone through by the percent


def by_weight(weights: np.ndarray) -> np.ndarray:
    """Each tag's neurons, the largest |weight| first; equal ones in the order of the neurons.

    Args:
        weights: ``[tags, neurons]``.

    Returns:
        int64 ``[tags, neurons]``.
    """
    return np.argsort(-np.abs(weights), axis=1, kind="stable")


def salient(weights: np.ndarray, share: float) -> list[np.ndarray]:
    """The fewest neurons of each tag that carry a share of its weight: one at the least.

    Args:
        weights: ``[tags, neurons]``.
        share: of a tag's sum of |weights|, in [0, 1].
    """
    return [
        order[: 1 + int(np.searchsorted(mass, share * mass[-1]))]
        for order, mass in zip(by_weight(weights), _mass(weights), strict=True)
    ]


def overall(weights: np.ndarray) -> np.ndarray:
    """All neurons, those first that are the first to be salient to some tag.

    The share of the weight goes from 0 to 100 % by the percent; what comes in at one percent is
    ordered by its largest part of a tag's weight, where the toolkit leaves the order open. Neurons
    without any weight are the last.

    Args:
        weights: ``[tags, neurons]``.

    Returns:
        int64 ``[neurons]``.
    """
    order, mass = by_weight(weights), _mass(weights)
    before = np.concatenate([np.zeros((len(mass), 1)), mass[:, :-1]], axis=1)
    thresholds = np.arange(_STEPS + 1) / _STEPS * mass[:, -1:]
    comes_in = np.full(weights.shape[1], _STEPS + 1)
    for neurons, mass_before, steps in zip(order, before, thresholds, strict=True):
        # A neuron is taken as long as those before it have not reached the threshold yet.
        step = np.searchsorted(steps, mass_before, side="right")
        step[0] = 0
        comes_in[neurons] = np.minimum(comes_in[neurons], step)
    totals = np.maximum(mass[:, -1:], np.finfo(float).tiny)
    largest = (np.abs(weights) / totals).max(axis=0)
    return np.lexsort((np.arange(len(largest)), -largest, comes_in))


def _mass(weights: np.ndarray) -> np.ndarray:
    """Sums of the largest 1, 2, … |weights| of each tag, ``[tags, neurons]``."""
    return np.cumsum(-np.sort(-np.abs(weights).astype(np.float64), axis=1), axis=1)
