"""How far a classifier's confidence is from its accuracy, and the temperature that mends it.

Temperature scaling and the expected calibration error are those of Guo et al. 2017, 'On calibration
of modern neural networks', §2 and §4.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from mindflood.cards.calibration_error import expected_calibration_error

_DIGITS = 3  # machines that round differently in the last place agree on the temperature
Source = Literal["fitted", "weakest", "given"]


@dataclass(frozen=True)
class Calibration:
    """The temperature of a calibrated victim and where it came from.

    Attributes:
        temperature: the logits are divided by it.
        source: ``fitted`` to held-out rows, ``weakest`` of several on held-out rows, or ``given``.
        held_out: the split of those rows; None where the temperature was given.
        rows: their number.
    """

    temperature: float
    source: Source
    held_out: str | None = None
    rows: int = 0


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T of the least negative log-likelihood of ``labels`` under softmax(logits/T).

    A model that gets every row right would be fitted by T = 0; so each label keeps 1/(n + 2) of
    its weight for the other classes, as in Platt's scaling, which vanishes as rows are added.

    Args:
        logits: (n, classes), of rows that the model was not trained on; taken as float64.
        labels: (n,) class numbers.

    Returns:
        T, rounded to three significant digits.
    """
    logits = np.asarray(logits, np.float64)
    spread = np.mean(logits.max(1) - logits.min(1))
    if spread == 0:
        return 1.0  # equal logits are as probable at every temperature
    found = minimize_scalar(
        lambda exponent: negative_log_likelihood(logits, labels, spread * np.exp(exponent)),
        bounds=(np.log(1e-3), np.log(1e3)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return rounded(float(spread * np.exp(found.x)))


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Mean over the rows, in nats, of labels smoothed by 1/(n + 2)."""
    rows, classes = logits.shape
    log_likely = logits / temperature
    log_likely = log_likely - logsumexp(log_likely, axis=1, keepdims=True)
    right = log_likely[np.arange(rows), labels]
    wrong = (log_likely.sum(1) - right) / (classes - 1)
    smoothing = 1 / (rows + 2)
    return float(-np.mean((1 - smoothing) * right + smoothing * wrong))


def rounded(temperature: float) -> float:
    """To as many digits as a temperature is known to."""
    return float(f"{temperature:.{_DIGITS}g}")


def calibration_error(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Expected calibration error of the victim on the attacked texts, before the attack.

    Args:
        records: those of the journal, in any order.

    Returns:
        None where no record holds a prediction.
    """
    known = sorted(
        (record["original_probability"], record["original_prediction"] == record["label"])
        for record in records
        if record.get("original_probability") is not None
    )
    if not known:
        return None
    confidence, right = zip(*known, strict=True)
    return round(expected_calibration_error(confidence, right), 6)
