"""The network on rows that hold several texts each, as if every text had a row of its own.

Short texts in rows as long as the longest are mostly padding, which costs what words cost. Several
texts share a row here (Krell et al. 2021, *Efficient Sequence Packing without
Cross-contamination*): no token attends to another text's, each text's positions begin at 0, and
the head sees the first token of each. Without dropout, logits and gradients are up to rounding
those of the texts in rows of their own.
"""

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.layers import slice_axis
from mindflood.models.loss import row_losses, weighted_loss


class PackedTexts(nn.Cell):
    """Logits of the texts in packed rows."""

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier
        self.product = ops.MatMul()

    def construct(
        self,
        input_ids: Tensor,
        owners: Tensor,
        token_type_ids: Tensor,
        positions: Tensor,
        firsts: Tensor,
        hidden_noise: Tensor | None = None,
        attention_noise: Tensor | None = None,
    ) -> Tensor:
        """float32 ``[B, num_labels]``, of the B texts in R rows.

        Args:
            input_ids, owners, token_type_ids, positions: int32 ``[R, L]``, as in
                :class:`mindflood.data.packing.Packed`.
            firsts: int32 ``[B]``, likewise.
            hidden_noise, attention_noise: as ``DropoutNoise(..., packed=True).draw`` returns them
                for R rows; None for evaluation.
        """
        model = self.classifier
        rows, length = input_ids.shape
        words = model.embed_words(input_ids)
        states = model.embed(words, input_ids, token_type_ids, hidden_noise, positions)
        states = model.through_layers(states, others(owners), hidden_noise, attention_noise)
        # A product with ones and zeros: the gradient of a gather would scatter.
        places = ops.one_hot(firsts, rows * length, Tensor(1.0), Tensor(0.0))
        first = self.product(places, ops.reshape(states, (rows * length, -1)))
        if hidden_noise is None:
            return model.head(first)
        begin, vectors = (model.dropouts * model.layers + 1) * length, model.head_vectors
        keep = slice_axis(hidden_noise, 1, begin, vectors * length)
        keep = ops.gather(ops.reshape(keep, (rows * length, vectors * states.shape[2])), firsts, 0)
        return model.head(first, ops.reshape(keep, (firsts.shape[0], vectors, states.shape[2])))


def others(owners: Tensor) -> Tensor:
    """1 where two tokens of a row are of different texts, else 0: float32 ``[R, 1, L, L]``."""
    rows, length = owners.shape
    of_rows = ops.reshape(owners, (rows, 1, length, 1))
    of_columns = ops.reshape(owners, (rows, 1, 1, length))
    return ops.cast(of_rows != of_columns, ms.float32)


class PackedCrossEntropy(nn.Cell):
    """:class:`~mindflood.models.loss.MeanCrossEntropy` of packed rows: J, scalar float32."""

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__(auto_prefix=False)
        self.logits = PackedTexts(classifier)

    def construct(self, labels: Tensor, weights: Tensor, *texts: Tensor) -> Tensor:
        """labels: int32 or float32 ``[B]``; weights: float32 ``[B]``, 0 for a filler.

        ``texts`` are the inputs of :class:`PackedTexts`.
        """
        return weighted_loss(self.logits(*texts), labels, weights)


class PackedRowCrossEntropy(PackedCrossEntropy):
    """:class:`~mindflood.models.loss.RowCrossEntropy` of packed rows."""

    def construct(self, labels: Tensor, weights: Tensor, *texts: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of every text and its weight, float32 ``[B]`` each."""
        return row_losses(self.logits(*texts), labels), weights
