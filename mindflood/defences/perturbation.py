"""δ, the perturbation of the looked-up word embeddings: initialise, ascend, project."""

from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from mindflood.defences.settings import NORMS
from mindflood.errors import UserError
from mindflood.streams import UNIT_NOISE

_SMALLEST_NORM = 1e-8


class UnitNoise:
    """Draws what the initial δ is made of: uniform(-1, 1) or N(0, 1) a coordinate.

    A function of (seed, step, row of the global batch, token): a resumed run repeats it, k workers
    draw what one draws, and, other than with dropout masks, the padded length does not matter.

    Args:
        size: d, coordinates of a word embedding.
        seed: the run's seed.
        normal: N(0, 1) in place of uniform(-1, 1).
    """

    def __init__(self, size: int, seed: int, *, normal: bool = False) -> None:
        self.size = size
        self.seed = seed
        self.normal = normal

    def draw(self, step: int, rows: range, length: int) -> np.ndarray:
        """float32 ``[len(rows), length, d]`` for the rows ``rows`` of the batch of ``step``."""
        noise = np.empty((len(rows), length, self.size), np.float32)
        for index, row in enumerate(rows):
            stream = np.random.default_rng((self.seed, step, UNIT_NOISE, row))
            draw = stream.standard_normal if self.normal else stream.random
            draw(dtype=np.float32, out=noise[index])
        return noise if self.normal else noise * 2.0 - 1.0


class Perturbation(nn.Cell):
    """The shared adversarial step of PGD, FreeLB and what is built on them.

    Args:
        step_size: η.
        magnitude: of the initial δ; with 0 it is zero.
        radius: ε; 0 leaves δ where the ascent puts it.
        norm: ``l2`` or ``linf``, per sample over its tokens × d.
        normalise: whether an ascent divides g by its norm.
        texts: k, texts of a sample, one behind the other: the choices of a question share one norm
            and one ball (FreeLB, appendix A.1). Of them ``[B, L, d]`` below is ``[B·k, L, d]``.

    Raises:
        UserError: the norm is neither.
    """

    def __init__(
        self,
        step_size: float,
        magnitude: float,
        radius: float,
        norm: str,
        normalise: bool = True,
        texts: int = 1,
    ) -> None:
        super().__init__()
        self.step_size = step_size
        self.magnitude = magnitude
        self.radius = radius
        if norm not in NORMS:
            raise UserError(f"norm {norm!r}: expected {' or '.join(NORMS)}")
        self.l2 = norm == "l2"
        self.normalise = normalise
        self.texts = texts

    def initial(self, unit: Tensor, mask: Tensor) -> Tensor:
        """unit·mag/√(L_i·d) (L2, L_i the real tokens) or unit·mag (L∞); zero on padding.

        Args:
            unit: float32 ``[B, L, d]``, as :class:`UnitNoise` draws it.
            mask: float32 ``[B, L, 1]``, 0 on padding.
        """
        magnitude = self.magnitude
        if self.l2:
            tokens = self.of_texts(self.of_samples(token_counts(mask)))
            magnitude = magnitude / ops.sqrt(tokens * unit.shape[2])
        return unit * mask * magnitude

    def ascend(self, delta: Tensor, gradient: Tensor, mask: Tensor) -> Tensor:
        """δ ← Π_ε(δ + η·g/‖g‖), all float32 ``[B, L, d]``, the mask as above."""
        gradient = gradient * mask
        step = self.step_size
        if self.normalise:
            step = step / above_zero(self.norm(gradient))
        return self.project(delta + gradient * step)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest δ in the ball of radius ε."""
        if self.radius == 0:
            return delta
        if self.l2:
            length = ops.maximum(self.norm(delta), Tensor(self.radius, ms.float32))
            return delta * (self.radius / length)
        return ops.clip_by_value(delta, -self.radius, self.radius)

    def norm(self, x: Tensor) -> Tensor:
        """L2 norm or largest absolute entry of every sample: ``[B, 1, 1]``."""
        rows = ops.reshape(x, (x.shape[0] // self.texts, -1))
        return self.of_texts(self._of_rows(rows))

    def of_samples(self, counts: Tensor) -> Tensor:
        """Sums over the texts of every sample: float32 ``[B]`` of ``[B, 1, 1]``."""
        if self.texts == 1:
            return ops.reshape(counts, (-1,))
        return ops.sum(ops.reshape(counts, (-1, self.texts)), 1)

    def of_texts(self, samples: Tensor) -> Tensor:
        """What every sample has, once for each of its texts: ``[B, 1, 1]``."""
        if self.texts > 1:
            samples = ops.tile(ops.reshape(samples, (-1, 1)), (1, self.texts))
        return ops.reshape(samples, (-1, 1, 1))

    def token_norm(self, x: Tensor) -> Tensor:
        """The same of every token: ``[B, L, 1]``."""
        norms = self._of_rows(ops.reshape(x, (-1, x.shape[2])))
        return ops.reshape(norms, (x.shape[0], x.shape[1], 1))

    def _of_rows(self, rows: Tensor) -> Tensor:
        if self.l2:  # a matrix product: MindSpore's ReduceSum is slow on the CPU
            squares = ops.matmul(ops.square(rows), ops.ones((rows.shape[1], 1), ms.float32))
            return ops.sqrt(squares)
        return ops.amax(ops.abs(rows), 1)


def perturbation_of(settings: Any, texts: int = 1) -> Perturbation:
    """How δ starts and climbs in a method, of whose ``settings`` none that it needs is null.

    A step is of size η, or η/n for a method with n inner steps.
    """
    return Perturbation(
        settings.step_size / (settings.inner_steps or 1),
        settings.magnitude,
        settings.radius,
        settings.norm,
        normalise=settings.normalise is not False,
        texts=texts,
    )


def above_zero(norm: Tensor) -> Tensor:
    """A norm that can be divided by."""
    return ops.maximum(norm, Tensor(_SMALLEST_NORM, ms.float32))


def of_each_row(gradient: Tensor, weights: Tensor) -> Tensor:
    """∂l_i/∂δ_i out of ∂(Σ w_i·l_i)/∂δ: a step of size η·g is then each sample's own.

    It depends neither on the number of rows nor on that of workers; 0 for rows of weight 0.

    Args:
        gradient: float32 ``[B, L, d]``.
        weights: w, float32 ``[B]``, of each text.
    """
    divisor = ops.where(weights > 0, weights, ops.ones_like(weights))
    return gradient / ops.reshape(divisor, (-1, 1, 1))


def token_counts(mask: Tensor) -> Tensor:
    """L_i, the real tokens of every sample, special ones included: float32 ``[B, 1, 1]``."""
    return ops.sum(mask, 1, True)
