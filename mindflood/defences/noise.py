"""Everything random in one training step of a defence, drawn on the host."""

import numpy as np

from mindflood.defences.perturbation import UnitNoise
from mindflood.models.dropout import DropoutNoise
from mindflood.streams import RESAMPLED_TOKENS, SHUFFLED_ANCHORS


class StepNoise:
    """Draws the dropout masks of all passes of a step and the noise of its initial δ.

    Args:
        dropout: draws the masks of one pass.
        unit: draws the noise.
        passes: through the network in a step.
        reuse_dropout: one set of masks for all passes; else the masks are stacked, one set a
            pass, and grow with them.
        resamples: whether every pass also takes, for each token, another one at random (InfoBERT).
        shuffles: whether it also puts the anchored tokens into a random order (its release).
    """

    def __init__(
        self,
        dropout: DropoutNoise,
        unit: UnitNoise,
        passes: int,
        reuse_dropout: bool,
        resamples: bool = False,
        shuffles: bool = False,
    ) -> None:
        self.dropout = dropout
        self.unit = unit
        self.passes = passes
        self.reuse_dropout = reuse_dropout
        self.kinds = [RESAMPLED_TOKENS] if resamples else []
        if shuffles:
            self.kinds.append(SHUFFLED_ANCHORS)

    def draw(self, step: int, rows: range, length: int) -> tuple[np.ndarray, ...]:
        """Hidden masks and attention masks, see ``DropoutNoise.draw``, and unit noise.

        Masks that are not reused have an axis of passes before the others. With ``resamples``
        there follows float32 ``[passes, B, L]``, uniform in [0, 1), and with ``shuffles`` another.
        """
        rest: tuple[np.ndarray, ...] = (self.unit.draw(step, rows, length),)
        rest += tuple(self._uniform(kind, step, rows, length) for kind in self.kinds)
        if self.reuse_dropout:
            return *self.dropout.draw(step, rows, length), *rest
        drawn = [self.dropout.draw(step, rows, length, number) for number in range(self.passes)]
        hidden, attention = (np.stack(masks) for masks in zip(*drawn, strict=True))
        return hidden, attention, *rest

    def _uniform(self, kind: int, step: int, rows: range, length: int) -> np.ndarray:
        drawn = np.empty((self.passes, len(rows), length), np.float32)
        for number in range(self.passes):
            for index, row in enumerate(rows):
                stream = np.random.default_rng((self.unit.seed, step, kind, number, row))
                stream.random(dtype=np.float32, out=drawn[number, index])
        return drawn
