"""An attack of a sample's own: TextAttack keeps counts and caches of one sample in its parts."""

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
