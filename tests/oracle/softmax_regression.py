"""A network small enough to differentiate by hand, with a dropout that must not take part."""

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from mindflood.flooding.accordance import LabelledBatch

CLASSES = 3


class Regression(nn.Cell):
    """Softmax regression on inputs with dropout: a user's own network."""

    def __init__(self, weight: np.ndarray):
        super().__init__()
        self.weight = ms.Parameter(Tensor(weight), name="weight")
        self.dropout = nn.Dropout(p=0.5)

    def construct(self, inputs, labels, weights):
        logits = ops.matmul(self.dropout(inputs), self.weight)
        return ops.reduce_sum(ops.cross_entropy(logits, labels, reduction="none") * weights)


def regression(seed: int = 0, batches: int = 5) -> tuple[Regression, list[LabelledBatch]]:
    random = np.random.default_rng(seed)
    data = [
        LabelledBatch(
            [random.standard_normal((10, 6)).astype(np.float32)],
            random.integers(0, CLASSES, 10).astype(np.int32),
        )
        for _ in range(batches)
    ]
    return Regression(random.standard_normal((6, CLASSES)).astype(np.float32)), data


def regression_gradients(weight: np.ndarray, batch: LabelledBatch) -> dict[int, np.ndarray]:
    """xᵀ (softmax(x W) − y) / n over the rows of each class, in float64."""
    x = batch.inputs[0].astype(np.float64)
    p = np.exp(x @ weight)
    p /= p.sum(axis=1, keepdims=True)
    residual = p - np.eye(CLASSES)[batch.labels]
    return {
        int(i): (x[rows].T @ residual[rows] / rows.sum()).ravel()
        for i in np.unique(batch.labels)
        for rows in [batch.labels == i]
    }
