"""An attack of a sample's own, and TextAttack's words of a text, remembered.

TextAttack keeps counts and caches of one sample in the parts of an attack.
"""

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from types import MethodType
from typing import Any

import lru

from mindflood.attack.textattack_import import textattack

_TEXTS_OF_A_TRANSFORMATION = 256  # one entry of that cache holds all that it made of a text
_PARTS = (
    textattack.Attack,
    textattack.goal_functions.GoalFunction,
    textattack.search_methods.SearchMethod,
    textattack.transformations.Transformation,
    textattack.constraints.Constraint,
    textattack.constraints.PreTransformationConstraint,
)


def own_copy(attack: Any, cached: int) -> Any:
    """A copy of a ``textattack.Attack`` that shares nothing that changes with another copy.

    Its parts, their lists, dictionaries and sets are its own, and its caches are new. What the
    parts hold beyond that is large and does not change while samples are attacked (models,
    tokenizers, tables): all copies share it.

    Args:
        cached: most candidates in each of the attack's two caches of them; TextAttack's own limits
            are for one sample at a time. (The goal function's cache must hold all that it is asked
            at once and grows with the queries only: it keeps its limit.)
    """
    copy = _copy(attack, {})
    copy.constraints_cache = lru.LRU(max(1, cached))
    copy.transformation_cache = lru.LRU(max(1, cached // _TEXTS_OF_A_TRANSFORMATION))
    return copy


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, _PARTS):
        copy = copies[id(value)] = object.__new__(type(value))
        vars(copy).update({key: _copy(part, copies) for key, part in vars(value).items()})
        return copy
    if isinstance(value, MethodType):  # the search method holds methods of the other parts
        return MethodType(value.__func__, _copy(value.__self__, copies))
    if isinstance(value, lru.LRU):
        return lru.LRU(value.get_size())
    if type(value) in (list, tuple):
        return type(value)(_copy(part, copies) for part in value)
    if type(value) in (dict, set):
        return value.copy()
    return value


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
