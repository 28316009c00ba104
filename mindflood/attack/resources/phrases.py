"""Two words that WordNet 3.0 has as one entry: *memory lane*, *fall short*."""

from collections.abc import Sequence
from functools import cache
from itertools import product

from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.shipped import read_lines


def in_phrase(words: Sequence[str], index: int) -> bool:
    """Whether a word of a text is one with the word before or behind it, in any of their forms."""
    return any(
        is_phrase(words[first].lower(), words[first + 1].lower())
        for first in (index - 1, index)
        if 0 <= first < len(words) - 1
    )


def is_phrase(first: str, second: str) -> bool:
    """Whether two words (lower case) are one entry."""
    return any(pair in _phrases() for pair in product(base_forms(first), base_forms(second)))


@cache
def _phrases() -> frozenset[tuple[str, str]]:
    return frozenset((first, second) for first, second in map(str.split, read_lines("phrases")))
