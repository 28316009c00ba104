"""A linear probe of the tags, with elastic-net regularisation (Dalvi et al. 2019).

Its law, of which it is the minimum: for logits W·z + c, with c free,

    mean cross-entropy + λ₁·‖W‖₁ + λ₂·‖W‖₂

over all of W. The norm of λ₂ is the root of the squares' sum, as in the toolkit of the analysis'
authors, or its square, as elsewhere. The toolkit takes ten epochs of Adam on its law and stops
wherever that is; here the law is minimised, so that no order of the words and no learning rate
decides which neurons come first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy import optimize

from mindflood.analyse.neurons.activations import Matrix, blocks, columns


@dataclass(frozen=True)
class Penalty:
    """λ₁, λ₂ and what the latter weighs: the norm's ``root`` or ``squared``.

    The toolkit's example has 1e-5 for both, at which the law hardly prefers one neuron to another.
    """

    l1: float = 1e-3
    l2: float = 1e-3
    form: Literal["root", "squared"] = "root"

    def of(self, weights: np.ndarray) -> float:
        """The penalty of W."""
        return self.l1 * float(np.abs(weights).sum()) + self.l2 * self.ridge(weights)[0]

    def ridge(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """The norm that λ₂ weighs, and its gradient: 0 where the root has none, at W = 0."""
        squares = float(np.vdot(weights, weights))
        if self.form == "squared":
            return squares, 2 * weights
        root = squares**0.5
        return root, weights / root if root else np.zeros_like(weights)


@dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes:
        weights: W, float64 ``[tags, neurons]``.
        bias: c, float64 ``[tags]``.
        law: what the law comes to, in nats.
        passes: over the data.
        converged: whether the tolerance was reached before the passes ran out.
    """

    weights: np.ndarray
    bias: np.ndarray
    law: float
    passes: int
    converged: bool

    def predict(self, matrix: Matrix) -> np.ndarray:
        """The likeliest tag of each word, int64 ``[n]``."""
        found = np.empty(matrix.shape[0], np.int64)
        for rows, block in blocks(matrix):
            found[rows] = (block @ self.weights.T + self.bias).argmax(axis=1)
        return found


def fit(
    matrix: Matrix,
    tags: np.ndarray,
    count: int,
    penalty: Penalty,
    *,
    passes: int = 200,
    tolerance: float = 1e-7,
    progress: Callable[[float], None] = lambda law: None,
) -> Probe:
    """The minimum of the law, by L-BFGS-B over W = W⁺ - W⁻ with W⁺, W⁻ ≥ 0.

    Inside, neurons are measured from their mean, which c makes good, and in their deviation, of
    which the penalties are told: neither changes the law, and both make its valley rounder.

    Args:
        matrix: activations, ``[n, neurons]``.
        tags: int64 ``[n]``, below ``count``.
        passes: after so many the search ends where it is.
        tolerance: relative change of the law in one step below which it ends.
        progress: told the law at each pass.
    """
    data = _Data(matrix, tags, count)
    law = _Law(data, penalty, progress)
    size = count * matrix.shape[1]
    signed = 2 if penalty.l1 > 0 else 1  # without λ₁ W needs no signs apart
    frequency = np.bincount(tags, minlength=count) / len(tags)
    start = np.zeros(signed * size + count)
    start[-count:] = np.log(np.maximum(frequency, 1 / (2 * len(tags))))  # the best c of W = 0
    bounds = [(0.0, None)] * (2 * size) + [(None, None)] * count if signed == 2 else None
    found = optimize.minimize(
        law, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxfun": passes, "maxiter": passes, "ftol": tolerance, "gtol": 1e-9},
    )  # fmt: skip
    weights, bias = law.parts(found.x)
    weights = weights / data.deviation
    return Probe(weights, bias - weights @ data.mean, float(found.fun), law.passes, found.success)


def accuracy_alone(
    neurons: np.ndarray,
    train: tuple[Matrix, np.ndarray],
    test: tuple[Matrix, np.ndarray],
    count: int,
    penalty: Penalty,
    passes: int,
) -> float:
    """The ablation: accuracy on the test words of a probe that has these neurons alone.

    Args:
        train, test: activations of all neurons and tags, as :func:`fit` takes them; a test tag
            may be -1, which no prediction is.
    """
    matrix, tags = train
    probe = fit(columns(matrix, neurons), tags, count, penalty, passes=passes)
    return float(np.mean(probe.predict(columns(test[0], neurons)) == test[1]))


class _Data:
    """The words in blocks, centred and scaled, on the device that computes."""

    def __init__(self, matrix: Matrix, tags: np.ndarray, count: int) -> None:
        self.matrix, self.count = matrix, count
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tags = torch.from_numpy(np.ascontiguousarray(tags, np.int64)).to(self.device)
        self.mean, self.deviation = _moments(matrix)

    def loss(self, weights: np.ndarray, bias: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Mean cross-entropy and its gradients by W, in deviations, and by c."""
        W, c = (torch.from_numpy(one).to(self.device) for one in (weights, bias))
        loss, of_weights, of_bias = 0.0, torch.zeros_like(W), torch.zeros_like(c)
        for rows, block in blocks(self.matrix):
            z = torch.from_numpy(block - self.mean.astype(block.dtype)).to(self.device)
            z /= torch.from_numpy(self.deviation.astype(block.dtype)).to(self.device)
            logits = (z @ W.to(z.dtype).T).double() + c
            each = torch.log_softmax(logits, dim=1)
            tags = self.tags[rows, None]
            loss -= float(each.gather(1, tags).sum())
            slope = each.exp().scatter_add(1, tags, torch.full_like(each[:, :1], -1.0))
            of_weights += slope.to(z.dtype).T @ z
            of_bias += slope.sum(dim=0)
        n = self.matrix.shape[0]
        return loss / n, of_weights.cpu().numpy() / n, of_bias.cpu().numpy() / n


class _Law:
    """The law and its gradient as a function of what L-BFGS-B moves."""

    def __init__(self, data: _Data, penalty: Penalty, progress: Callable[[float], None]) -> None:
        self.data, self.penalty, self.progress = data, penalty, progress
        self.passes = 0

    def parts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(W in deviations, c)."""
        signed, bias = x[: -self.data.count], x[-self.data.count :]
        if self.penalty.l1 > 0:
            positive, negative = np.split(signed, 2)
            signed = positive - negative
        return signed.reshape(self.data.count, -1), bias

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        scaled, bias = self.parts(x)
        loss, of_scaled, of_bias = self.data.loss(scaled, bias)
        deviation = self.data.deviation
        ridge, of_ridge = self.penalty.ridge(scaled / deviation)
        of_scaled = (of_scaled + self.penalty.l2 * of_ridge / deviation).ravel()
        law, gradient = loss + self.penalty.l2 * ridge, [of_scaled]
        if self.penalty.l1 > 0:
            each = np.tile(self.penalty.l1 / deviation, self.data.count)
            law += float((x[: -self.data.count].reshape(2, -1) * each).sum())
            gradient = [of_scaled + each, each - of_scaled]
        self.passes += 1
        self.progress(law)
        return law, np.concatenate([*gradient, of_bias])


def _moments(matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each neuron, float64; the latter is 1 of one that never moves."""
    n = matrix.shape[0]
    mean = sum(block.sum(axis=0, dtype=np.float64) for _, block in blocks(matrix)) / n
    squares: Any = sum(((block - mean) ** 2).sum(axis=0) for _, block in blocks(matrix))
    deviation = np.sqrt(squares / n)
    return mean, np.where(deviation > 1e-9 * (1 + np.abs(mean)), deviation, 1.0)
