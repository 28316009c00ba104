"""The regression study against the closed forms of Altinisik et al., Table 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from mindflood.analyse.regression import METHODS, Study, ascended, closed_form, estimate, gradient

NUMBERS = st.floats(-3, 3, allow_nan=False).map(lambda value: round(value, 3))
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=8).filter(
    lambda rows: sum(x * x for x, _, _ in rows) > 0.1
)
LOSSES = {
    "ols": lambda theta, x, y, delta: np.mean((theta * x - y) ** 2),
    "pgd-at": lambda theta, x, y, delta: np.mean(
        (theta * x - y) ** 2 + (theta * (x + delta) - y) ** 2
    ),
    "lds": lambda theta, x, y, delta: np.mean(
        (theta * x - y) ** 2 + (theta * (x + delta) - theta * x) ** 2
    ),
}


@pytest.mark.parametrize("method", METHODS)
@given(rows=POINTS)
def test_the_closed_form_minimises_the_loss_of_the_table(method, rows):
    x, y, delta = np.array(rows).T
    best = optimize.minimize_scalar(lambda theta: LOSSES[method](theta, x, y, delta))
    assert closed_form(method, x, y, delta) == pytest.approx(best.x, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
@given(rows=POINTS, theta=NUMBERS)
def test_the_gradient_is_the_slope_of_the_loss(method, rows, theta):
    x, y, delta = np.array(rows).T
    slope = (
        LOSSES[method](theta + 1e-4, x, y, delta) - LOSSES[method](theta - 1e-4, x, y, delta)
    ) / 2e-4
    assert gradient(method, theta, x, y, delta) == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_descent_with_a_fixed_delta_ends_at_the_closed_form(method):
    random = np.random.default_rng(0)
    x, delta = random.standard_normal(20), 0.3 * random.standard_normal(20)
    y = 0.5 * x + 0.1 * random.standard_normal(20)
    theta = -1.0
    for _ in range(2000):
        theta -= 0.05 * gradient(method, theta, x, y, delta)
    assert theta == pytest.approx(closed_form(method, x, y, delta), abs=1e-9)


@pytest.mark.parametrize("method", ["pgd-at", "lds"])
def test_delta_climbs_and_stays_in_its_ball(method):
    random = np.random.default_rng(0)
    x, y, start = random.standard_normal((3, 50))
    study = Study(radius=0.2)
    delta = ascended(method, 0.7, x, y, start, study)
    assert np.abs(delta).max() <= 0.2
    first = np.clip(start, -0.2, 0.2)
    assert LOSSES[method](0.7, x, y, delta) > LOSSES[method](0.7, x, y, first)


def test_the_first_step_climbs_from_where_delta_starts():
    """θ = 1, x = 0, y = ½, δ₀ = 1: up from 1 by 0.5·2·(1 - ½), and back to 0.2.

    Projected to 0.2 first, it would have gone the other way.
    """
    study = Study(radius=0.2, ascent_rate=0.5, steps=1)
    x, y, start = np.zeros(1), np.full(1, 0.5), np.ones(1)
    assert ascended("pgd-at", 1.0, x, y, start, study) == pytest.approx(0.2)


def test_ols_learns_theta_and_is_the_same_again():
    study = Study()
    assert estimate("ols", 0.01, 3, study) == pytest.approx(0.5, abs=0.01)
    assert estimate("lds", 0.1, 3, study) == estimate("lds", 0.1, 3, study)
