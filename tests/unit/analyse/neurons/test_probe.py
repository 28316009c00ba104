"""The probe against scikit-learn's optimum, and against what its law says of an optimum."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mindflood.analyse.neurons.activations import Activations
from mindflood.analyse.neurons.probe import Penalty, fit


def words(seed: int = 0, n: int = 300, neurons: int = 8, tags: int = 5):
    """Neurons of unlike means and scales, and tags that they half decide.

    Of an odd number of tags: with λ₁ alone, the weights of an even number can be moved between
    their two middle ones at no cost, and there is no one optimum.
    """
    random = np.random.default_rng(seed)
    z = random.standard_normal((n, neurons)) * np.geomspace(0.3, 3, neurons) + np.arange(neurons)
    scores = (z - z.mean(0)) @ random.standard_normal((neurons, tags)) + random.gumbel(
        size=(n, tags)
    )
    return z, scores.argmax(1)


def scikit(z: np.ndarray, tags: np.ndarray, l1: float, l2: float) -> np.ndarray:
    """W at the minimum of mean cross-entropy + l1·‖W‖₁ + l2·‖W‖₂², by the SAGA solver."""
    # Its law is C·Σ loss + (1 - r)/2·‖W‖₂² + r·‖W‖₁.
    total = l1 + 2 * l2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # 1.8 reads "elasticnet" off l1_ratio
        model = LogisticRegression(
            penalty="elasticnet", solver="saga", C=1 / (total * len(z)), l1_ratio=l1 / total,
            tol=1e-10, max_iter=100_000, random_state=0,
        ).fit(z - z.mean(0), tags)  # fmt: skip
    return model.coef_


def law(z, tags, weights, bias, penalty: Penalty) -> float:
    logits = z @ weights.T + bias
    logits -= logits.max(1, keepdims=True)
    each = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(z)), tags]
    norm = np.sqrt((weights**2).sum())
    ridge = norm if penalty.form == "root" else norm**2
    return each.mean() + penalty.l1 * np.abs(weights).sum() + penalty.l2 * ridge


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.01), (0.02, 0.0), (0.0, 0.03)])
def test_the_squared_form_is_scikit_learns_optimum(l1, l2):
    z, tags = words()
    penalty = Penalty(l1, l2, "squared")
    found = fit(z, tags, 5, penalty, passes=5000, tolerance=1e-15)
    expected = scikit(z, tags, l1, l2)
    np.testing.assert_allclose(found.weights, expected, atol=1e-4)
    assert found.law == pytest.approx(law(z, tags, found.weights, found.bias, penalty), abs=1e-10)
    assert ((found.weights == 0) == (np.abs(expected) < 1e-7)).all()


def test_the_root_form_is_the_squared_one_with_lambda_over_twice_the_norm():
    """At an optimum λ·W/‖W‖ = 2·λ'·W for λ' = λ/(2·‖W‖), and the law is convex."""
    z, tags = words(1)
    penalty = Penalty(0.005, 0.05, "root")
    found = fit(z, tags, 5, penalty, passes=5000, tolerance=1e-15)
    norm = float(np.sqrt((found.weights**2).sum()))
    np.testing.assert_allclose(found.weights, scikit(z, tags, 0.005, 0.05 / (2 * norm)), atol=1e-4)
    assert found.law == pytest.approx(law(z, tags, found.weights, found.bias, penalty), abs=1e-10)


def test_in_blocks_of_single_precision_it_is_the_same(monkeypatch):
    monkeypatch.setattr("mindflood.analyse.neurons.activations.BLOCK", 70)
    z, tags = words(2)
    stored = Activations(*z.shape)
    stored.write(0, z)
    penalty = Penalty(0.01, 0.01)
    found = fit(stored, tags, 5, penalty, passes=5000, tolerance=1e-12)
    whole = fit(z, tags, 5, penalty, passes=5000, tolerance=1e-12)
    np.testing.assert_allclose(found.weights, whole.weights, atol=1e-3)
    assert (found.predict(stored) == whole.predict(z)).mean() > 0.99
    assert found.converged


def test_predictions_are_those_of_the_weights_on_the_raw_activations():
    z, tags = words(3)
    found = fit(z, tags, 5, Penalty(1e-4, 1e-4), passes=500)
    assert (found.predict(z) == (z @ found.weights.T + found.bias).argmax(1)).all()
    assert np.mean(found.predict(z) == tags) > 0.7


@pytest.mark.parametrize("form", ["root", "squared"])
def test_under_a_heavy_penalty_the_commonest_tag_is_all_it_knows(form):
    z, tags = words(4)
    tags[:200] = 2
    found = fit(z, tags, 5, Penalty(5.0, 5.0, form))
    assert (found.weights == 0).all()
    assert (found.predict(z) == 2).all()
    assert found.converged


def test_a_neuron_that_never_moves_has_no_weight():
    z, tags = words(5)
    z[:, 3] = 7.25
    found = fit(z, tags, 5, Penalty(1e-3, 1e-3), passes=500)
    assert (found.weights[:, 3] == 0).all()
    assert np.isfinite(found.weights).all()


def test_few_passes_are_told():
    z, tags = words(6)
    told: list[float] = []
    found = fit(z, tags, 5, Penalty(), passes=5, progress=told.append)
    assert not found.converged
    assert found.passes == len(told) <= 6
    assert told[-1] < told[0]
