"""J at perturbed word embeddings, in the pass of the training step that is asked for."""

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import weighted_cross_entropy


class DropoutMasks(nn.Cell):
    """The dropout masks of one pass: the same in all of them, or its own out of a stack."""

    def __init__(self, reused: bool) -> None:
        super().__init__()
        self.reused = reused

    def construct(self, masks: Tensor | None, number: Tensor) -> Tensor | None:
        """``masks``: as the network takes them, or, not reused, with an axis of passes before."""
        if masks is None or self.reused:
            return masks
        return ops.gather(masks, number, 0)


class AdversarialLoss(nn.Cell):
    """s·J with J = Σ w_i · ce_i of the network at E + δ.

    The scale s is a power of two, so that the caller has J back by a division, to the last bit.

    Args:
        classifier: the network.
        reuse_dropout: whether the masks come once, or once a pass.
    """

    def __init__(self, classifier: BertForSequenceClassification, reuse_dropout: bool) -> None:
        super().__init__(auto_prefix=False)
        self.classifier = classifier
        self.masks = DropoutMasks(reuse_dropout)

    def construct(
        self,
        delta: Tensor | None,
        scale: Tensor,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        weights: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        """Scalar float32.

        Args:
            delta: δ, float32 ``[B, L, d]``; None for the clean loss.
            scale: s, scalar float32: the gradients' loss scale.
            number: of the pass, int32, from 0.
            input_ids, attention_mask, token_type_ids, labels, weights: as in ``Batch``.
            keep_hidden, keep_attention: as :class:`~mindflood.defences.noise.StepNoise` draws
                them; None: no dropout.
        """
        logits = self.logits(
            delta, number, input_ids, attention_mask, token_type_ids, keep_hidden, keep_attention
        )
        return weighted_cross_entropy(logits, labels, weights) * scale

    def logits(
        self,
        delta: Tensor | None,
        number: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        keep_hidden: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        """f(x + δ), float32 ``[B, k]``."""
        logits = self.classifier(
            input_ids,
            attention_mask,
            token_type_ids,
            self.masks(keep_hidden, number),
            self.masks(keep_attention, number),
            delta,
        )
        return ops.cast(logits, ms.float32)
