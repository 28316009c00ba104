"""InfoBERT's two bounds on mutual information, and the tokens that one of them anchors."""

import math

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from mindflood.models.layers import slice_axis
from mindflood.streams import CRITIC

_HIDDEN = 300  # units of the critic
_LOW, _HIGH = 0.5, 0.9  # ranks, as shares of a sentence's length, between which tokens are anchored
_LARGE = 1e9


class Critic(nn.Cell):
    """F(x, y) = softplus(w₂·relu(W₁[x; y] + b₁) + b₂), W₁ in its two halves.

    Args:
        size: d of x and y.
        seed: of the weights, uniform(-1, 1)/√fan-in, biases too.
    """

    def __init__(self, size: int, seed: int) -> None:
        super().__init__()
        stream = np.random.default_rng((seed, CRITIC))

        def drawn(name: str, fan_in: int, *shape: int) -> Parameter:
            value = stream.uniform(-1.0, 1.0, shape) / math.sqrt(fan_in)
            return Parameter(Tensor(value.astype(np.float32)), name=f"critic.{name}")

        self.of_x = drawn("of_x.weight", 2 * size, size, _HIDDEN)
        self.of_y = drawn("of_y.weight", 2 * size, size, _HIDDEN)
        self.hidden_bias = drawn("hidden.bias", 2 * size, _HIDDEN)
        self.out = drawn("out.weight", _HIDDEN, _HIDDEN, 1)
        self.out_bias = drawn("out.bias", _HIDDEN, 1)

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """F(x_r,j, y_r,i) of all pairs within a chunk r: float32 ``[R, B (i), B (j)]``.

        Args:
            x: float32 ``[R, B, d]``.
            y: the same, or ``[1, B, d]`` where all chunks have the same.
        """
        chunks, rows, size = x.shape
        from_x = ops.matmul(ops.reshape(x, (-1, size)), self.of_x)
        from_x = ops.reshape(from_x, (chunks, 1, rows, _HIDDEN))
        from_y = ops.matmul(ops.reshape(y, (-1, size)), self.of_y) + self.hidden_bias
        from_y = ops.reshape(from_y, (-1, rows, 1, _HIDDEN))
        hidden = ops.reshape(ops.relu(from_x + from_y), (-1, _HIDDEN))
        score = ops.matmul(hidden, self.out) + self.out_bias
        score = ops.relu(score) + ops.log1p(ops.exp(-ops.abs(score)))  # softplus, never too large
        return ops.reshape(score, (chunks, rows, rows))


def most_anchors(length: int) -> int:
    """How many tokens a sentence of at most ``length`` tokens can have anchored."""
    return max(math.ceil(_HIGH * n) - math.ceil(_LOW * n) for n in range(1, length + 1))


