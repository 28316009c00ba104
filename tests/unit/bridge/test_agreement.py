"""When two implementations are said to agree."""

import math

import numpy as np
import pytest

from mindflood.bridge.agreement import TOLERANCE, compare


def logits(scale: float = 1.0) -> np.ndarray:
    return scale * np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_bound_grows_with_the_logits(scale):
    ours = logits(scale)
    size = max(1.0, float(np.abs(ours).max()))
    assert compare(ours, ours).holds
    assert compare(ours, ours + 0.9 * TOLERANCE * size).holds
    found = compare(ours, ours + 1.2 * TOLERANCE * size)
    assert not found.holds
    assert found.other_predictions == 0
    assert found.bound == pytest.approx(TOLERANCE * size)
    assert f"{found.largest_difference:.1e} on 64 rows, more than" in found.sentence()


def test_other_predictions_are_counted_but_near_ties_are_not():
    ours = np.array([[1.0, 0.0], [1.0, 1.0 + 1e-5], [0.0, 2.0]])
    theirs = np.array([[0.0, 1.0], [1.0 + 1e-5, 1.0], [0.0, 2.0]])
    assert compare(ours, theirs).other_predictions == 1
    assert compare(ours[1:], theirs[1:]).holds
    assert "1 predictions are others" in compare(ours, theirs).sentence()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_finite_numbers_agree_with_nothing(value):
    ours = logits()
    spoilt = ours.copy()
    spoilt[3, 1] = value
    for found in (compare(ours, spoilt), compare(spoilt, ours), compare(spoilt, spoilt)):
        assert not found.holds
        assert "no finite numbers" in found.sentence()
