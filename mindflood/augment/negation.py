"""How often a text denies something: a translation that loses a "not" has the other label."""

import re

_WORDS = {
    "no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "cannot",
    "without", "hardly", "scarcely", "barely", "lack", "lacks", "lacking",
}  # fmt: skip
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*")


def denials(text: str) -> int:
    """Words of the lexicon of negations in the text; "n't" is one, also apart."""
    words = _WORD.findall(text.lower().replace(" n't", "n't"))
    return sum(word in _WORDS or word.endswith(("n't", "n’t")) for word in words)
