"""Word swaps by the table of substitutes, in the form and the case that the word has."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mindflood.attack.resources.inflection import Reading
from mindflood.attack.resources.neighbours import Neighbour, all_readings, in_form
from mindflood.attack.resources.phrases import in_phrase
from mindflood.attack.resources.relations import familiar
from mindflood.attack.resources.tagger import certainties, part_of_speech, tagged
from mindflood.attack.textattack_import import textattack

# Half auxiliaries, quantities and connectives: what replaces them seldom fits what follows.
_AUXILIARIES = (
    *("be", "have", "do", "get", "go", "let", "make", "take", "come"),
    *("keep", "put", "bring", "feel"),
)
_QUANTITIES = (
    *("much", "many", "little", "few", "more", "most", "less", "least", "enough", "several"),
    *("own", "such", "other", "same", "only", "even", "still", "just", "well", "way"),
)
_CONNECTIVES = (
    *("so", "thus", "hence", "though", "however", "yet", "too", "as", "then", "else", "instead"),
    *("equally", "rather", "also", "ever", "never", "once", "now", "today", "already"),
    *("almost", "away", "hardly", "barely", "scarcely", "worth"),
)
# Units and reports, whose substitutes say something else: *18 percent*, *he told reporters*.
_UNITS = ("percent", "cent", "year", "month", "week", "day", "hour", "minute", "number", "amount")
_REPORTS = ("say", "tell", "see", "include")
_STAY = frozenset(_AUXILIARIES + _QUANTITIES + _CONNECTIVES + _UNITS + _REPORTS)
# What stands behind a word of these parts of speech belongs to it: *suffers from*, *quite the*,
# *devoid of*, *software licence*.
_GOVERNED = {
    "v": ("TO", "IN", "RP", "WRB", "WP", "WDT"),
    "r": ("DT", "PDT", "IN"),
    "a": ("IN",),
    "n": ("NN", "NNS", "NNP"),
}
_COMPARED = ("JJR", "JJS", "RBR", "RBS")  # *hugest*: the forms of many adjectives are rare
CERTAIN = 0.9  # probability of the part of speech: of such words it is right in 97 of 100
_VOWELS = "aeiou"
_SOUND_OTHERWISE = (
    *("hour", "honest", "honor", "honour", "heir"),
    *("eu", "one", "use", "usu", "uti", "union", "unit", "uniq", "unif", "univ"),
)


class NeighbourSwap(textattack.transformations.WordSwap):
    """Swaps a word for its neighbours as the part of speech that it is in its text.

    Function words, names, comparatives and words of a fixed phrase or compound have none, nor verbs
    with their preposition, nor words of which it is not clear what part of speech they are. A
    substitute that few readers know, or that would not go with the article before it, is left out.

    Args:
        max_candidates: most substitutes a word, the best ones; None: all.
        least: smallest similarity of word and substitute.
    """

    def __init__(self, max_candidates: int | None = None, *, least: float = -1.0) -> None:
        super().__init__()
        self.max_candidates = max_candidates
        self.least = least
        # Of the recipe's fingerprint too.
        self.stays, self.governed, self.certain = _STAY, _GOVERNED, CERTAIN
        self.compared, self.names_stay = _COMPARED, True

    def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list:
        words = current_text.words
        tags, certain = tagged(words), certainties(words)
        return [
            current_text.replace_word_at_index(index, other)
            for index in indices_to_modify
            if certain[index] >= self.certain and not is_fixed(words, tags, index)
            for other in self.substitutes(words, index, tags[index])
        ]

    def substitutes(self, words: Sequence[str], index: int, tag: str) -> list[str]:
        """The substitutes of one word of a text, best first.

        Args:
            tag: the word's.
        """
        word = words[index]
        found: dict[str, float] = {}
        for _, form, neighbour in pairs(word, tag):
            if neighbour.similarity >= self.least:
                found[form] = max(neighbour.similarity, found.get(form, -1.0))
        before = words[index - 1].lower() if index else ""
        best = [
            in_case_of(word, form)
            for form in sorted(found, key=lambda form: (-found[form], form))
            if fits_article(before, form)
        ]
        return best[: self.max_candidates]

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["max_candidates", "least"]


def pairs(word: str, tag: str) -> Iterator[tuple[Reading, str, Neighbour]]:
    """The readings of a word tagged so, with a neighbour's form (lower case) and the neighbour."""
    for reading in all_readings(word.lower()):
        if reading.tag in _possible(tag, word) and reading.base not in _STAY:
            for form, neighbour in in_form(reading):
                if form != word.lower() and familiar(reading.part, neighbour.base):
                    yield reading, form, neighbour


def is_fixed(words: Sequence[str], tags: Sequence[str], index: int) -> bool:
    """Whether a word of a text stays for what stands around it, or is a name or compared."""
    return (
        in_phrase(words, index)
        or governs(tags, index)
        or (index > 0 and part_of_speech(tags[index]) == "n" and governs(tags, index - 1))
        or is_name(words, index)
        or tags[index] in _COMPARED
    )


def governs(tags: Sequence[str], index: int) -> bool:
    """Whether a word and the one behind it belong together, by the tags of their text."""
    behind = tags[index + 1] if index + 1 < len(tags) else ""
    return behind in _GOVERNED.get(part_of_speech(tags[index]), ())


def is_name(words: Sequence[str], index: int) -> bool:
    """Whether capitals tell that a word is one: inside a text that has words in small letters."""
    capital = index > 0 and words[index][:1].isupper()
    return capital and any(word[:1].islower() for word in words)


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
