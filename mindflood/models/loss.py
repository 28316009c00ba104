"""Cross-entropy of rows, on device and host, and J, its mean over a batch, as a network."""

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops
from scipy.special import logsumexp

from mindflood.models.bert import BertForSequenceClassification


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log softmax(logits)[label] of every row.

    Args:
        logits: float32 [B, k].
        labels: int32 [B].

    Returns:
        float32 [B], in nats.
    """
    log_probabilities = ops.log_softmax(logits, -1)
    chosen = ops.one_hot(labels, logits.shape[-1], Tensor(1.0), Tensor(0.0))
    return -ops.reduce_sum(log_probabilities * chosen, -1)


def measured_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same on the host, in float64: float64 [B], in nats."""
    logits = logits.astype(np.float64)
    chosen = np.take_along_axis(logits, labels[:, None].astype(np.int64), axis=1)[:, 0]
    of_rows: np.ndarray = logsumexp(logits, axis=1) - chosen
    return of_rows


def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """J = Σ w_i · ce_i, scalar float32.

    Args:
        logits: [B, k], of any precision.
        labels: int32 [B].
        weights: float32 [B].
    """
    return ops.reduce_sum(cross_entropy(ops.cast(logits, ms.float32), labels) * weights)


class MeanCrossEntropy(nn.Cell):
    """J = Σ w_i · ce_i over the rows of a batch.

    The weights are the host's: m/n for the n real rows of a batch that comes in m parts, and 0 for
    filler rows. The mean of J over the parts, which are workers' and micro-batches, is then that
    over the real rows, also where the last batch is not full and one part has all its fillers.
    """

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier

    def construct(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None = None,
        keep_attention: Tensor | None = None,
    ) -> Tensor:
        """Scalar float32; shapes as in ``Batch`` and ``DropoutNoise.draw``; None: no dropout."""
        logits = self.classifier(
            input_ids, attention_mask, token_type_ids, keep_hidden, keep_attention
        )
        return weighted_cross_entropy(logits, labels, weights)


class RowCrossEntropy(MeanCrossEntropy):
    """The cross-entropy of every row and its weight, for a step that floods row by row."""

    def construct(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None = None,
        keep_attention: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """float32 [B] each; J is the sum of their products."""
        logits = self.classifier(
            input_ids, attention_mask, token_type_ids, keep_hidden, keep_attention
        )
        return cross_entropy(ops.cast(logits, ms.float32), labels), weights
