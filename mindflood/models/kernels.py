"""Functions with hand-written gradients, built from the kernels that MindSpore's CPU does well.

MindSpore's own Erf, LayerNorm gradient, bias gradient and broadcasts cost many times what they cost
in PyTorch; matrix products, Sigmoid and Exp are level. So sums over an axis are products with a
vector of ones, and Φ is the sigmoid of a polynomial. The CPU's Sigmoid is off by up to 8e-7, its
Tanh by up to 1e-4, so that Tanh is only used in float64. A cell with a ``bprop`` cannot own
parameters: they come in as inputs.
"""

import math

import mindspore as ms
from mindspore import Tensor, nn, ops

# Odd polynomial p with σ(p(x)) ≈ Φ(x), a minimax fit by tools/fit_gelu.py: neither Φ(x) nor
# x·Φ(x)/max(1, |x|) is off by more than 6.8e-8, about half a unit in a float32's last place. The
# leading coefficient is positive, so that both tails are exact.
_LOGIT_OF_PHI = (
    1.59576899,
    7.26678227e-2,
    -6.59095081e-5,
    -1.10555887e-4,
    7.94622686e-6,
    -2.67293764e-7,
    3.61872719e-9,
)
_LOG_DENSITY_AT_0 = -0.5 * math.log(2.0 * math.pi)


def column_sums(x: Tensor) -> Tensor:
    """Σ over rows of ``[N, H]``: ``[H]``."""
    return ops.reshape(ops.matmul(ops.ones((1, x.shape[0]), x.dtype), x), (-1,))


class Affine(nn.Cell):
    """y = x Wᵀ + b for x ``[N, inputs]``, W ``[outputs, inputs]``, b ``[outputs]``."""

    def __init__(self) -> None:
        super().__init__()
        self.forward_product = ops.MatMul(transpose_b=True)
        self.input_product = ops.MatMul()
        self.weight_product = ops.MatMul(transpose_a=True)
        self.add_bias = ops.BiasAdd()

    def construct(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return self.add_bias(self.forward_product(x, weight), bias)

    def bprop(
        self, x: Tensor, weight: Tensor, bias: Tensor, out: Tensor, dout: Tensor
    ) -> tuple[Tensor, ...]:
        return self.input_product(dout, weight), self.weight_product(dout, x), column_sums(dout)


class Gelu(nn.Cell):
    """(x·Φ(x), Φ(x)) for float32 x; the caller takes the first, the gradient needs the second."""

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        t = ops.square(x)
        c1, c3, c5, c7, c9, c11, c13 = _LOGIT_OF_PHI
        high = c7 + t * (c9 + t * (c11 + t * c13))
        phi = ops.sigmoid(x * (c1 + t * (c3 + t * (c5 + t * high))))
        return x * phi, phi

    def bprop(self, x: Tensor, out: tuple[Tensor, Tensor], dout: tuple[Tensor, Tensor]) -> tuple:
        density = ops.exp(ops.square(x) * -0.5 + _LOG_DENSITY_AT_0)
        return (dout[0] * (out[1] + x * density),)


class Tanh(nn.Cell):
    """tanh(x) of few numbers, as the [CLS] states: in float64 on the CPU, as exact as float32."""

    def __init__(self) -> None:
        super().__init__()
        self.doubled = ms.get_context("device_target") == "CPU"

    def construct(self, x: Tensor) -> Tensor:
        if self.doubled:
            return ops.cast(ops.tanh(ops.cast(x, ms.float64)), x.dtype)
        return ops.tanh(x)


class Normalise(nn.Cell):
    """LayerNorm of the rows of x ``[N, H]``: (y, normalised x, 1 / standard deviation)."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.add_bias = ops.BiasAdd()

    def construct(self, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        size = x.shape[1]
        average = ops.ones((size, 1), ms.float32) / size
        centred = x - ops.matmul(x, average)
        variance = ops.matmul(ops.square(centred), average)
        inverse = 1.0 / ops.sqrt(variance + self.epsilon)
        normal = centred * inverse
        return self.add_bias(normal * weight, bias), normal, inverse

    def bprop(
        self, x: Tensor, weight: Tensor, bias: Tensor, out: tuple, dout: tuple
    ) -> tuple[Tensor, Tensor, Tensor]:
        _, normal, inverse = out
        dy = dout[0]
        product = dy * normal
        average = ops.reshape(weight, (-1, 1)) / x.shape[1]
        # dx = (dn - mean(dn) - n·mean(dn·n)) / deviation with dn = dy·weight
        dn = dy * weight - normal * ops.matmul(product, average) - ops.matmul(dy, average)
        return dn * inverse, column_sums(product), column_sums(dy)


class DroppedAttention(nn.Cell):
    """(softmax(Q Kᵀ + bias) ∘ keep) V; also returns the probabilities for the gradient.

    Softmax's gradient needs Σⱼ Pᵢⱼ·∂J/∂Pᵢⱼ of every row. It equals ∂J/∂Cᵢ · Cᵢ, C the result
    (Dao et al. 2022, FlashAttention, appendix B), a sum over the head's width in place of L.

    Args:
        learned_bias: whether the bias has a gradient, which that of a mask alone does not need.
    """

    def __init__(self, learned_bias: bool = False) -> None:
        super().__init__()
        self.learned_bias = learned_bias
        self.product = ops.BatchMatMul()
        self.product_b = ops.BatchMatMul(transpose_b=True)
        self.product_a = ops.BatchMatMul(transpose_a=True)
        self.softmax = ops.Softmax(-1)

    def construct(
        self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, keep: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All of Q (already / √d), K and V (times dropout's scale) ``[B, A, L, d]``.

        bias float32 and keep uint8: ``[B, A, L, L]``.
        """
        scores = ops.cast(self.product_b(query, key), ms.float32) + bias
        probabilities = self.softmax(scores)
        dropped = ops.cast(probabilities * ops.cast(keep, ms.float32), value.dtype)
        return self.product(dropped, value), probabilities, dropped

    def bprop(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor,
        keep: Tensor,
        out: tuple,
        dout: tuple,
    ) -> tuple[Tensor, ...]:
        context, probabilities, dropped = out
        dcontext = dout[0]
        width = query.shape[-1]
        rows = ops.reshape(ops.cast(dcontext * context, ms.float32), (-1, width))
        inner = ops.matmul(rows, ops.ones((width, 1), ms.float32))
        inner = ops.reshape(inner, (*query.shape[:3], 1))
        dkept = ops.cast(self.product_b(dcontext, value), ms.float32) * ops.cast(keep, ms.float32)
        dbias = (dkept - inner) * probabilities
        dscores = ops.cast(dbias, query.dtype)
        if not self.learned_bias:
            dbias = ops.zeros_like(bias)
        return (
            self.product(dscores, key),
            self.product_a(dscores, query),
            self.product_a(dropped, dcontext),
            dbias,
            ops.zeros_like(keep),
        )
