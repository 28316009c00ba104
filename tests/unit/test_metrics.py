"""The metrics against scikit-learn and SciPy; one that is undefined is said to be so."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn

from mindflood.metrics import accuracy, f1, matthews, measured, pearson, spearman, undefined

CLASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)
BINARY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30)
HALVES = st.integers(-10, 10).map(lambda n: n / 2)
NUMBERS = st.lists(st.tuples(HALVES, HALVES), min_size=2, max_size=30)


def sides(pairs: list) -> tuple[np.ndarray, np.ndarray]:
    predictions, labels = zip(*pairs, strict=True)
    return np.array(predictions), np.array(labels)


@settings(deadline=None)
@given(CLASSES)
def test_accuracy_and_matthews_equal_scikit_learn(pairs):
    predictions, labels = sides(pairs)
    assert accuracy(predictions, labels) == sklearn.accuracy_score(labels, predictions)
    found = matthews(predictions, labels)
    if found is None:
        assert min(len(set(predictions)), len(set(labels))) == 1
    else:
        expected = sklearn.matthews_corrcoef(labels, predictions)
        assert found == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(BINARY)
def test_f1_equals_scikit_learn(pairs):
    predictions, labels = sides(pairs)
    found = f1(predictions, labels)
    if found is None:
        assert not predictions.any()
        assert not labels.any()
    else:
        assert found == pytest.approx(sklearn.f1_score(labels, predictions, zero_division=0))


@settings(deadline=None)
@given(NUMBERS)
def test_correlations_equal_scipy(pairs):
    predictions, labels = sides(pairs)
    constant = min(len(set(predictions)), len(set(labels))) == 1
    for ours, theirs in ((pearson, stats.pearsonr), (spearman, stats.spearmanr)):
        found = ours(predictions, labels)
        if constant:
            assert found is None
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert found == pytest.approx(theirs(predictions, labels)[0], abs=1e-12)


def test_an_undefined_correlation_is_said_and_is_not_zero():
    predictions, labels = np.full(4, 2.5), np.array([0.0, 1, 2, 3])
    found = measured(("pearson", "spearman"), predictions, labels)
    assert found == {"pearson": None, "spearman": None}
    assert undefined(found, predictions) == [
        "Pearson's correlation is undefined, as the predictions are all the same",
        "Spearman's correlation is undefined, as the predictions are all the same",
    ]
    same = measured(("matthews", "accuracy"), np.array([0, 1]), np.array([1, 1]))
    assert undefined(same, np.array([0, 1])) == [
        "Matthews' correlation is undefined, as the labels are all the same"
    ]
    assert same["accuracy"] == 0.5
