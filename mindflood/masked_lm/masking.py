"""Hiding tokens for a masked language model (Devlin et al. 2019, §3.1): NumPy only."""

from dataclasses import dataclass

import numpy as np

_MASKED, _RANDOM = 0.8, 0.1  # of the hidden tokens; the rest stay as they are


@dataclass(frozen=True)
class Hidden:
    """A batch of B rows of L tokens with some of them hidden.

    Attributes:
        input_ids: int32 [B, L], the hidden ones replaced.
        places: int32 [M], where they are in the batch laid out flat.
        labels: int32 [M], what they were.
        weights: float32 [M], 1/m for the m hidden tokens, 0 for what fills up to M.
    """

    input_ids: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


class Masking:
    """Chooses ``share`` of a batch's ordinary tokens: 80 % become the mask, 10 % a random token.

    Args:
        share: of the tokens that are neither special nor padding.
        mask_id: id of the mask token.
        special_ids: never hidden, nor put in a hidden token's place.
        vocab_size: ids are below.
    """

    def __init__(self, share: float, mask_id: int, special_ids: list[int], vocab_size: int) -> None:
        self.share = share
        self.mask_id = mask_id
        self.special_ids = np.array(sorted(special_ids))
        self.ordinary_ids = np.setdiff1d(np.arange(vocab_size), self.special_ids)

    def __call__(self, ids: np.ndarray, seed: tuple[int, ...]) -> Hidden:
        """Hide tokens of ``ids``, int32 [B, L]; what is hidden is a function of ``seed``.

        M is the same for all batches of a shape, so that one compiled graph serves.
        """
        generator = np.random.default_rng(seed)
        flat = ids.reshape(-1).copy()
        ordinary = np.flatnonzero(~np.isin(flat, self.special_ids))
        most = max(1, int(np.ceil(self.share * flat.size)))
        count = min(most, max(1, round(self.share * len(ordinary))), len(ordinary))
        chosen = np.sort(generator.choice(ordinary, count, replace=False))
        labels = flat[chosen]
        draw = generator.random(count)
        flat[chosen[draw < _MASKED]] = self.mask_id
        random = chosen[(draw >= _MASKED) & (draw < _MASKED + _RANDOM)]
        flat[random] = generator.choice(self.ordinary_ids, len(random))
        fill = most - count
        weights = np.zeros(most, np.float32)
        weights[:count] = 1 / max(1, count)
        return Hidden(
            flat.reshape(ids.shape),
            np.pad(chosen, (0, fill)).astype(np.int32),
            np.pad(labels, (0, fill)).astype(np.int32),
            weights,
        )
