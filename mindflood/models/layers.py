"""The parts a BERT is made of, with Hugging Face's parameter names and shapes.

Matrix products and activations run in ``compute_type``; LayerNorm and softmax in float32.
Parameters stay float32 and are cast where they are used.
"""

from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from mindflood.models.kernels import Affine, Gelu, Normalise


def filled(value: float, *shape: int) -> Parameter:
    """A float32 parameter of one value, for a cell that draws or reads its own later."""
    return Parameter(Tensor(np.full(shape, value, np.float32)))


class Dense(nn.Cell):
    """y = factor · (x Wᵀ + b). x: ``[N, inputs]``; weight: ``[outputs, inputs]``, as in PyTorch.

    A constant factor costs next to nothing on the weights, a pass over memory on the activations.
    """

    def __init__(self, inputs: int, outputs: int, compute_type: Any = ms.float32) -> None:
        super().__init__()
        self.weight = filled(0.0, outputs, inputs)
        self.bias = filled(0.0, outputs)
        self.compute_type = compute_type
        self.affine = Affine()

    def construct(self, x: Tensor, factor: float = 1.0) -> Tensor:
        weight, bias = self.weight, self.bias
        if factor != 1.0:
            weight, bias = weight * factor, bias * factor
        weight, bias = ops.cast(weight, self.compute_type), ops.cast(bias, self.compute_type)
        return self.affine(ops.cast(x, self.compute_type), weight, bias)


class LayerNorm(nn.Cell):
    """Normalises the last axis, in and out in float32."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = filled(1.0, size)
        self.bias = filled(0.0, size)
        self.normalise = Normalise(epsilon)

    def construct(self, x: Tensor) -> Tensor:
        rows = ops.reshape(ops.cast(x, ms.float32), (-1, x.shape[-1]))
        return ops.reshape(self.normalise(rows, self.weight, self.bias)[0], x.shape)


class Embedding(nn.Cell):
    """Rows of a table. ids: int32 of any shape; the result has one more axis, the row."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()
        self.weight = filled(0.0, rows, size)

    def construct(self, ids: Tensor) -> Tensor:
        return ops.gather(self.weight, ids, 0)


class Activation(nn.Cell):
    """The function between the two products of a feed-forward block, by Hugging Face's name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.gelu = Gelu()

    def construct(self, x: Tensor) -> Tensor:
        if self.name == "relu":
            return ops.relu(x)
        if self.name == "gelu":
            return ops.cast(self.gelu(ops.cast(x, ms.float32))[0], x.dtype)
        # gelu_new: Φ(x) ≈ ½(1 + tanh(u)) = σ(2u) with u = √(2/π)·(x + 0.044715·x³)
        return x * ops.sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x))


def is_layer_norm(name: str) -> bool:
    """Whether a parameter is a LayerNorm's, by its name in any of the architectures."""
    return "LayerNorm." in name or "_layer_norm." in name


def drop(x: Tensor, keep: Tensor) -> Tensor:
    """Dropout with a given mask (uint8, x's shape), without its scale 1 / (rate of the kept)."""
    return x * ops.cast(keep, x.dtype)


def slice_axis(x: Tensor, axis: int, start: int, length: int) -> Tensor:
    """x[start : start + length] along one axis; indexing takes a kernel 100 times slower."""
    begin, size = [0] * x.ndim, list(x.shape)
    begin[axis], size[axis] = start, length
    return ops.slice(x, tuple(begin), tuple(size))
