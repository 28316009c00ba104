"""What ends a command with a status and a line, and no traceback; and what was meant instead."""

import difflib
from collections.abc import Iterable

from mindflood.visible import visible_words


class UserError(Exception):
    """Something the user can mend: bad input, a missing file, a full disk.

    The message is one line that names the file, key or row, what was expected and what to do;
    control characters in what it quotes are written out.
    The command line prints it without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible_words(message))


class StageFailedError(Exception):
    """A stage's process ended with this exit status and has already said why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?', or nothing where no known word is close; case does not count."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), spelled, n=1, cutoff=0.5)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """:func:`did_you_mean` and the list of what is known."""
    known = list(known)
    return f"{did_you_mean(word, known)} (known: {', '.join(known)})"
