"""Word swaps by the table of substitutes, in the form and the case that the word has."""

from collections.abc import Iterable, Sequence
from typing import Any

from mindflood.attack.resources.neighbours import Neighbour, all_readings, in_form
from mindflood.attack.resources.relations import familiar
from mindflood.attack.resources.tagger import tagged
from mindflood.attack.textattack_import import textattack

# Half auxiliaries and quantities: what replaces them seldom fits what follows.
_AUXILIARIES = ("be", "have", "do", "get", "go", "let", "make", "take", "come")
_QUANTITIES = (
    *("much", "many", "little", "few", "more", "most", "less", "least", "enough", "several"),
    *("own", "such", "other", "same", "only", "even", "still", "just", "well", "way"),
)
LEAST_SHARE = 0.15
_VOWELS = "aeiou"
_SOUND_OTHERWISE = (
    *("hour", "honest", "honor", "honour", "heir"),
    *("eu", "one", "use", "usu", "uti", "union", "unit", "uniq", "unif", "univ"),
)


class NeighbourSwap(textattack.transformations.WordSwap):
    """Swaps a word for its neighbours as the part of speech that it is in its text.

    Function words and names have none. A substitute that few readers know, or that would not go
    with the article before it, is left out.

    Args:
        max_candidates: most substitutes a word, the best ones; None: all.
        least: smallest similarity of word and substitute.
        least_share: smallest share of the word's uses in which the two mean the same: in a text
            that does not tell, the others are wrong more often than not.
    """

    def __init__(
        self,
        max_candidates: int | None = None,
        *,
        least: float = -1.0,
        least_share: float = LEAST_SHARE,
    ) -> None:
        super().__init__()
        self.max_candidates = max_candidates
        self.least = least
        self.least_share = least_share
        self.stays = frozenset(_AUXILIARIES + _QUANTITIES)

    def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list:
        words = current_text.words
        tags = tagged(words)
        return [
            current_text.replace_word_at_index(index, other)
            for index in indices_to_modify
            for other in self.substitutes(words, index, tags[index])
        ]

    def substitutes(self, words: Sequence[str], index: int, tag: str) -> list[str]:
        """The substitutes of one word of a text, best first.

        Args:
            tag: the word's.
        """
        word = words[index]
        found: dict[str, float] = {}
        for reading in all_readings(word.lower()):
            if reading.tag in _possible(tag, word) and reading.base not in self.stays:
                for form, neighbour in in_form(reading):
                    if self._good(reading.part, neighbour):
                        found[form] = max(neighbour.similarity, found.get(form, -1.0))
        before = words[index - 1].lower() if index else ""
        best = [
            in_case_of(word, form)
            for form in sorted(found, key=lambda form: (-found[form], form))
            if form != word.lower() and fits_article(before, form)
        ]
        return best[: self.max_candidates]

    def _good(self, part: str, neighbour: Neighbour) -> bool:
        near = neighbour.similarity >= self.least and neighbour.share >= self.least_share
        return near and familiar(part, neighbour.base)

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["max_candidates", "least", "least_share"]


def _possible(tag: str, word: str) -> tuple[str, ...]:
    """The tags that a reading may have.

    A word in small letters is no name, and a participle may be the adjective that it looks like.
    """
    if tag == "NNP" and word.islower():
        return ("NN", "NNS")
    return (tag, "JJ") if tag in ("VBG", "VBN") else (tag,)


def in_case_of(word: str, other: str) -> str:
    """``other`` in small letters, capitals or with a capital letter, as ``word`` is."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other.capitalize() if word[:1].isupper() else other


def fits_article(before: str, word: str) -> bool:
    """Whether *a* or *an* can stand before a word (lower case); any other word can."""
    if before not in ("a", "an"):
        return True
    vowel = (word[:1] in _VOWELS) != word.startswith(_SOUND_OTHERWISE)
    return vowel == (before == "an")
