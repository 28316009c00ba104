"""Whether one word turns the other round: an antonym, or praise for blame."""

from functools import lru_cache

from mindflood.attack.resources.inflection import PART_OF, base_forms, readings
from mindflood.attack.resources.relations import known, relations, valence

RESOURCES = ("relations", "valence")
_NEGATIONS = ("un", "in", "im", "ir", "il", "dis", "non")
_SUFFIXES = (("ly", ""), ("ily", "y"), ("ness", ""), ("iness", "y"))  # badly, sadness


def opposed(one: str, other: str) -> bool:
    """Whether the words (lower case) are opposites by any of their meanings, or by valence."""
    return antonyms(one, other) or opposite_valence(one, other)


def antonyms(one: str, other: str) -> bool:
    """Whether some base form of one is an opposite of one of the other's."""
    return bool(_opposites(one) & base_forms(other) or _opposites(other) & base_forms(one))


def opposite_valence(one: str, other: str) -> bool:
    """Whether people rated one word good and the other bad."""
    return rating(one) * rating(other) < 0


@lru_cache(2**16)
def rating(word: str) -> float:
    """Valence of a word or of what it is a form of, -4 to 4; 0 where nobody rated it."""
    if (rated := valence(word)) is not None:
        return rated
    stems = [word.removesuffix(end) + base for end, base in _SUFFIXES if word.endswith(end)]
    for stem in (*sorted(base_forms(word) - {word}), *stems):
        if (rated := valence(stem)) is not None:
            return rated
    for negation in _NEGATIONS:
        stem = word.removeprefix(negation)
        if stem != word and stem in known("a") and valence(stem) is not None:
            return -(valence(stem) or 0.0)
    return 0.0


@lru_cache(2**14)
def _opposites(word: str) -> frozenset[str]:
    bases = {(reading.part, reading.base) for reading in readings(word)}
    bases |= {(part, word) for part in set(PART_OF.values())}
    return frozenset().union(*(relations(part, base).opposites for part, base in bases))
