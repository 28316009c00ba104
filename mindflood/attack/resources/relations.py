"""Relations of base forms, derived from WordNet 3.0, and VADER's valences; both ship here.

``tools/make_relations.py`` derives them. Parts of speech are WordNet's letters: n, v, a, r.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from mindflood.attack.resources.shipped import read_lines


class Relations(NamedTuple):
    """Facts of one base form as one part of speech.

    Attributes:
        uses: how often WordNet's tagged texts have it.
        related: ``synonym``, ``similar`` (adjectives of a cluster, verbs of a group), ``broader``
            or ``narrower`` → base form → the share of the uses in which it is so related, 0 to 1.
        opposites: antonyms, also by way of similar words, narrower words, prefixes and suffixes.
    """

    uses: int
    related: Mapping[str, Mapping[str, float]]
    opposites: frozenset[str]


_NOTHING = Relations(0, MappingProxyType({}), frozenset())


def relations(part: str, base: str) -> Relations:
    """The facts of a base form; none where WordNet does not have it as that part of speech."""
    return _read(_line(part, base)) if base in known(part) else _NOTHING


def known(part: str) -> Mapping[str, int]:
    """Base form → place of its facts."""
    return _places()[part]


def uses(part: str, base: str) -> int:
    """How often WordNet's tagged texts have a base form as this part of speech."""
    return int(_line(part, base).split("\t", 3)[2]) if base in known(part) else 0


def familiar(part: str, base: str) -> bool:
    """Whether WordNet's tagged texts have the word as that part of speech, or VADER rates it."""
    return uses(part, base) > 0 or valence(base) is not None


def valence(word: str) -> float | None:
    """VADER's mean rating of a word, -4 (worst) to 4 (best); None where nobody rated it."""
    return _valences().get(word)


def _read(line: str) -> Relations:
    _, _, count, *fields = line.split("\t")
    related: dict[str, dict[str, float]] = {}
    opposites: frozenset[str] = frozenset()
    for relation, *others in map(str.split, fields):
        if relation == "opposite":
            opposites = frozenset(others)
        else:
            pairs = (other.split(":") for other in others)
            related[relation] = {other: int(percent) / 100 for other, percent in pairs}
    return Relations(int(count), related, opposites)


def _line(part: str, base: str) -> str:
    return _lines()[known(part)[base]]


@cache
def _lines() -> list[str]:
    return read_lines("relations")


@cache
def _places() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"n": {}, "v": {}, "a": {}, "r": {}}
    for place, line in enumerate(_lines()):
        part, base, _ = line.split("\t", 2)
        found[part][base] = place
    return found


@cache
def _valences() -> dict[str, float]:
    return {word: float(rating) for word, rating in map(str.split, read_lines("valence"))}
