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
        input_ids, attention_mask, token_type_ids: int32 ``[B, L]``.
        labels: int32 ``[B]``.
        weights: w, float32 ``[B]``: J = Σ w_i · ce_i; 0 for rows that only fill the batch.
        keep_hidden, keep_attention: uint8, as :class:`~mindflood.defences.noise.StepNoise` draws
            them: with an axis of passes before the others unless reused; None: no dropout.
        unit_noise: float32 ``[B, L, d]``, what the initial δ is made of.
        uniform, keys: float32 ``[passes, B, L]``, InfoBERT's: which tokens are compared, and what
            anchored ones are shuffled by.
        levels: of a step that floods row by row: b, or float32 ``[B]``.

    Returns:
        All of these, and ``mask``: float32 ``[B, L, 1]``, 0 on padding.
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
    }


def float_mask(attention_mask: Tensor) -> Tensor:
    """The attention mask as it multiplies δ: float32 ``[B, L, 1]``."""
    return ops.expand_dims(ops.cast(attention_mask, ms.float32), -1)
