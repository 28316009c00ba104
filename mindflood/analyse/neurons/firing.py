"""The words that a neuron answers most to, and how many of them are of its tag."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mindflood.analyse.neurons.activations import Matrix, columns

_COLUMNS = 64  # neurons that are looked at together


def word_scores(
    matrix: Matrix, neurons: Sequence[int], words: Sequence[str]
) -> tuple[list[str], np.ndarray]:
    """How strongly each word moves each neuron: |activation - mean| / deviation.

    Mean and deviation are the neuron's over all words of the corpus, and a word's occurrences are
    averaged. A neuron that never moves is moved by no word.

    Args:
        matrix: activations, ``[n, all neurons]``.
        words: the n words as they are written.

    Returns:
        The distinct words in the order in which they first occur, and float64
        ``[distinct words, neurons]``.
    """
    distinct = list(dict.fromkeys(words))
    place_of = {word: place for place, word in enumerate(distinct)}
    places = np.array([place_of[word] for word in words], np.int64)
    order, counts = np.argsort(places, kind="stable"), np.bincount(places, minlength=len(distinct))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    scores = np.empty((len(distinct), len(neurons)))
    for first in range(0, len(neurons), _COLUMNS):
        some = slice(first, first + _COLUMNS)
        found = columns(matrix, neurons[some]).astype(np.float64)
        found -= found.mean(axis=0)
        deviation = found.std(axis=0)
        found = np.abs(found) / np.where(deviation > 0, deviation, 1.0)
        scores[:, some] = np.add.reduceat(found[order], starts, axis=0) / counts[:, None]
    return distinct, scores


def fired_by(distinct: Sequence[str], scores: np.ndarray, count: int) -> list[list[str]]:
    """The words that move each neuron most, strongest first; equal ones as they first occur."""
    order = np.argsort(-scores, axis=0, kind="stable")[:count]
    return [[distinct[place] for place in column] for column in order.T]


def commonest_tags(words: Sequence[str], tags: Sequence[str]) -> dict[str, str]:
    """The tag that each word has most often; of equally frequent ones that which it had first."""
    counted: dict[str, Counter[str]] = {}
    for word, tag in zip(words, tags, strict=True):
        counted.setdefault(word, Counter())[tag] += 1
    return {word: tally.most_common(1)[0][0] for word, tally in counted.items()}


def matches(
    lists: Sequence[Sequence[str]], tag: str, commonest: dict[str, str]
) -> tuple[list[str], list[str]]:
    """(the matching words, all words) of a tag's neurons, each once.

    A word matches where its commonest tag in the training data is the tag; one that is not there
    matches none.
    """
    listed = list(dict.fromkeys(word for words in lists for word in words))
    return [word for word in listed if commonest.get(word) == tag], listed
