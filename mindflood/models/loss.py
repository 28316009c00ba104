"""The loss of rows of every kind of task, on device and host, and J, its mean, as a network."""

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops
from scipy.special import logsumexp

from mindflood.models.bert import BertForSequenceClassification

IGNORED = -100  # Hugging Face's label of what does not count: filler choices, tokens of no word
_ABSENT = -1e9  # the score of a choice that a question does not have: its probability is 0


def row_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of every row, float32 [B]: the one place for every kind of task.

    Whatever weighs or floods rows does it to these. What the labels are tells the kind:

    Args:
        logits, labels: of any precision, and

            - classification: [B, k], int32 [B]: cross-entropy in nats;
            - regression: [B, 1], float32 [B]: squared error, in the label's unit squared;
            - choice: [B, k], int32 [B, k], 1 for the answer, 0 for another choice, ``IGNORED``
              where there is none: cross-entropy over the choices, in nats;
            - tagging: [B, L, k], int32 [B, L], ``IGNORED`` on all tokens but a word's first: the
              mean cross-entropy of the sentence's words, in nats.
    """
    logits = ops.cast(logits, ms.float32)
    if logits.ndim == 3:
        return mean_of_words(
            ops.reshape(
                cross_entropy(
                    ops.reshape(logits, (-1, logits.shape[2])),
                    ops.reshape(ops.maximum(labels, 0), (-1,)),
                ),
                labels.shape,
            ),
            labels,
        )
    if labels.ndim == 2:
        chosen = ops.cast(labels == 1, ms.float32)
        return -ops.reduce_sum(ops.log_softmax(of_choices(logits, labels), -1) * chosen, -1)
    if labels.dtype == ms.float32:
        return ops.square(ops.reshape(logits, labels.shape) - labels)
    return cross_entropy(logits, labels)


def weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """J = Σ w_i · l_i, scalar float32; logits and labels as in :func:`row_losses`.

    Args:
        weights: float32 [B].
    """
    return ops.reduce_sum(row_losses(logits, labels) * weights)


def of_choices(logits: Tensor, labels: Tensor) -> Tensor:
    """Scores of choices, [B, k], where those that a question does not have cannot win."""
    return ops.where(labels >= 0, logits, ops.full_like(logits, _ABSENT))


def mean_of_words(of_tokens: Tensor, labels: Tensor) -> Tensor:
    """The mean of what each token has, [B, L], over the words of every sentence: [B]."""
    counted = ops.cast(labels >= 0, ms.float32)
    words = ops.maximum(ops.reduce_sum(counted, 1), Tensor(1.0, ms.float32))
    return ops.reduce_sum(of_tokens * counted, 1) / words


def measured_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """:func:`row_losses` on the host, in float64: float64 [B]."""
    logits = logits.astype(np.float64)
    if logits.ndim == 3:
        counted = labels >= 0
        of_tokens = measured_cross_entropy(
            logits.reshape(-1, logits.shape[2]), np.maximum(labels, 0).ravel()
        ).reshape(labels.shape)
        means: np.ndarray = (of_tokens * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
        return means
    if labels.ndim == 2:
        scores = np.where(labels >= 0, logits, _ABSENT)
        return measured_cross_entropy(scores, (labels == 1).argmax(axis=1))
    if labels.dtype.kind == "f":
        errors: np.ndarray = np.square(logits.reshape(labels.shape) - labels)
        return errors
    return measured_cross_entropy(logits, labels)


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
    """J = Σ w_i · l_i over the rows of a batch, of any kind of task.

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
        """Scalar float32; shapes as in ``Batch`` and ``DropoutNoise.draw``; None: no dropout.

        Questions come with their k texts one behind the other: ids ``[B·k, L]``.
        """
        logits = self.classifier(
            input_ids, attention_mask, token_type_ids, keep_hidden, keep_attention
        )
        return weighted_loss(logits, labels, weights)


class RowCrossEntropy(MeanCrossEntropy):
    """The loss of every row and its weight, for a step that floods row by row."""

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
        return row_losses(logits, labels), weights
