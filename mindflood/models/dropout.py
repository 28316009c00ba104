"""Dropout masks that are a function of (seed, step, row), drawn on the host.

MindSpore's CPU dropout keeps a hidden random state, so a resumed run could not repeat it. Here the
masks are inputs of the network: the same masks can be passed twice (FreeLB §3.3), and a worker that
has only some rows of a global batch draws exactly the masks one worker would draw for those rows.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mindflood.models.config import BertConfig
from mindflood.streams import ATTENTION_DROPOUT, HIDDEN_DROPOUT

_LANES = 4  # uint16 numbers in one 64-bit draw
_LEVELS = 1 << 16  # a rate is exact to 1 / _LEVELS


def head_vectors(config: BertConfig, length: int) -> int:
    """P: vectors of a row that the head drops out of: the pooled state's, or every token's."""
    if config.kind == "tagging":
        return length
    return 2 if config.pools_itself else 1


def keep_threshold(rate: float) -> int:
    """How many of the 65,536 values of a uint16 keep a unit dropped at ``rate``."""
    return round((1.0 - rate) * _LEVELS)


def keep_scale(rate: float) -> float:
    """1 / (probability to be kept): what a kept unit is multiplied with."""
    return _LEVELS / keep_threshold(rate)


class DropoutNoise:
    """Draws the keep masks of every dropout of a network.

    Args:
        config: the network.
        seed: the run's seed.
        packed: whether a row holds several texts, so that any token may be the first of one.
    """

    def __init__(self, config: BertConfig, seed: int, packed: bool = False) -> None:
        self.config = config
        self.seed = seed
        self.packed = packed

    def draw(
        self, step: int, rows: range, length: int, number: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keep masks (1 kept, 0 dropped) of the rows ``rows`` of the global batch of ``step``.

        ``number`` is that of the pass, for steps that draw new masks for each of theirs.

        Returns:
            hidden: uint8 ``[B, (D·layers + 1)·L + P, H]``: the embeddings, of whose columns an
                ELECTRA of narrower words takes the first, then each layer's D outputs, attention
                (not for DistilBERT) and feed-forward, then the P vectors before the classifier (2
                where the head drops out of the first state before it pools it, L for a tagger,
                else 1; of packed rows as many for each token, ``[L, 2]`` or ``[L, 1]``).
            attention: uint8 ``[B, layers, A, L, L]``, the attention probabilities.
            Where a rate is 0 its masks are ones.
        """
        config = self.config
        tokens = (config.dropouts_a_layer * config.num_hidden_layers + 1) * length
        pooled = head_vectors(config, length) * (length if self.packed else 1)
        states = (tokens + pooled, config.hidden_size)
        keep = np.full((tokens + pooled, 1), keep_threshold(config.hidden_dropout_prob), np.int32)
        keep[tokens:] = keep_threshold(config.head_dropout_prob)
        scores = (config.num_hidden_layers, config.num_attention_heads, length, length)
        share = keep_threshold(config.attention_probs_dropout_prob)
        hidden, scored = (step, HIDDEN_DROPOUT, number), (step, ATTENTION_DROPOUT, number)
        # The network waits for both; NumPy draws them at the same time.
        with ThreadPoolExecutor(1) as helper:
            attention = helper.submit(self._keep, scored, rows, scores, share)
            return self._keep(hidden, rows, states, keep), attention.result()

    def _keep(
        self,
        stream: tuple[int, ...],
        rows: range,
        shape: tuple[int, ...],
        threshold: int | np.ndarray,
    ) -> np.ndarray:
        """uint8 ``[len(rows), *shape]``: 1 where a number is below the threshold."""
        if np.all(np.asarray(threshold) == _LEVELS):
            return np.ones((len(rows), *shape), np.uint8)
        bits = self._bits(stream, rows, shape)
        # threshold - 1 fits a uint16 where the threshold itself, 65,536 at rate 0, would not.
        return np.less_equal(bits, np.asarray(threshold - 1).astype(np.uint16)).view(np.uint8)

    def _bits(self, name: tuple[int, ...], rows: range, shape: tuple[int, ...]) -> np.ndarray:
        """uint16 ``[len(rows), *shape]``: row r has the r-th stretch of the step's stream."""
        numbers = int(np.prod(shape))
        draws = -(-numbers // _LANES)
        stream = np.random.PCG64(np.random.SeedSequence((self.seed, *name)))
        stream.advance(rows.start * draws)
        words = stream.random_raw(len(rows) * draws).astype("<u8", copy=False)
        return words.view("<u2").reshape(len(rows), -1)[:, :numbers].reshape(len(rows), *shape)
