"""Run by msrun: each worker steps on two micro-batches of 1 and 3 rows; prints what happened."""

import json

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from mindflood.flooding import AccumulatedFloodingStep, FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale
from mindflood.training import parallel

LEVEL, RATE, SIZES = 2.6, 0.05, (1, 3)


class Network(nn.Cell):
    """The mean of (x·w)² over the rows x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = ms.Parameter(Tensor(np.ones(3, np.float32)), name="weight")

    def construct(self, rows: Tensor) -> Tensor:
        return ops.reduce_mean(ops.square(ops.reduce_sum(rows * self.weight, -1)))


def rows_of(rank: int) -> list[np.ndarray]:
    """A worker's micro-batches."""
    draw = np.random.default_rng(rank)
    return [draw.normal(0, 1 + rank, (size, 3)).astype(np.float32) for size in SIZES]


def run() -> None:
    """Three steps: up from below the level, then down, then up again."""
    ms.set_context(mode=ms.GRAPH_MODE)
    ms.set_device("CPU")
    worker = parallel.join()
    network = Network()
    optimizer = nn.SGD(network.trainable_params(), RATE)
    step = AccumulatedFloodingStep(
        FloodingTrainOneStepCell(network, optimizer, LEVEL, loss_scale=LossScale(initial=256.0))
    )
    for _ in range(3):
        J = step([(Tensor(rows),) for rows in rows_of(worker.rank)], SIZES)
        seen = {"J": float(J.asnumpy()), "weight": network.weight.asnumpy().tolist()}
        print("seen", json.dumps(seen), flush=True)


if __name__ == "__main__":
    run()
