"""J at perturbed word embeddings, in the pass of the training step that is asked for."""

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.defences.batch import Batch
from mindflood.flooding.rows import RowFlood, RowWeights
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import row_losses


class AdversarialLoss(nn.Cell):
    """s·J of the network at E + δ, with the batch's scale s.

    Args:
        classifier: the network.
        reuse_dropout: whether the dropout masks come once, or once a pass.
        rows: the rule by which rows are flooded one by one; None: they are not.
    """

    def __init__(
        self,
        classifier: BertForSequenceClassification,
        reuse_dropout: bool,
        rows: RowWeights | None = None,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier
        self.reuse_dropout = reuse_dropout
        self.by_rows = rows is not None
        if rows is not None:
            self.flood = RowFlood(rows)

    def construct(self, delta: Tensor | None, k: Tensor, batch: Batch) -> Tensor:
        """Scalar float32.

        Args:
            delta: δ, float32 ``[B, L, d]``; None: zero.
            k: number of the pass, int32, from 0.
            batch: as :func:`~mindflood.defences.batch.named` makes it.
        """
        return self.J(delta, k, batch) * batch["scale"]

    def J(self, delta: Tensor | None, k: Tensor, batch: Batch) -> Tensor:  # noqa: N802
        """Σ w_i · l_i of pass ``k``, without a scale."""
        return ops.reduce_sum(self.losses(delta, k, batch) * batch["weights"])

    def losses(self, delta: Tensor | None, k: Tensor, batch: Batch) -> Tensor:
        """l_i of pass ``k``, float32 ``[B]``."""
        return row_losses(self.logits(delta, k, batch), batch["labels"])

    def flooded(
        self, delta: Tensor | None, k: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What a step that floods row by row differentiates in pass ``k``.

        Returns:
            s·Σ f_i·l_i, scalar float32; J and the share of the rows that climb, float32 ``[2]``;
            the f_i, float32 ``[B]``.
        """
        losses = self.losses(delta, k, batch)
        factors, measured = self.flood(losses, batch["weights"], batch["levels"])
        return ops.reduce_sum(losses * factors) * batch["scale"], measured, factors

    def logits(self, delta: Tensor | None, k: Tensor, batch: Batch) -> Tensor:
        """f(x + δ), float32: the network's logits."""
        hidden, attention = self.masks(k, batch)
        logits = self.classifier(
            batch["input_ids"], batch["attention_mask"], batch["token_type_ids"],
            hidden, attention, delta,
        )  # fmt: skip
        return ops.cast(logits, ms.float32)

    def masks(self, k: Tensor, batch: Batch) -> tuple[Tensor | None, Tensor | None]:
        """The dropout masks of pass ``k``, as the network takes them."""
        hidden, attention = batch["keep_hidden"], batch["keep_attention"]
        if hidden is None or self.reuse_dropout:
            return hidden, attention
        return ops.gather(hidden, k, 0), ops.gather(attention, k, 0)
