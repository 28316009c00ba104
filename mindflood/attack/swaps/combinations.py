"""One token of each of several rows that together are one word, found without trying them all.

TextAttack tries all K^n. Where the first token of a middle row is a full stop, no combination below
it is one word, and with K = 48 and n = 5 it is 48³ times that the search comes to nothing. So rows
are gone through from the first on, and a beginning is left as soon as no end can make it one word.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import jieba

from mindflood.attack.textattack_import import textattack

_utils = textattack.shared.utils
_CHINESE = re.compile("[\u4e00-\u9fff]")  # what TextAttack lets jieba divide

# The states of a beginning, each as the shortest text that goes on like it: no word so far; a word
# that may grow; the same, with half a "##" that may vanish, behind it; a word that is over.
_NOTHING, _OPEN, _HALF, _OVER = "", "a", "a#", "a."
_ONE_WORD = frozenset((_OPEN, _HALF, _OVER))


def combined(tokens: Sequence[Sequence[str]]) -> Iterator[str]:
    """Words of one token of each row, in the order of ``itertools.product``.

    A word is what TextAttack takes for one, ``##`` left out.
    """
    useful = _useful_states(tokens)

    def grown(pieces: tuple[str, ...], state: str) -> Iterator[str]:
        at = len(pieces)
        if at == len(tokens):
            word = _joined("".join(pieces))
            if _utils.is_one_word(word):
                yield word.strip("Ġ")
            return
        for token in tokens[at]:
            longer = (*pieces, token)
            after = _after(state, token)
            if after is not None and after in useful[at + 1] and _undivided("".join(longer)):
                yield from grown(longer, after)

    return grown((), _NOTHING)


def _useful_states(tokens: Sequence[Sequence[str]]) -> list[frozenset[str]]:
    """Before each row and behind the last: the states from which one word can still come."""
    useful: list[frozenset[str]] = [_ONE_WORD]
    for row in reversed(tokens):
        useful.append(
            frozenset(
                state
                for state in (_NOTHING, _OPEN, _HALF, _OVER)
                if any(_after(state, token) in useful[-1] for token in row)
            )
        )
    return useful[::-1]


@lru_cache(2**18)
def _after(state: str, token: str) -> str | None:
    """The state behind one more token; None from the second word on.

    What jieba would divide counts as undivided: it only adds words.
    """
    text = _joined(state + _CHINESE.sub("a", token))
    half = text.endswith("#")
    text = text.removesuffix("#")
    words = len(_utils.words_from_text(text))
    if words != 1:
        return _NOTHING if words == 0 else None
    if not _utils.is_one_word(text + "a"):
        return _OVER
    return _HALF if half else _OPEN


def _joined(text: str) -> str:
    return text.replace("##", "")


def _undivided(beginning: str) -> bool:
    """Whether jieba may still leave Chinese and other letters in one word, as its dictionary does.

    The dictionary holds every beginning of its words. Chinese alone is not judged: what jieba makes
    of it depends on what follows.
    """
    if not _CHINESE.search(beginning):
        return True
    letters = re.sub(r"^[\W_]+|[\W_]+$", "", _joined(beginning))
    if re.fullmatch(f"{_CHINESE.pattern}*", letters):
        return True
    jieba.initialize()
    return letters in jieba.dt.FREQ
