"""The metrics of the benchmarks' tasks. One that is undefined is None, never 0."""

import math
import warnings
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

Metric = Callable[[np.ndarray, np.ndarray], float | None]


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float | None:
    """The share that is right; None of no rows."""
    return float(np.mean(predictions == labels)) if len(labels) else None


def f1(predictions: np.ndarray, labels: np.ndarray) -> float | None:
    """F1 of class 1, 2·TP / (2·TP + FP + FN); None where it is neither there nor predicted."""
    right = int(np.sum((predictions == 1) & (labels == 1)))
    both = int(np.sum(predictions == 1)) + int(np.sum(labels == 1))
    return 2 * right / both if both else None


def matthews(predictions: np.ndarray, labels: np.ndarray) -> float | None:
    """Matthews' correlation of two classes or more (Gorodkin 2004); None where a side has one."""
    classes = np.union1d(predictions, labels)
    of_predictions = predictions[:, None] == classes
    of_labels = labels[:, None] == classes
    n = len(labels)
    predicted, there = of_predictions.sum(axis=0), of_labels.sum(axis=0)
    right = int((of_predictions & of_labels).sum())
    spread = (n**2 - int(predicted @ predicted)) * (n**2 - int(there @ there))
    return float((right * n - int(predicted @ there)) / math.sqrt(spread)) if spread else None


def pearson(predictions: np.ndarray, labels: np.ndarray) -> float | None:
    """Pearson's correlation; None where a side is constant."""
    return _correlation(stats.pearsonr, predictions, labels)


def spearman(predictions: np.ndarray, labels: np.ndarray) -> float | None:
    """Spearman's rank correlation; None where a side is constant."""
    return _correlation(stats.spearmanr, predictions, labels)


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
}
TITLES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "f1": "F1",
    "matthews": "Matthews' correlation",
    "pearson": "Pearson's correlation",
    "spearman": "Spearman's correlation",
}


def measured(
    names: tuple[str, ...], predictions: np.ndarray, labels: np.ndarray
) -> dict[str, float | None]:
    """The metrics of these names, of predictions and labels, both [n]."""
    return {name: METRICS[name](predictions, labels) for name in names}


def undefined(found: Mapping[str, float | None], predictions: np.ndarray) -> list[str]:
    """Sentences without a full stop that say which metrics have no value, and why."""
    constant = len(predictions) > 0 and bool(np.all(predictions == predictions[0]))
    why = "the predictions are all the same" if constant else "the labels are all the same"
    return [
        f"{TITLES[name]} is undefined, as {why}" for name, value in found.items() if value is None
    ]


def _correlation(of: Callable[..., tuple[float, float]], *sides: np.ndarray) -> float | None:
    if len(sides[0]) < 2 or any(np.ptp(side) == 0 for side in sides):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sides that are nearly constant
        value = float(of(*(np.asarray(side, np.float64) for side in sides))[0])
    return value if math.isfinite(value) else None
