"""The activations against SciPy in float64: as exact as a float32, value and gradient."""

import runpy

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from scipy.special import ndtr

from mindflood.models.kernels import _LOGIT_OF_PHI, Gelu, Tanh
from mindflood.models.layers import Activation
from tests.conftest import ROOT

FIT = runpy.run_path(str(ROOT / "tools" / "fit_gelu.py"))
X = np.linspace(-12, 12, 240_001).astype(np.float32)
FAR = np.array([13, 20, 300, 1e4, 1e19, 1e30, 3e38], np.float32)


def relative(found: np.ndarray, exact: np.ndarray, x: np.ndarray) -> float:
    """Largest error, by the size of the argument where that is above 1."""
    return float((np.abs(found - exact) / np.maximum(1, np.abs(x))).max())


@pytest.fixture(params=[ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"], autouse=True)
def mode(request):
    ms.set_context(mode=request.param)


def test_values_are_exact():
    x = np.float64(X)
    y, phi = (part.asnumpy() for part in Gelu()(Tensor(X)))
    assert relative(y, x * ndtr(x), x) < 9e-7  # 8e-7 of it are of MindSpore's sigmoid
    assert np.abs(phi - ndtr(x)).max() < 9e-7


def test_gradients_are_exact():
    x = np.float64(X)
    found = ms.grad(Activation("gelu"))(Tensor(X)).asnumpy()
    exact = ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    assert np.abs(found - exact).max() < 1e-6


@pytest.mark.parametrize("sign", [1, -1])
def test_far_from_zero_it_is_the_identity_or_nothing(sign):
    gelu, x = Activation("gelu"), sign * FAR
    expected = x if sign > 0 else np.zeros_like(x)
    np.testing.assert_array_equal(gelu(Tensor(x)).asnumpy(), expected)
    slope = ms.grad(gelu)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(slope, expected / x, rtol=0, atol=1e-30)


def test_tanh_is_exact():
    """MindSpore's own is off by 1e-4 where it is nearly 1."""
    x = np.float64(X)
    tanh = Tanh()
    assert np.abs(tanh(Tensor(X)).asnumpy() - np.tanh(x)).max() < 1e-7
    slope = ms.grad(tanh)(Tensor(X)).asnumpy()
    assert np.abs(slope - (1 - np.tanh(x) ** 2)).max() < 1e-7


def test_the_gelu_by_a_tanh_is_exact():
    x = np.float64(X)
    expected = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    assert relative(Activation("gelu_new")(Tensor(X)).asnumpy(), expected, x) < 1e-6


def test_no_polynomial_of_the_degree_does_better():
    def error(coefficients: np.ndarray) -> float:
        x = np.linspace(0, 12, 24_001)
        found = FIT["gelu"](x, np.asarray(coefficients, np.float64))
        return relative(found, x * ndtr(x), x)

    fitted = FIT["fit"](len(_LOGIT_OF_PHI), iterations=150, points=3000)
    assert error(_LOGIT_OF_PHI) < 7e-8
    assert error(_LOGIT_OF_PHI) < 1.1 * error(fitted)
