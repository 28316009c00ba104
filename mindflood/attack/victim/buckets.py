"""Batches of fixed padded lengths: how far a text is padded depends on the text alone.

A model's answer to a text then does not depend on which texts share its batch, but for the last
bits of the matrix products.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import torch
from transformers.data.data_collator import pad_without_fast_tokenizer_warning

CPU_TOKENS = 2048  # in one batch: more is no faster, and fewer stay in the processor's cache
GPU_TOKENS = 2**16


def in_buckets(
    tokenizer: Any,
    encoded: Any,
    forward: Callable[[Any], torch.Tensor],
    *,
    longest: int,
    device: torch.device,
) -> list[torch.Tensor]:
    """One row of ``forward`` for each text.

    Args:
        tokenizer: pads.
        encoded: what the tokenizer made of n texts, not padded.
        forward: from a padded batch of B rows on ``device`` to a tensor of B rows.
        longest: most tokens the model takes; no bucket is longer.

    Returns:
        n tensors on the CPU, in the order of the texts.
    """
    lengths = list(map(len, encoded["input_ids"]))
    tokens = CPU_TOKENS if device.type == "cpu" else GPU_TOKENS
    order: list[int] = []
    answers: list[torch.Tensor] = []
    for length, members in batches(lengths, longest, tokens):
        batch = pad_without_fast_tokenizer_warning(
            tokenizer,
            {key: [values[i] for i in members] for key, values in encoded.items()},
            padding="max_length",
            max_length=length,
            return_tensors="pt",
        )
        order += members
        answers.append(forward(batch.to(device)))  # on a GPU the next batch need not wait for it
    rows = [row for answer in answers for row in answer.cpu()]
    return [row for _, row in sorted(zip(order, rows, strict=True), key=itemgetter(0))]


def batches(
    lengths: Sequence[int], longest: int, max_tokens: int
) -> Iterator[tuple[int, list[int]]]:
    """Rows that share a bucket, at most ``max_tokens`` padded tokens (or one row) a batch.

    Args:
        lengths: tokens of each row, none more than ``longest``.

    Yields:
        padded length, indices of the rows.
    """
    buckets: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        buckets.setdefault(bucket(length, longest), []).append(row)
    for length, rows in sorted(buckets.items()):
        most = max(1, max_tokens // length)
        for start in range(0, len(rows), most):
            yield length, rows[start : start + most]


def bucket(length: int, longest: int) -> int:
    """The padded length of a text of ``length`` tokens.

    Lengths are rounded up to even ones, and long ones so far that a sixteenth is padding at most:
    finer steps make small batches, coarser ones cost more in padding than full batches save.
    """
    step = 2 ** max(1, (length // 16).bit_length() - 1)
    return min(longest, -(-length // step) * step)
