"""Kinds of values in cards and records: what pydantic checks, and what a reader calls them."""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, SkipValidation, with_config
from pydantic_core import CoreSchema, core_schema
from typing_extensions import NotRequired, get_type_hints, is_typeddict

T = TypeVar("T")

LARGEST = 10**15  # no count, time or loss is above it: such a number is damage


@dataclass(frozen=True)
class Kind:
    """A type that is refused as a whole, in these words, whatever in it is wrong."""

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """One fault in place of those of the parts."""
        return core_schema.custom_error_schema(
            handler(source), custom_error_type="kind", custom_error_message=self.words
        )


def _some(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _ascending(bounds: list[float]) -> list[float]:
    if bounds[0] > bounds[1]:
        raise ValueError("descending")
    return bounds


# An instance, and no string to pydantic, which takes none with half of a surrogate pair in it.
AnyText = Annotated[str, InstanceOf()]
Text = Annotated[str, InstanceOf(), AfterValidator(_some), Kind("text")]
Key = SkipValidation[str]  # of an object with keys of its own; JSON has no others
Whole = Annotated[int, Field(ge=-LARGEST, le=LARGEST), Kind("a whole number")]
Count = Annotated[int, Field(ge=0, le=LARGEST), Kind("a count (0 or more)")]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False), Kind("a number")]
Amount = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False), Kind("a number ≥ 0")]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Kind("a fraction between 0 and 1")]
Bounds = Annotated[
    list[Rate],
    Field(min_length=2, max_length=2),
    AfterValidator(_ascending),
    Kind("two fractions between 0 and 1, the lower one first"),
]
Flag = Annotated[bool, Kind("true or false")]
Numbers = Annotated[list[Number], Kind("a list of numbers")]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2), Kind("two numbers")]
Texts = Annotated[list[AnyText], Kind("a list of texts")]
Sentences = Annotated[list[Text], Kind("a list of sentences")]


def form(kind: type[T]) -> type[T]:
    """Decorates a typed dictionary that pydantic checks: as it is, with a meaning below each key.

    Further keys are let be.
    """
    return with_config(ConfigDict(strict=True, use_attribute_docstrings=True))(kind)


def shown(value: Any) -> str:
    """The beginning of a value, as a message quotes it."""
    try:
        return repr(str(value)[:60])
    except (ValueError, RecursionError):
        return "what is too long or too deep to be shown"


def words(kind: Any) -> str:
    """What a type takes, as a message and the documentation say it."""
    if (mark := _mark(kind)) is not None:
        return mark.words
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Annotated, NotRequired):
        return words(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(("null", *(words(arm) for arm in inner if arm is not type(None))))
    if origin is Literal:
        return f"one of {', '.join(inner)}"
    return "a list" if origin is list else "an object"


def within(kind: Any, place: Sequence[str | int]) -> Any:
    """The type of what lies at a place of a value: keys and indices, from the outside in."""
    for part in place:
        kind = plain(kind)
        if is_typeddict(kind):
            kind = get_type_hints(kind, include_extras=True)[str(part)]
        else:
            kind = get_args(kind)[-1]
    return kind


def plain(kind: Any) -> Any:
    """A type without its marks, and without null."""
    while (origin := get_origin(kind)) in (Annotated, NotRequired, Union, types.UnionType):
        inner = get_args(kind)
        if origin in (Union, types.UnionType):
            inner = tuple(arm for arm in inner if arm is not type(None))
        kind = inner[0]
    return kind


def _mark(kind: Any) -> Kind | None:
    marks = (mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Kind))
    return next(marks, None)
