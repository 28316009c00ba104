"""Words of opposite meaning, left out of the neighbour table.

Vectors of words that stand in the same contexts are close, and opposites do; the counter-fitted
vectors of the papers were trained to keep them apart (Mrkšić et al. 2016).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mindflood.attack import opposites
from mindflood.attack.opposites import symmetric
from mindflood.attack.wordnet import WordNet, wordnet


@dataclass(frozen=True)
class Antonyms:
    """The opposites among a list of words.

    Attributes:
        of: word → its opposites; words without one are left out.
        source: where they come from.
        fingerprint: names the exact source.
    """

    of: Mapping[str, frozenset[str]]
    source: Literal["WordNet", "mindflood's own list"]
    fingerprint: str

    def __contains__(self, pair: tuple[str, str]) -> bool:
        return pair[1] in self.of.get(pair[0], frozenset())


def antonyms_among(words: Iterable[str]) -> Antonyms:
    """The opposites among ``words`` (lower case) by WordNet, by our own list where it is not here.

    With WordNet our own list still counts: *boring* and *exciting* are no pair of WordNet's.
    """
    words = list(words)
    own = opposites.among(words)
    database = wordnet()
    if database is None:
        return Antonyms(own, "mindflood's own list", opposites.FINGERPRINT)
    both = merged(own, from_wordnet(database, words))
    return Antonyms(both, "WordNet", f"{database.fingerprint}+{opposites.FINGERPRINT}")


def from_wordnet(
    database: WordNet, words: Iterable[str], *, indirect: bool = True
) -> dict[str, frozenset[str]]:
    """Pairs of ``words`` of which any meaning of one is an antonym of any meaning of the other.

    Inflected words count as their base forms: *worse* is an opposite of *better* by *bad*. For
    ``indirect`` see :meth:`WordNet.antonym_pairs`.
    """
    forms: dict[tuple[str, str], set[str]] = defaultdict(set)
    for word in words:
        for lemma in database.lemmas(word):
            forms[lemma].add(word)
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in database.antonym_pairs(indirect=indirect):
        if one in forms and other in forms:
            for word in forms[one]:
                found[word] |= forms[other]
    return symmetric(found)


def merged(
    one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """The pairs of both."""
    empty: frozenset[str] = frozenset()
    return {word: one.get(word, empty) | other.get(word, empty) for word in {*one, *other}}


def without(
    words: Sequence[str], neighbours: np.ndarray, pairs: Mapping[str, frozenset[str]]
) -> np.ndarray:
    """A table of neighbours in which no word has one of ``pairs`` beside it.

    Args:
        neighbours: int64 (V, n), indices of ``words``; -1 behind a row's last.
        pairs: word → others, words of the table only.

    Returns:
        A new table of the same shape.
    """
    kept, index = neighbours.copy(), {word: index for index, word in enumerate(words)}
    for word, others in pairs.items():
        row = kept[index[word]]
        left = [near for near in row if near >= 0 and words[near] not in others]
        row[: len(left)], row[len(left) :] = left, -1
    return kept


def share_of(
    words: Sequence[str], neighbours: np.ndarray, pairs: Mapping[str, frozenset[str]]
) -> float:
    """The fraction of a table's entries (word, neighbour) that are among ``pairs``.

    Args:
        neighbours, pairs: as :func:`without` takes them.
    """
    index = {word: index for index, word in enumerate(words)}
    hits = sum(
        near >= 0 and words[near] in others
        for word, others in pairs.items()
        for near in neighbours[index[word]]
    )
    return hits / max(1, int((neighbours >= 0).sum()))
