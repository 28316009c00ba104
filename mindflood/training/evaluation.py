"""Loss and metrics of the network on labelled examples, without dropout."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mindspore import Tensor, nn
from scipy.special import logsumexp

from mindflood.cards.calibration_error import expected_calibration_error
from mindflood.data.batching import Batches
from mindflood.metrics import measured
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import measured_losses


@dataclass(frozen=True)
class Evaluation:
    """What a network comes to on rows.

    Attributes:
        loss: the mean loss of a row: nats, of a regression the label's unit squared.
        metrics: those of the task; None where one is undefined.
        predictions: [n], in the order of the data set: a row's class, number or place of the
            answer; of tags those of all words, one sentence behind the other.
        labels: what is right, [n].
        losses: float64, of each row of the data set; NaN where it was not looked at.
        calibration_error: the expected one of a classification, a fraction.
    """

    loss: float
    metrics: Mapping[str, float | None]
    predictions: np.ndarray
    labels: np.ndarray
    losses: np.ndarray
    calibration_error: float | None

    @property
    def accuracy(self) -> float | None:
        """The share that is right; None of a regression."""
        return self.metrics.get("accuracy")


class Classifier(nn.Cell):
    """The network without dropout, as a cell of its own: one more graph a bucket."""

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> Tensor:
        """The network's logits."""
        return self.classifier(input_ids, attention_mask, token_type_ids)


def evaluate(
    classifier: Classifier,
    batches: Batches,
    metrics: tuple[str, ...] = ("accuracy",),
    most: int | None = None,
) -> Evaluation:
    """Every row once; filler rows do not count.

    Args:
        most: stop once so many rows were seen; of shuffled batches they are a random sample.
    """
    rows = len(batches.labels)
    losses, confidences = np.full(rows, np.nan), np.full(rows, np.nan)
    predictions: list[np.ndarray] = [np.empty(0)] * rows
    labels: list[np.ndarray] = [np.empty(0)] * rows
    for batch in batches.epoch(0):
        shape = (-1, batch.input_ids.shape[-1])
        logits = classifier(
            *(
                Tensor(array.reshape(shape))
                for array in (batch.input_ids, batch.attention_mask, batch.token_type_ids)
            )
        ).asnumpy()
        real = batch.weights > 0
        losses[batch.indices[real]] = measured_losses(logits[real], batch.labels[real])
        for place in np.flatnonzero(real):
            index = batch.indices[place]
            predictions[index], labels[index] = answers(logits[place], batch.labels[place])
            confidences[index] = _confidence(logits[place], batch.labels[place])
        if most is not None and np.isfinite(losses).sum() >= most:
            break
    seen = ~np.isnan(losses)
    found, right = np.concatenate(predictions), np.concatenate(labels)
    error = None
    if np.isfinite(confidences[seen]).all():
        error = expected_calibration_error(confidences[seen], found == right)
    values = measured(metrics, found, right)
    return Evaluation(float(losses[seen].mean()), values, found, right, losses, error)


def _confidence(logits: np.ndarray, labels: np.ndarray) -> float:
    """The probability of the class that is predicted; NaN where a row has not one class."""
    if labels.ndim or labels.dtype.kind == "f":
        return math.nan
    return float(np.exp(logits.max() - logsumexp(logits.astype(np.float64))))


def answers(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A row's predictions and what is right, [1], of tags [words]; as ``row_losses`` has them."""
    if logits.ndim == 2:
        words = labels >= 0
        return logits.argmax(axis=-1)[words], labels[words]
    if labels.ndim == 1:
        there = np.where(labels >= 0, logits, -np.inf)
        return np.array([there.argmax()]), np.array([(labels == 1).argmax()])
    if labels.dtype.kind == "f":
        return logits.astype(np.float64), np.array([labels], np.float64)
    return np.array([logits.argmax()]), np.array([labels])
