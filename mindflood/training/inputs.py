"""What goes into each training step, prepared one step ahead of the device."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import numpy as np
from mindspore import Tensor

from mindflood.data import packing
from mindflood.data.batching import Batch, Batches
from mindflood.data.packing import Packed
from mindflood.models.config import BertConfig
from mindflood.training.parallel import Worker, row_weights

Inputs = tuple[Tensor, ...]


class Noise(Protocol):
    """What is random in a step."""

    def draw(self, step: int, rows: range, length: int) -> tuple[np.ndarray, ...]:
        """Arrays for the rows ``rows`` of the global batch of ``step``; of questions the texts."""


def step_inputs(
    batches: Batches,
    noise: Noise,
    worker: Worker,
    accumulation_steps: int,
    epoch: int,
    span: tuple[int, int],
    first: int,
    levels: np.ndarray | None = None,
    pack: Callable[[Batch], Packed] | None = None,
) -> Iterator[list[Inputs]]:
    """For the steps of an epoch, from the step ``first`` on: this worker's micro-batches.

    ``span`` is the epoch's first step, and the first that is no longer its own.

    Each is the argument list of :class:`~mindflood.models.loss.MeanCrossEntropy`, with the noise of
    a defence behind it, whose step gives them names (:func:`mindflood.defences.batch.named`), and
    the levels of its rows, float32 ``[n]`` of all training rows, before it where they have some. A
    step's inputs depend on the seed and the step alone, so they can be drawn while the one before
    runs. With ``pack`` a batch is one micro-batch, the argument list of
    :class:`~mindflood.models.packed_texts.PackedCrossEntropy`.
    """
    rows, (start, last) = worker.rows(batches.batch_size, accumulation_steps), span

    def prepare(step: int) -> list[Inputs]:
        batch = batches.batch(epoch, step - start)
        own = () if levels is None else (levels[batch.indices],)  # a filler's is as good as any
        if pack is not None:
            return [_tensors((*own, *_packed(batch, pack(batch), noise, step)))]
        length, texts = batch.input_ids.shape[-1], batch.input_ids[0].size
        texts //= length  # of a row: those of a question lie one behind the other
        weights = row_weights(batch, worker.count * accumulation_steps)
        micro_batches = []
        for part in rows:
            keep = slice(part.start, part.stop)
            arrays = (
                *(of_rows[keep] for of_rows in own),
                batch.input_ids[keep].reshape(-1, length),
                batch.attention_mask[keep].reshape(-1, length),
                batch.token_type_ids[keep].reshape(-1, length),
                batch.labels[keep],
                weights[keep],
                *noise.draw(step, range(part.start * texts, part.stop * texts), length),
            )
            micro_batches.append(_tensors(arrays))
        return micro_batches

    with ThreadPoolExecutor(max_workers=1) as ahead:
        waiting = ahead.submit(prepare, first) if first < last else None
        for step in range(first, last):
            inputs = waiting.result()  # type: ignore[union-attr]
            waiting = ahead.submit(prepare, step + 1) if step + 1 < last else None
            yield inputs


def packing_for(config: BertConfig) -> Callable[[Batch], Packed]:
    """:func:`mindflood.data.packing.pack` for a network."""
    counts = config.architecture.counted_positions
    return partial(packing.pack, uncounted=config.pad_token_id if counts else None)


def _packed(batch: Batch, texts: Packed, noise: Noise, step: int) -> tuple[np.ndarray, ...]:
    rows, length = texts.owners.shape
    return (
        batch.labels,
        row_weights(batch, 1),
        texts.input_ids,
        texts.owners,
        texts.token_type_ids,
        texts.positions,
        texts.firsts,
        *noise.draw(step, range(rows), length),
    )


def _tensors(arrays: Sequence[np.ndarray]) -> Inputs:
    """Without a copy: the masks of a step are tens of megabytes."""
    return tuple(map(Tensor.from_numpy, map(np.ascontiguousarray, arrays)))
