"""Everything random in one training step of a defence, drawn on the host."""

import numpy as np

from mindflood.defences.perturbation import UnitNoise
from mindflood.models.dropout import DropoutNoise


class StepNoise:
    """Draws the dropout masks of all passes of a step and the noise of its initial δ.

    Args:
        dropout: draws the masks of one pass.
        unit: draws the noise.
        passes: through the network in a step.
        reuse_dropout: one set of masks for all passes; else the masks are stacked, one set a
            pass, and grow with them.
    """

    def __init__(
        self, dropout: DropoutNoise, unit: UnitNoise, passes: int, reuse_dropout: bool
    ) -> None:
        self.dropout = dropout
        self.unit = unit
        self.passes = passes
        self.reuse_dropout = reuse_dropout

    def draw(self, step: int, rows: range, length: int) -> tuple[np.ndarray, ...]:
        """Hidden masks and attention masks, see ``DropoutNoise.draw``, and unit noise.

        Masks that are not reused have an axis of passes before the others.
        """
        unit = self.unit.draw(step, rows, length)
        if self.reuse_dropout:
            return *self.dropout.draw(step, rows, length), unit
        drawn = [self.dropout.draw(step, rows, length, number) for number in range(self.passes)]
        hidden, attention = (np.stack(masks) for masks in zip(*drawn, strict=True))
        return hidden, attention, unit
