"""Whether texts are of a script that English is not written in."""

import unicodedata
from collections.abc import Iterable

ENGLISH = (
    "mindflood: warning: most letters of these texts are not Latin, and the attacks are English "
    "(their swaps, stop words and parts of speech): what withstands them here is not robust for it"
)
_LOOKED_AT = 20_000  # letters


def is_foreign(rows: Iterable[tuple[str, ...]]) -> bool:
    """Whether more than half of the letters of the texts, as far as looked at, are not Latin."""
    latin = letters = 0
    for row in rows:
        for letter in filter(str.isalpha, "".join(row)):
            letters += 1
            latin += unicodedata.name(letter, "").startswith(("LATIN", "FULLWIDTH LATIN"))
        if letters >= _LOOKED_AT:
            break
    return letters > 2 * latin
