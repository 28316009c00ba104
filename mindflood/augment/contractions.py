"""Contractions as people write them: data sets divide "don't" into "do n't", which no one reads."""

import re

_NOT = re.compile(r"\b([A-Za-z]+) (n['’]t)\b", re.IGNORECASE)
_REST = re.compile(r"\b([A-Za-z]+) (['’](?:s|m|re|ve|ll|d))\b", re.IGNORECASE)


def joined(text: str) -> str:
    """``text`` with its contractions in one piece."""
    return _REST.sub(r"\1\2", _NOT.sub(r"\1\2", text))
