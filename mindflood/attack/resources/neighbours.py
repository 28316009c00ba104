"""The table of substitutes: for a base form as one part of speech, words that mean nearly the same.

It ships with the package; ``tools/make_neighbours.py`` made it. A neighbour is a word that WordNet
relates to the first (or that the encoder finds very near), whose vector is near enough for the kind
of relation, and which is no opposite by WordNet or by VADER's valences.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from mindflood.attack.resources.inflection import BASE_TAGS, Reading, inflected, readings
from mindflood.attack.resources.relations import known
from mindflood.attack.resources.shipped import read_lines

RESOURCES = ("neighbours",)


class Neighbour(NamedTuple):
    """A word that can stand for another.

    Attributes:
        base: its base form.
        similarity: cosine of the two words' vectors, mean vector taken off.
        share: of the uses of either word, the smaller, those in a sense in which WordNet relates
            the two; 1 where they are near enough without.
    """

    base: str
    similarity: float
    share: float


def neighbours(part: str, base: str) -> tuple[Neighbour, ...]:
    """Neighbours of a base form as that part of speech (n, v, a, r), best first."""
    fields = _table().get((part, base), "").split()
    rows = (field.split(":") for field in fields)
    return tuple(Neighbour(word, int(near) / 100, int(share) / 100) for word, near, share in rows)


def substitutes(word: str) -> list[str]:
    """The offline attacks' candidates for a word outside of any sentence, best first.

    As every part of speech and form that it can be; none where the table lacks it.
    """
    found: dict[str, float] = {}
    for reading in all_readings(word.lower()):
        for form, neighbour in in_form(reading):
            found[form] = max(neighbour.similarity, found.get(form, -1.0))
    found.pop(word.lower(), None)
    return sorted(found, key=lambda form: (-found[form], form))


def all_words() -> Iterable[tuple[str, str]]:
    """Part of speech and base form of every row."""
    return _table().keys()


def in_form(reading: Reading) -> list[tuple[str, Neighbour]]:
    """A word's neighbours in the form in which it is read, best first."""
    found = (
        (inflected(reading.part, neighbour.base, reading.tag), neighbour)
        for neighbour in neighbours(reading.part, reading.base)
    )
    return [(form, neighbour) for form, neighbour in found if form]


def all_readings(word: str) -> frozenset[Reading]:
    """Every way to read a word (lower case) that the inflections or WordNet know."""
    bare = {
        Reading(part, word, tag)
        for part, tags in BASE_TAGS.items()
        if word in known(part)
        for tag in tags
    }
    return readings(word) | bare


@cache
def _table() -> dict[tuple[str, str], str]:
    """Part of speech and base form → ``other:cosine:share ...``."""
    rows = (line.split("\t") for line in read_lines("neighbours"))
    return {(part, base): others for part, base, others in rows}
