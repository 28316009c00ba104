"""SSMBA's corruption of a text (Ng et al. 2020, as released): NumPy only."""

import math
from dataclasses import dataclass

import numpy as np

MASKED, RANDOM = 0.8, 0.1  # of the chosen places; the rest stay as they are


@dataclass(frozen=True)
class Corrupted:
    """A text of L tokens with some of them hidden.

    Attributes:
        ids: int64 [L].
        places: int64 [m], ascending: those masked or made random, which are drawn anew.
    """

    ids: np.ndarray
    places: np.ndarray


class Corruption:
    """Chooses n = ⌊p·s + u⌋ places of a text, u uniform in [0, 1) and s its tokens less one.

    Of the places, none twice and none special, 80 % become the mask and 10 % a random token.

    Args:
        share: p.
        mask_id: id of the mask token.
        special_ids: never hidden.
        ordinary_ids: what a random token is drawn from.
    """

    def __init__(
        self, share: float, mask_id: int, special_ids: list[int], ordinary_ids: np.ndarray
    ) -> None:
        self.share, self.mask_id = share, mask_id
        self.special_ids, self.ordinary_ids = np.array(special_ids), ordinary_ids

    def __call__(self, ids: np.ndarray, generator: np.random.Generator) -> Corrupted:
        """A corrupted copy of ``ids``, int64 [L]."""
        ordinary = np.flatnonzero(~np.isin(ids, self.special_ids))
        count = math.floor(self.share * (len(ids) - 1) + generator.random())
        chosen = np.sort(generator.choice(ordinary, min(count, len(ordinary)), replace=False))
        draw = generator.random(len(chosen))
        masked = chosen[draw < MASKED]
        random = chosen[(draw >= MASKED) & (draw < MASKED + RANDOM)]
        corrupted = ids.copy()
        corrupted[masked] = self.mask_id
        corrupted[random] = generator.choice(self.ordinary_ids, len(random))
        return Corrupted(corrupted, np.sort(np.concatenate([masked, random])))
