"""The parts a BERT is made of, with Hugging Face's parameter names and shapes.

Matrix products and activations run in ``compute_type``; LayerNorm and softmax in float32.
Parameters stay float32 and are cast where they are used.
"""

from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops


def _parameter(value: float, *shape: int) -> Parameter:
    return Parameter(Tensor(np.full(shape, value, np.float32)))


class Dense(nn.Cell):
    """y = x Wᵀ + b. x: ``[N, inputs]``; weight: ``[outputs, inputs]``, as in PyTorch."""

    def __init__(self, inputs: int, outputs: int, compute_type: Any = ms.float32) -> None:
        super().__init__()
        self.weight = _parameter(0.0, outputs, inputs)
        self.bias = _parameter(0.0, outputs)
        self.compute_type = compute_type
        self.product = ops.MatMul(transpose_b=True)

    def construct(self, x: Tensor) -> Tensor:
        weight = ops.cast(self.weight, self.compute_type)
        product = self.product(ops.cast(x, self.compute_type), weight)
        return product + ops.cast(self.bias, self.compute_type)


class LayerNorm(nn.Cell):
    """Normalises the last axis, in and out in float32."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = _parameter(1.0, size)
        self.bias = _parameter(0.0, size)
        self.normalise = ops.LayerNorm(-1, -1, epsilon)

    def construct(self, x: Tensor) -> Tensor:
        return self.normalise(ops.cast(x, ms.float32), self.weight, self.bias)[0]


class Embedding(nn.Cell):
    """Rows of a table. ids: int32 of any shape; the result has one more axis, the row."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()
        self.weight = _parameter(0.0, rows, size)

    def construct(self, ids: Tensor) -> Tensor:
        return ops.gather(self.weight, ids, 0)


def gelu(x: Tensor) -> Tensor:
    """x·Φ(x), Φ the standard normal distribution function."""
    return x * (0.5 + 0.5 * ops.erf(x * 0.7071067811865476))


def gelu_tanh(x: Tensor) -> Tensor:
    """Hugging Face's ``gelu_new``: Φ by a tanh."""
    return 0.5 * x * (1.0 + ops.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def relu(x: Tensor) -> Tensor:
    return ops.relu(x)


ACTIVATION = {"gelu": gelu, "gelu_new": gelu_tanh, "relu": relu}


def drop(x: Tensor, keep: Tensor, scale: float) -> Tensor:
    """Dropout with a given mask. keep: uint8 of x's shape; scale: 1 / (rate of the kept)."""
    return x * (ops.cast(keep, x.dtype) * scale)


def slice_axis(x: Tensor, axis: int, start: int, length: int) -> Tensor:
    """x[start : start + length] along one axis; indexing takes a kernel 100 times slower."""
    begin, size = [0] * x.ndim, list(x.shape)
    begin[axis], size[axis] = start, length
    return ops.slice(x, tuple(begin), tuple(size))
