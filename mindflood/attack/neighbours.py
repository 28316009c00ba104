"""Nearest neighbours among the whole words of the encoder's vocabulary, for word swaps offline."""

from typing import cast

import numpy as np
import torch

from mindflood.attack.antonyms import Antonyms, without
from mindflood.attack.encoder import SentenceVectors
from mindflood.attack.neighbour_file import Content, read, table_path, write
from mindflood.attack.textattack_import import textattack

NEIGHBOURS = 50
_DECIMALS = 5  # of the vectors


class NeighbourTable(textattack.shared.AbstractWordEmbedding):
    """Words, their unit vectors and nearest neighbours, as a TextAttack word embedding.

    Args:
        words: the V words, in the order of their indices.
        vectors: float32 (V, hidden), of length 1 up to rounding.
        neighbours: int64 (V, n), nearest first, the word itself left out; -1 behind a row's last.
        fingerprint: names the exact table.
    """

    def __init__(
        self, words: list[str], vectors: np.ndarray, neighbours: np.ndarray, fingerprint: str
    ) -> None:
        self.words = words
        self.vectors = vectors
        self.neighbours = neighbours
        self.fingerprint = fingerprint
        self._index = {word: index for index, word in enumerate(words)}

    def word2index(self, word: str) -> int:
        """Index of ``word``; ``KeyError`` where it is not in the table."""
        return self._index[word]

    def index2word(self, index: int) -> str:
        """The word at ``index``; ``KeyError`` outside the table."""
        if not 0 <= index < len(self.words):
            raise KeyError(index)
        return self.words[index]

    def nearest_neighbours(self, index: int | str, topn: int) -> list[int]:
        """Indices of the ``topn`` nearest words, nearest first."""
        row = self.neighbours[self._row(index)]
        found: list[int] = row[row >= 0][:topn].tolist()
        return found

    def without(self, antonyms: Antonyms) -> "NeighbourTable":
        """The same table, where no word has an antonym among its neighbours."""
        neighbours = without(self.words, self.neighbours, antonyms.of)
        fingerprint = f"{self.fingerprint}-{antonyms.fingerprint}"
        return NeighbourTable(self.words, self.vectors, neighbours, fingerprint)

    def get_cos_sim(self, a: int | str, b: int | str) -> float:
        """Cosine of two words' vectors."""
        return float(self[a] @ self[b])

    def get_mse_dist(self, a: int | str, b: int | str) -> float:
        """Squared distance of two words' vectors, summed over the dimensions."""
        return float(np.sum((self[a] - self[b]) ** 2))

    def __getitem__(self, index: int | str) -> np.ndarray:
        return cast(np.ndarray, self.vectors[self._row(index)])

    def _row(self, index: int | str) -> int:
        return self._index[index] if isinstance(index, str) else index


def load_neighbour_table(encoder: SentenceVectors) -> NeighbourTable:
    """The table of ``encoder``'s vocabulary, from the cache or computed (a minute) into it.

    It is named by its content.

    Raises:
        UserError: the cache folder cannot be written to.
    """
    path = table_path(encoder.folder)
    content = read(path)
    if content is None:
        write(path, _compute(encoder))
        content = read(path)
    assert content is not None, f"{path} was just written"
    return NeighbourTable(*content, content.fingerprint)


def whole_words(vocabulary: dict[str, int]) -> list[str]:
    """Words of a WordPiece vocabulary that stand alone: English letters only, two or more."""
    return sorted(
        word for word in vocabulary if len(word) > 1 and word.isascii() and word.isalpha()
    )


def nearest(vectors: torch.Tensor, count: int) -> torch.Tensor:
    """Indices of the ``count`` rows with the largest cosine to each row, the row itself left out.

    Args:
        vectors: (V, hidden), rows of length 1 up to rounding.

    Returns:
        int64 (V, count); nearest first.
    """
    found = []
    for start in range(0, len(vectors), 1024):
        cosines = vectors[start : start + 1024] @ vectors.T
        rows = torch.arange(len(cosines))
        cosines[rows, start + rows] = -2.0
        found.append(cosines.topk(count, dim=1).indices)
    return torch.cat(found)


def _compute(encoder: SentenceVectors) -> Content:
    """The table, the same on every machine.

    In float64 and rounded, so that what a number of threads or a kind of processor does to the last
    digits does not show: shares of an attack compare their tables by hash.
    """
    words = whole_words(encoder.tokenizer.get_vocab())
    exact = SentenceVectors(encoder.folder, device=encoder.device, dtype=torch.float64)
    vectors = torch.stack(exact.encode(words)).round(decimals=_DECIMALS)
    neighbours = nearest(vectors, min(NEIGHBOURS, len(words) - 1))
    return Content(words, vectors.float().numpy(), neighbours.numpy())
