"""Forms of words: what *films* is a form of, and how *movie* looks in that form.

From the tables of LemmInflect, on which TextAttack depends. They are read as text: its own loader
reads pickles. Parts of speech are WordNet's letters (n, v, a, r), forms the Penn Treebank's tags.
"""

import csv
import gzip
import importlib.util
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mindflood.errors import UserError

# The forms behind the base form in a line of the table, by the table's part of speech.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "noun": ("NNS",),
    "verb": ("VBD", "VBN", "VBG", "VBZ"),
    "adj": ("JJR", "JJS"),
    "adv": ("RBR", "RBS"),
}
_PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
BASE_TAGS = {"n": ("NN",), "v": ("VB", "VBP"), "a": ("JJ",), "r": ("RB",)}
PART_OF = {"NN": "n", "NNS": "n", "JJ": "a", "JJR": "a", "JJS": "a", "RB": "r", "RBR": "r"} | {
    "RBS": "r", "VB": "v", "VBP": "v", "VBZ": "v", "VBD": "v", "VBN": "v", "VBG": "v",
}  # fmt: skip
TABLE = "infl_lu.csv.gz"


class Reading(NamedTuple):
    """One way to read a word.

    Attributes:
        part: WordNet's letter.
        base: its base form.
        tag: the Penn Treebank's tag of its form.
    """

    part: str
    base: str
    tag: str


def readings(word: str) -> frozenset[Reading]:
    """Every way to read a word (lower case) by the table; none where it lacks the word."""
    return _readings().get(word, frozenset())


def base_forms(word: str) -> frozenset[str]:
    """What ``word`` may be a form of, itself included."""
    return frozenset({word, *(reading.base for reading in readings(word))})


def inflected(part: str, base: str, tag: str) -> str | None:
    """A base form in the form of ``tag``; None where the table does not tell."""
    if tag in BASE_TAGS[part]:
        return base
    return _table().get((part, base), {}).get(tag, (None,))[0]


def all_base_forms() -> frozenset[str]:
    """Every base form of the table."""
    return frozenset(base for _, base in _table())


@cache
def _readings() -> dict[str, frozenset[Reading]]:
    found: dict[str, set[Reading]] = defaultdict(set)
    for (part, base), forms in _table().items():
        for tag in BASE_TAGS[part]:
            found[base].add(Reading(part, base, tag))
        for tag, alternatives in forms.items():
            for form in alternatives:
                found[form].add(Reading(part, base, tag))
    return {word: frozenset(ways) for word, ways in found.items()}


@cache
def _table() -> dict[tuple[str, str], dict[str, tuple[str, ...]]]:
    """Part of speech and base form → tag → the alternatives of that form, the usual one first."""
    with gzip.open(table_file(TABLE), "rt", encoding="utf-8", newline="") as lines:
        return {
            (_PARTS[part], base): _forms(part, base, fields)
            for base, part, *fields in csv.reader(lines)
            if part in _PARTS and base.isascii() and base.islower()
        }


def _forms(part: str, base: str, fields: list[str]) -> dict[str, tuple[str, ...]]:
    forms = dict(
        zip(_FORMS[part], (tuple(filter(None, f.split("/"))) for f in fields), strict=False)
    )
    if part == "verb" and not forms.get("VBN"):
        forms["VBN"] = forms.get("VBD", ())  # walked, has walked
    if part == "noun":  # the table also lists the base form among a noun's plurals
        forms = {
            tag: tuple(f for f in found if f != base) or (base,) for tag, found in forms.items()
        }
    return {tag: found for tag, found in forms.items() if found}


def table_file(name: str) -> Path:
    """Where LemmInflect keeps a table; found without importing the package.

    Raises:
        UserError: the package is not installed.
    """
    package = importlib.util.find_spec("lemminflect")
    if package is None or package.origin is None:
        raise UserError("the package lemminflect is missing: pip install lemminflect")
    return Path(package.origin).parent / "resources" / name
