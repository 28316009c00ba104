"""Loss and accuracy of the network on labelled examples, without dropout."""

from dataclasses import dataclass

import numpy as np
from mindspore import Tensor, nn

from mindflood.cards.calibration_error import expected_calibration_error
from mindflood.data.batching import Batches
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import measured_cross_entropy


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy (nats), the fraction of rows that are classified right, and how all are.

    Attributes:
        predictions: int64 [n], the class of each row, in the order of the data set.
        losses: float64 [n], of each row in nats; NaN where it was not looked at.
        calibration_error: the expected one, a fraction.
    """

    loss: float
    accuracy: float
    predictions: np.ndarray
    losses: np.ndarray
    calibration_error: float


class Classifier(nn.Cell):
    """The network without dropout, as a cell of its own: one more graph a bucket."""

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> Tensor:
        """Logits, float32 [B, k]."""
        return self.classifier(input_ids, attention_mask, token_type_ids)


def evaluate(classifier: Classifier, batches: Batches, most: int | None = None) -> Evaluation:
    """Every row once; filler rows do not count.

    Args:
        most: stop once so many rows were seen; of shuffled batches they are a random sample.
    """
    n = len(batches.labels)
    predictions, losses = np.zeros(n, np.int64), np.full(n, np.nan)
    confidences = np.zeros(n)
    for batch in batches.epoch(0):
        logits = classifier(
            Tensor(batch.input_ids), Tensor(batch.attention_mask), Tensor(batch.token_type_ids)
        ).asnumpy()
        real = batch.weights > 0
        logits, labels, rows = logits[real], batch.labels[real], batch.indices[real]
        losses[rows] = measured_cross_entropy(logits, labels)
        predictions[rows] = answers = logits.argmax(axis=1)
        confidences[rows] = np.exp(-measured_cross_entropy(logits, answers))
        if most is not None and np.isfinite(losses).sum() >= most:
            break
    seen = ~np.isnan(losses)
    right = predictions[seen] == batches.labels[seen]
    error = expected_calibration_error(confidences[seen], right)
    return Evaluation(losses[seen].mean(), right.mean(), predictions, losses, error)