def anchors(gradient: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The tokens whose gradient is neither small nor among the largest.

    A sentence's tokens are ranked by the norm of their gradient, ascending; the ranks from 0.5 up
    to 0.9 (exclusive) of its length are anchored.

    Args:
        gradient: with respect to the word embeddings, float32 ``[B, L, d]``.
        mask: float32 ``[B, L, 1]``, 0 on padding.

    Returns:
        places: one-hot float32 ``[B, R, L]``: where a sentence's r-th anchor is.
        valid: float32 ``[R, B]``: whether it has that many.
    """
    rows, length = gradient.shape[0], gradient.shape[1]
    mask = ops.reshape(mask, (rows, length))
    norms = ops.sqrt(ops.reduce_sum(ops.square(gradient), -1))
    order = ops.Sort(1)(norms * mask + _LARGE * (1.0 - mask))[1]  # padding comes last
    lengths = ops.reduce_sum(mask, 1)
    # The lengths are whole and the shares tenths: in tenths the comparison is exact.
    tenths = ops.cast(lengths + 0.5, ms.int32)
    first = (tenths * round(10 * _LOW) + 9) // 10
    last = (tenths * round(10 * _HIGH) + 9) // 10
    ranks = ops.expand_dims(first, 1) + ops.arange(most_anchors(length))
    valid = ops.cast(ranks < ops.expand_dims(last, 1), ms.float32)
    ranks = ops.minimum(ranks, Tensor(length - 1, ms.int32))
    chosen = ops.gather_elements(ops.cast(order, ms.int32), 1, ops.cast(ranks, ms.int64))
    places = ops.one_hot(chosen, length, Tensor(1.0), Tensor(0.0))
    return places, ops.transpose(valid, (1, 0))


def shuffled(valid: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The anchors of a batch in random order, with those that there are in front.

    Args:
        valid: as :func:`anchors` gives it, ``[R, B]``, 0 for rows that do not count.
        keys: float32 ``[B, L]`` in [0, 1), by whose first R a row's anchors are sorted.

    Returns:
        order: int32 ``[R·B]``, places in ``[B, R]``.
        valid: float32 ``[R, B]``, in that order.
    """
    chunks, rows = valid.shape
    flat = ops.reshape(ops.transpose(valid, (1, 0)), (-1,))
    keys = ops.reshape(slice_axis(keys, 1, 0, chunks), (-1,))
    order = ops.Sort(0)(keys * flat + _LARGE * (1.0 - flat))[1]
    return order, ops.reshape(ops.gather(flat, order, 0), (chunks, rows))


def chunks_of(
    states: Tensor, summary: Tensor, places: Tensor, order: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The anchored tokens x, ``[R, B, d]``, and what each is compared with, y.

    Args:
        states: of the tokens, float32 ``[B, L, d]``.
        summary: the last layer's [CLS] states, float32 ``[B, d]``.
        places: as :func:`anchors` gives them.
        order: None puts the r-th anchor of every sentence into chunk r, so that y is the same in
            all of them, ``[1, B, d]``; else as :func:`shuffled` gives it, and y is ``[R, B, d]``.
    """
    x = ops.bmm(places, states)
    if order is None:
        return ops.transpose(x, (1, 0, 2)), ops.expand_dims(summary, 0)
    rows, chunks, size = x.shape
    shape = (chunks, rows, size)
    x = ops.gather(ops.reshape(x, (-1, size)), order, 0)
    y = ops.gather(summary, ops.floor_divide(order, chunks), 0)
    return ops.reshape(x, shape), ops.reshape(y, shape)


def anchored_information(
    critic: Critic, x: Tensor, y: Tensor, valid: Tensor, chunks_alike: bool = False
) -> Tensor:
    """I: the InfoNCE lower bound on what the anchored tokens and the sentence share.

    The mean over the anchored tokens x_i of F(x_i, y_i) - log mean_j exp F(x_j, y_i), j over the
    chunk of x_i. Chunks thus count by their size: a token that is alone in its chunk has nothing to
    be told from, and adds 0.

    Args:
        x, y: as :func:`chunks_of` gives them.
        valid: float32 ``[R, B]``, 1 for what is in a chunk.
        chunks_alike: the mean over the chunks of each one's mean, small ones too.

    Returns:
        Scalar float32.
    """
    scores = critic(x, y)
    rows = scores.shape[1]
    own = ops.reduce_sum(scores * ops.eye(rows, rows, ms.float32), 2)
    members = ops.expand_dims(valid, 1)
    sizes = ops.reduce_sum(valid, 1)
    counts = ops.maximum(sizes, Tensor(1.0, ms.float32))
    shifted = scores - _LARGE * (1.0 - members)
    largest = ops.stop_gradient(ops.amax(shifted, 2, True))
    total = ops.reduce_sum(ops.exp(shifted - largest), 2)
    log_mean = ops.log(total) + ops.squeeze(largest, 2) - ops.log(ops.expand_dims(counts, 1))
    of_chunks = ops.reduce_sum((own - log_mean) * valid, 1)
    if chunks_alike:
        of_chunks, sizes = of_chunks / counts, ops.cast(sizes > 0, ms.float32)
    return ops.reduce_sum(of_chunks) / ops.maximum(ops.reduce_sum(sizes), Tensor(1.0, ms.float32))


def bottleneck(states: Tensor, mask: Tensor, uniform: Tensor) -> Tensor:
    """U: the CLUB-style upper bound, the mean over tokens of ½‖y_i - y_π(i)‖².

    Args:
        states: y, float32 ``[B, L, d]``.
        mask: float32 ``[B, L, 1]``, 0 on padding and on rows that do not count.
        uniform: float32 ``[B, L]`` in [0, 1): each token's π(i), as a share of the real tokens.

    Returns:
        Scalar float32.
    """
    size = states.shape[2]
    flat, real = ops.reshape(states, (-1, size)), ops.reshape(mask, (-1,))
    number = ops.maximum(ops.reduce_sum(real), Tensor(1.0, ms.float32))
    # The real tokens' places: the k-th is the first with k + 1 real ones up to it.
    passed = ops.cumsum(real, 0)
    wanted = ops.floor(ops.reshape(uniform, (-1,)) * number)
    wanted = ops.minimum(wanted, number - 1.0) + 0.5
    other = ops.gather(flat, ops.searchsorted(passed, wanted), 0)
    distances = 0.5 * ops.reduce_sum(ops.square(flat - other), 1)
    return ops.reduce_sum(distances * real) / number
