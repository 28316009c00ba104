"""J at perturbed word embeddings, in the pass of the training step that is asked for."""

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.defences.batch import Batch
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import weighted_loss


class AdversarialLoss(nn.Cell):
    """s·J of the network at E + δ, with the batch's scale s.

    Args:
        classifier: the network.
        reuse_dropout: whether the dropout masks come once, or once a pass.
    """

    def __init__(self, classifier: BertForSequenceClassification, reuse_dropout: bool) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier
        self.reuse_dropout = reuse_dropout

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
        return weighted_loss(self.logits(delta, k, batch), batch["labels"], batch["weights"])

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
