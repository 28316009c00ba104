"""TextAttack's words of a text, remembered: it asks for those of every word of every candidate."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache

from mindflood.attack.textattack_import import textattack

_LONGEST = 40  # letters: words are remembered, whole texts seldom come again


@contextmanager
def remembered_words() -> Generator[None, None, None]:
    """While it lasts, TextAttack divides equal words into words once.

    To make a candidate, ``AttackedText.generate_new_attacked_text`` divides each word of the old
    text and of the new: about a third of TextAttack's own time, for answers that are always equal.
    """
    module = textattack.shared.attacked_text
    divide = module.words_from_text
    known = lru_cache(2**16)(lambda text: tuple(divide(text)))

    def words_from_text(text: str, words_to_ignore: list[str] | None = None) -> list[str]:
        if words_to_ignore or len(text) > _LONGEST:
            return list(divide(text, words_to_ignore or []))
        return list(known(text))

    module.words_from_text = words_from_text
    try:
        yield
    finally:
        module.words_from_text = divide
