"""Which worker this process is, when ``msrun`` started several."""

import os
from dataclasses import dataclass

import numpy as np

from mindflood.data.batching import Batch
from mindflood.errors import UserError


@dataclass(frozen=True)
class Worker:
    """One of ``count`` data-parallel workers."""

    rank: int = 0
    count: int = 1

    @property
    def writes(self) -> bool:
        """Whether this worker writes the RUN folder."""
        return self.rank == 0

    def rows(self, batch_size: int, accumulation_steps: int = 1) -> list[range]:
        """This worker's rows of a global batch, one range a micro-batch.

        Raises:
            UserError: the batch cannot be divided evenly.
        """
        parts = self.count * accumulation_steps
        if batch_size % parts:
            raise UserError(
                f"training.batch_size: {batch_size} rows cannot be divided over {self.count} "
                f"workers x {accumulation_steps} micro-batches; use a multiple of {parts}"
            )
        size = batch_size // parts
        starts = range(self.rank * size * accumulation_steps, batch_size, size)
        return [range(start, start + size) for start in starts[:accumulation_steps]]


def several() -> bool:
    """Whether ``msrun`` started this process as one of several."""
    return int(os.environ.get("MS_WORKER_NUM", "1")) > 1


def join() -> Worker:
    """Join the workers that ``msrun`` started; a single worker without it.

    Gradients are averaged over the workers and J by the step cell, so that k workers with n/k rows
    each take the step of one worker with n rows.
    """
    if not several():
        return Worker()
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    init()
    ms.set_auto_parallel_context(
        parallel_mode=ms.ParallelMode.DATA_PARALLEL,
        gradients_mean=True,
        device_num=get_group_size(),
    )
    return Worker(get_rank(), get_group_size())


def from_the_first(number: float, worker: Worker) -> float:
    """The first worker's number, on every worker, once all of them have come here.

    What decides about the training has to be the same to the last bit on all of them.
    """
    if worker.count == 1:
        return number
    from mindspore import Tensor, ops

    # As bytes: the collectives know no float64.
    received = ops.AllGather()(Tensor(np.array([number], np.float64).view(np.int32)))
    return float(received.asnumpy().view(np.float64)[0])


def row_weights(batch: Batch, parts: int) -> np.ndarray:
    """float32 [B]: what makes the mean over ``parts`` of Σ w·ce the sum over the real rows over B.

    B is the number of real rows, whatever they weigh: one that weighs less moves the mean less.
    The parts are the workers' micro-batches: all have as many rows, fillers among them.
    """
    return (batch.weights * (parts / np.float32((batch.indices >= 0).sum()))).astype(np.float32)
