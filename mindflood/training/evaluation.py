"""Loss and accuracy of the network on labelled examples, without dropout."""

from dataclasses import dataclass

import numpy as np
from mindspore import Tensor, nn

from mindflood.data.batching import Batches
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import measured_cross_entropy


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy (nats), the fraction of rows that are classified right, and how all are.

    Attributes:
        predictions: int64 [n], the class of each row, in the order of the data set.
    """

    loss: float
    accuracy: float
    predictions: np.ndarray


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


def evaluate(classifier: Classifier, batches: Batches) -> Evaluation:
    """Every row once; filler rows do not count."""
    loss, right, rows = 0.0, 0, 0
    predictions = np.zeros(len(batches.labels), np.int64)
    for batch in batches.epoch(0):
        logits = classifier(
            Tensor(batch.input_ids), Tensor(batch.attention_mask), Tensor(batch.token_type_ids)
        ).asnumpy()
        real = batch.weights > 0
        logits, labels = logits[real], batch.labels[real]
        loss += float(measured_cross_entropy(logits, labels).sum())
        predictions[batch.indices[real]] = answers = logits.argmax(axis=1)
        right += int((answers == labels).sum())
        rows += len(labels)
    return Evaluation(loss / rows, right / rows, predictions)
