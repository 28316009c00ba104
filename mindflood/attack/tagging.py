"""The parts of speech of a text's words."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from mindflood.attack.constraints import parts_of_speech

Tags = tuple[frozenset[str], ...]


class Tagger(Protocol):
    """Universal parts of speech (NOUN, VERB, ADJ, ADV, ...) that each word of a text may have."""

    def __call__(self, words: Sequence[str]) -> Tags: ...


class NltkTagger:
    """NLTK's perceptron tagger: one part of speech a word, by its context."""

    def __call__(self, words: Sequence[str]) -> Tags:
        return _tagged(tuple(words))


class LexiconTagger:
    """Every part of speech that a word can have, whatever its context."""

    def __call__(self, words: Sequence[str]) -> Tags:
        return tuple(map(parts_of_speech, words))


@lru_cache(maxsize=4096)
def _tagged(words: tuple[str, ...]) -> Tags:
    import nltk

    return tuple(frozenset({tag}) for _, tag in nltk.pos_tag(words, tagset="universal"))
