"""Cross-entropy on the device and on the host, against a sum of exponentials in fractions."""

import math
from fractions import Fraction

import mindspore as ms
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mindspore import Tensor

from mindflood.models.loss import cross_entropy, measured_cross_entropy, weighted_cross_entropy

ROWS = st.lists(
    st.lists(st.floats(-30, 30, width=32), min_size=3, max_size=3), min_size=1, max_size=5
)


def expected(logits: np.ndarray, labels: np.ndarray) -> list[float]:
    """log Σ_k exp(z_k - z_label), the sum of which loses nothing."""
    found = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(Fraction(math.exp(z - row[label])) for z in row)
        found.append(math.log(total))
    return found


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(0, 2))
def test_both_sides_equal_the_sum_of_exponentials(rows: list[list[float]], first: int) -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    logits = np.array(rows, np.float32)
    labels = ((np.arange(len(rows)) + first) % 3).astype(np.int32)
    wanted = expected(logits, labels)
    np.testing.assert_allclose(
        measured_cross_entropy(logits, labels), wanted, rtol=1e-12, atol=1e-14
    )
    on_device = cross_entropy(Tensor(logits), Tensor(labels)).asnumpy()
    np.testing.assert_allclose(on_device, wanted, rtol=1e-5, atol=1e-5)
    weights = np.linspace(0, 1, len(rows), dtype=np.float32)
    J = float(weighted_cross_entropy(Tensor(logits), Tensor(labels), Tensor(weights)).asnumpy())
    assert pytest.approx(float(weights @ np.array(wanted)), rel=1e-5, abs=1e-4) == J


def test_large_logits_do_not_overflow_on_the_host() -> None:
    logits = np.array([[1000.0, -1000.0], [1000.0, 1000.0]], np.float32)
    found = measured_cross_entropy(logits, np.array([1, 0], np.int32))
    np.testing.assert_allclose(found, [2000.0, math.log(2)])
