"""What a step of a defence is given, as one thing: the batch, its dropout masks, its noise."""

from typing import Any

import mindspore as ms
from mindspore import Tensor, ops

# A dict: graph mode takes one whole through cells, loops and gradients, and no NamedTuple.
Batch = dict[str, Any]  # of tensors; None where there is no dropout, or no such noise


def named(
    scale: Tensor,
    input_ids: Tensor,
    attention_mask: Tensor,
    token_type_ids: Tensor,
    labels: Tensor,
    weights: Tensor,
    keep_hidden: Tensor | None,
    keep_attention: Tensor | None,
    unit_noise: Tensor,
    uniform: Tensor | None = None,
    keys: Tensor | None = None,
    *,
    levels: Tensor | None = None,
) -> Batch:
    """The inputs of a training step under their names, and the mask as it multiplies δ.

    Args:
        scale: s, scalar float32: the factor on the loss that is differentiated.
        input_ids, attention_mask, token_type_ids: int32 ``[B, L]``; of questions with k choices
            ``[B·k, L]``, as all that has a token axis.
        labels: int32 ``[B]``, or as :func:`mindflood.models.loss.row_losses` has them.
        weights: w, float32 ``[B]``: J = Σ w_i · l_i; 0 for rows that only fill the batch.
        keep_hidden, keep_attention: uint8, as :class:`~mindflood.defences.noise.StepNoise` draws
            them: with an axis of passes before the others unless reused; None: no dropout.
        unit_noise: float32 ``[B, L, d]``, what the initial δ is made of.
        uniform, keys: float32 ``[passes, B, L]``, InfoBERT's: which tokens are compared, and what
            anchored ones are shuffled by.
        levels: of a step that floods row by row: b, or float32 ``[B]``.

    Returns:
        All of these, and ``mask``: float32 ``[B, L, 1]``, 0 on padding; and ``text_weights``: each
        row's weight once for each of its texts, float32 ``[B·k]``, 0 for a choice that is none.
    """
    return {
        "scale": scale,
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
        "labels": labels,
        "weights": weights,
        "keep_hidden": keep_hidden,
        "keep_attention": keep_attention,
        "unit_noise": unit_noise,
        "uniform": uniform,
        "keys": keys,
        "levels": levels,
        "mask": float_mask(attention_mask),
        "text_weights": of_each_text(weights, attention_mask),
    }


def of_each_text(weights: Tensor, attention_mask: Tensor) -> Tensor:
    """The weights of rows, [B], for each of their texts: float32 [B·k]; 0 where there is none."""
    texts = attention_mask.shape[0]
    if texts == weights.shape[0]:
        return weights
    spread = ops.tile(ops.reshape(weights, (-1, 1)), (1, texts // weights.shape[0]))
    there = ops.cast(ops.amax(attention_mask, 1), ms.float32)
    return ops.reshape(spread, (texts,)) * there


def float_mask(attention_mask: Tensor) -> Tensor:
    """The attention mask as it multiplies δ: float32 ``[B, L, 1]``."""
    return ops.expand_dims(ops.cast(attention_mask, ms.float32), -1)
