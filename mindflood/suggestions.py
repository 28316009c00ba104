"""What a mistyped word may have meant, to end an error message."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?', or nothing where no known word is close; case does not count."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), spelled, n=1, cutoff=0.5)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """:func:`did_you_mean` and the list of what is known."""
    known = list(known)
    return f"{did_you_mean(word, known)} (known: {', '.join(known)})"
