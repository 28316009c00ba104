"""Word swaps by substitutes of the same part of speech, for the particle swarm offline."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mindflood.attack.constraints import parts_of_speech
from mindflood.attack.inflection import like
from mindflood.attack.neighbours import NeighbourTable
from mindflood.attack.tagging import Tagger
from mindflood.attack.textattack_import import textattack
from mindflood.attack.wordnet import WordNet

# Zang et al. (§4.1) substitute content words only. Universal part of speech → WordNet's letter.
_CONTENT = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}

_NEAREST = 20  # in the table

# (word in lower case, universal part of speech) → its substitutes.
Substitutes = Callable[[str, str], Sequence[str]]


class SubstituteSwap(textattack.transformations.WordSwap):
    """Swaps a content word for each of its substitutes, in the word's own case."""

    def __init__(self, substitutes: Substitutes, tagger: Tagger) -> None:
        super().__init__()
        self.substitutes = substitutes
        self.tagger = tagger

    def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list:
        words, tags = current_text.words, self.tagger(current_text.words)
        return [
            current_text.replace_word_at_index(index, other)
            for index in indices_to_modify
            for other in self._others(words[index], tags[index])
        ]

    def _others(self, word: str, tags: Iterable[str]) -> list[str]:
        found = dict.fromkeys(
            _in_case_of(word, other)
            for tag in sorted(tags)
            if tag in _CONTENT
            for other in self.substitutes(word.lower(), tag)
        )
        return [other for other in found if other != word]


def from_wordnet(database: WordNet) -> Substitutes:
    """Synonyms by WordNet, in the same form as the word."""

    def substitutes(word: str, tag: str) -> list[str]:
        part = _CONTENT[tag]
        found = {
            form
            for lemma in database.lemmas(word)
            if lemma[0] == part
            for synonym in database.synonyms(lemma)
            if (form := like(word, lemma[1], synonym, part))
        }
        return sorted(found)

    return substitutes


def from_table(table: NeighbourTable) -> Substitutes:
    """Neighbours in the table that can be of the same part of speech."""

    def substitutes(word: str, tag: str) -> list[str]:
        try:
            index = table.word2index(word)
        except KeyError:
            return []
        near = (table.index2word(other) for other in table.nearest_neighbours(index, _NEAREST))
        return [other for other in near if tag in parts_of_speech(other)]

    return substitutes


def _in_case_of(word: str, other: str) -> str:
    """``other`` in small letters, capitals or with a capital letter, as ``word`` is."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other.capitalize() if word[:1].isupper() else other
