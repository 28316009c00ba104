"""Forms of a word: *films* of *film*; another noun's form in the same number, and so on.

From the tables of LemmInflect, on which TextAttack depends. They are read as text: its own loader
reads pickles.
"""

import csv
import gzip
import importlib.util
from functools import cache
from pathlib import Path

from mindflood.errors import UserError

# WordNet's part of speech → the table's.
_PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PARTICIPLE = 2  # place of a verb's forms: base, past, participle, -ing, -s


def like(word: str, lemma: str, other: str, part: str) -> str | None:
    """``other`` in the form in which ``word`` is of ``lemma``; None where the table has none.

    Args:
        word: lower case, a form of ``lemma``.
        other: the base form of another word.
        part: WordNet's letter for the part of speech: n, v, a, r.
    """
    if word == lemma:
        return other
    theirs = _forms(other, part)
    for place, forms in enumerate(_forms(lemma, part)):
        if word in forms and place < len(theirs):
            return theirs[place][0]
    return None


def _forms(lemma: str, part: str) -> list[list[str]]:
    """The alternatives of each form, the base form first; none where the table lacks the word."""
    fields = _table().get((lemma, _PARTS[part]))
    if fields is None:
        return []
    forms = [[lemma], *(field.split("/") for field in fields)]
    if part == "v" and len(forms) > _PARTICIPLE and forms[_PARTICIPLE] == [""]:
        forms[_PARTICIPLE] = forms[_PARTICIPLE - 1]  # walked, has walked
    if part == "n":  # the table also lists the base form among a noun's plurals
        forms[1:] = [[form for form in field if form != lemma] for field in forms[1:]]
    return [form if form and form[0] else [lemma] for form in forms]


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    with gzip.open(table_file("infl_lu.csv.gz"), "rt", encoding="utf-8", newline="") as lines:
        return {(word, part): tuple(fields) for word, part, *fields in csv.reader(lines)}


def table_file(name: str) -> Path:
    """Where LemmInflect keeps a table; found without importing the package.

    Raises:
        UserError: the package is not installed.
    """
    package = importlib.util.find_spec("lemminflect")
    if package is None or package.origin is None:
        raise UserError("the package lemminflect is missing: pip install lemminflect")
    return Path(package.origin).parent / "resources" / name
