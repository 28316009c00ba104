"""AdaFlood's levels against a literal cross-validation of a linear model, in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.errors import UserError
from mindflood.flooding.own_levels import folds_of, held_out_losses, levels_of

random = np.random.default_rng(4)
POINTS = random.normal(size=(30, 3))
LABELS = (POINTS @ [1.0, -2.0, 0.5] + random.normal(size=30) > 0).astype(int)


def trained(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression: 50 steps of gradient descent from zero."""
    weights = np.zeros(3)
    for _ in range(50):
        p = 1 / (1 + np.exp(-points @ weights))
        weights -= 0.5 * points.T @ (p - labels) / len(labels)
    return weights


def right_label(points: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probability of each row's label."""
    p = 1 / (1 + np.exp(-points @ weights))
    return np.where(labels == 1, p, 1 - p)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.5, 1.0])
def test_levels_equal_a_literal_cross_validation(gamma: float) -> None:
    folds = folds_of(LABELS, 5, seed=1)
    asked = []

    def fit(fold: int, seen: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        asked.append(fold)
        weights = trained(POINTS[seen], LABELS[seen])
        return -np.log(right_label(POINTS[held_out], LABELS[held_out], weights))

    levels = levels_of(held_out_losses(folds, fit), gamma)
    assert asked == [0, 1, 2, 3, 4]
    for row in range(30):  # each row by a model that is trained without its fold
        others = [other for other in range(30) if folds[other] != folds[row]]
        weights = trained(POINTS[others], LABELS[others])
        p = right_label(POINTS[row], LABELS[row], weights)
        assert levels[row] == pytest.approx(-np.log((1 - gamma) * p + gamma), abs=1e-12)


def test_the_ends_of_gamma() -> None:
    losses = np.array([0.0, 1e-9, 0.7, 30.0, 1e4])
    np.testing.assert_allclose(levels_of(losses, 0.0), losses)  # the held-out losses themselves
    assert levels_of(losses, 1.0).tolist() == [0.0] * 5  # no loss is below: nothing is flooded
    assert levels_of(losses, 0.5).max() == pytest.approx(np.log(2))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_levels_lie_between_zero_and_the_loss(losses: list[float], gamma: float) -> None:
    levels = levels_of(np.array(losses), gamma)
    assert (levels >= 0).all()
    assert (levels <= np.array(losses) * (1 + 1e-12) + 1e-12).all()


@given(st.lists(st.integers(2, 20), min_size=1, max_size=4), st.integers(2, 5), st.integers(0, 99))
def test_folds_share_every_class_evenly(counts: list[int], folds: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    if min(counts) < folds:
        with pytest.raises(UserError, match="are more than the training rows of class"):
            folds_of(labels, folds, seed)
        return
    found = folds_of(labels, folds, seed)
    np.testing.assert_array_equal(found, folds_of(labels, folds, seed))
    for rows in (found, *(found[labels == one] for one in range(len(counts)))):
        sizes = np.bincount(rows, minlength=folds)
        assert sizes.max() - sizes.min() <= 1


def test_another_seed_divides_in_another_way() -> None:
    assert (folds_of(LABELS, 5, 0) != folds_of(LABELS, 5, 1)).any()


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [
        ([0, 1, 0, 1], 1, "folds: 1: expected at least 2"),
        ([0, 1, 0, 1, 1], 3, "folds: 3 are more than the training rows of class bad, 2; use at mo"),
        ([0, 0, 1], 2, "folds: 2 are more than the training rows of class good, 1; train on more"),
    ],
)
def test_folds_that_cannot_be_are_refused(labels: list[int], folds: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        folds_of(np.array(labels), folds, 0, ("bad", "good"))


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_a_gamma_that_cannot_be_is_refused(gamma: float) -> None:
    with pytest.raises(UserError, match="expected a number from 0 to 1"):
        levels_of(np.zeros(2), gamma)


@pytest.mark.parametrize("losses", [[0.1], [0.1, np.nan], [0.1, -1.0]])
def test_losses_that_cannot_be_are_refused(losses: list[float]) -> None:
    with pytest.raises(UserError, match="fold 0: expected 2 finite losses"):
        held_out_losses(np.array([0, 0, 1, 1]), lambda *_: np.array(losses))
