"""Kinds of settings: which values they take, and what it means for a run to change one.

A settings class is a frozen pydantic dataclass, whose fields state type, range, default and meaning
once. It is checked wherever it is made, also by ``dataclasses.replace``.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from mindflood.files import expanded, nameable

STRICT = ConfigDict(extra="forbid")
_LARGEST = 2**32 - 1  # that NumPy takes as a seed


class Effect(Enum):
    """What a setting decides that does not decide the trained model; a field without has no mark.

    FREE: nothing of what training leaves. A run may be continued with another value.
    FILES: what training leaves beside the model. A run keeps it to its end, but runs that differ in
        it are seeds of one method.
    """

    FREE = "free"
    FILES = "files"


@dataclass(frozen=True)
class Expected:
    """What a value out of a field's range is told, where the bounds alone do not say it."""

    words: str


@dataclass(frozen=True)
class OneOf:
    """One of the words of a table; for a list that is written out ``Literal`` does the same."""

    known: tuple[str, ...]

    def __init__(self, known: Iterable[str]) -> None:
        object.__setattr__(self, "known", tuple(known))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """pydantic's own check of a literal."""
        return core_schema.literal_schema(list(self.known))


def _no_truth(value: Any) -> Any:
    """YAML reads 2e-5 as text, so that text may be a number; true and false are none."""
    if isinstance(value, bool | bytes):
        raise PydanticKnownError("float_type")
    return value


def _fit(value: str) -> str:
    if not nameable(value):
        raise PydanticKnownError("string_type")
    return value


def _path(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _given(value: Any) -> Any:
    return {} if value is None else value


NO_TRUTH = BeforeValidator(_no_truth)
Truth = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=_LARGEST)]
Seed = Annotated[int, Strict(), Field(ge=0, le=_LARGEST)]
Number = Annotated[float, Field(allow_inf_nan=False), NO_TRUTH]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), NO_TRUTH]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), NO_TRUTH]
Text = Annotated[str, Strict(), AfterValidator(_fit)]
UserPath = Annotated[
    str,
    Strict(),
    Field(json_schema_extra={"format": "path"}),
    AfterValidator(_fit),
    AfterValidator(expanded),
    BeforeValidator(_path),
]
SECTION = BeforeValidator(_given)  # a section without keys is null in YAML


def fields_of(kind: Any) -> dict[str, FieldInfo]:
    """Name → field of a settings class, in their order."""
    found: dict[str, FieldInfo] = kind.__pydantic_fields__
    return found


def mark_of(field: FieldInfo, kind: type) -> Any:
    """A field's mark of that kind; None where it has none."""
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


def effect_of(field: FieldInfo) -> Effect | None:
    """What a setting decides that does not decide the trained model."""
    found: Effect | None = mark_of(field, Effect)
    return found
