"""One accordance out of those of data-parallel workers."""

import numpy as np
from mindspore import Tensor, ops
from numpy.typing import NDArray

from mindflood.errors import UserError
from mindflood.flooding.estimator import AccordanceEstimator

# Entries that are exchanged at a time, from every worker.
_CHUNK = 1 << 20


def merge_over_workers(estimator: AccordanceEstimator, worker_count: int) -> None:
    """Give every worker the accordance of the batches that all of them have probed.

    Each worker calls it, after ``mindspore.communication.init()``, with its own estimator, which
    may be empty; afterwards all hold the same numbers to the last bit, as the sums are added in
    the order of the ranks. What is exchanged is the state; the extra memory is one more copy
    of the sums.

    Raises:
        UserError: the workers probed different parameters.
    """
    state = estimator.state_dict()
    length = state["sums"].shape[1]
    lengths = set(_gathered(np.array([length], np.int64), worker_count).ravel().tolist()) - {0}
    if len(lengths) > 1:
        raise UserError(
            f"workers hold gradients of {sorted(lengths)} entries: every worker has to probe the "
            "same parameters"
        )
    if lengths and not length:
        state["sums"] = np.zeros((estimator.num_classes, lengths.pop()), state["sums"].dtype)
    for array in state.values():
        _add_up(array.reshape(-1), worker_count)
    estimator.load_state_dict(state)


def _add_up(flat: NDArray, worker_count: int) -> None:
    """Put the sum over the workers, in the array's type, in the place of this worker's part."""
    for start in range(0, len(flat), _CHUNK):
        part = slice(start, start + _CHUNK)
        flat[part] = _gathered(flat[part], worker_count).sum(axis=0)


def _gathered(flat: NDArray, worker_count: int) -> NDArray:
    """``flat`` [n] of every worker, [worker_count, n].

    It travels as the bytes it consists of: the collectives know neither float64 nor rounding.
    """
    received = ops.AllGather()(Tensor(flat.view(np.int32))).asnumpy()
    return received.view(flat.dtype).reshape(worker_count, len(flat))
