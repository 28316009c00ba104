"""What a YAML file of an experiment may hold, as a JSON schema and key by key."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from mindflood.config.settings import METHODS, Config, FoundLevel
from mindflood.fields import STRICT, Effect, NotNegative, OneOf, Seed, effect_of, fields_of

TOP = "general"  # the name here of what stands in no section
_Levels = NotNegative | FoundLevel | Annotated[list[NotNegative], Field(min_length=1)] | None
_NO_LIMIT = 2**32 - 1  # of what NumPy takes; nobody comes near it


@dataclass(frozen=True, config=STRICT)
class Model(Config):
    """An entry of ``methods``: a model, or one a flood level."""

    # Wider than a model's own, which is one of them.
    flood_level: _Levels = Field(  # type: ignore[assignment]
        default=None, description=fields_of(Config)["flood_level"].description
    )


@dataclass(frozen=True, config=STRICT)
class ExperimentFile(Model):
    """The settings that all models of an experiment share, and in which they differ."""

    methods: Annotated[list[Annotated[str, OneOf(METHODS)] | Model], Field(min_length=1)] | None = (
        Field(
            default=None,
            description="Trains a model for each: the name of a method, or a section of the "
            "settings in which it differs from the rest of the file.",
        )
    )
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = Field(
        default=None, description="Trains every model once for each of these seeds."
    )


@dataclasses.dataclass(frozen=True)
class Key:
    """One setting: its dotted key, meaning, which values it takes, its default, its mark."""

    name: str
    meaning: str
    values: str
    default: str
    effect: Effect | None


@dataclasses.dataclass(frozen=True)
class Section:
    """The settings of one section of a file."""

    name: str
    meaning: str
    keys: tuple[Key, ...]


def json_schema() -> dict[str, Any]:
    """JSON schema of a file, for editors."""
    found = TypeAdapter(ExperimentFile).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | found


def sections() -> tuple[Section, ...]:
    """Every section of a file, first what stands in none."""
    schema, fields = json_schema(), fields_of(ExperimentFile)
    inner = {name: field.annotation for name, field in fields.items()
             if dataclasses.is_dataclass(field.annotation)}  # fmt: skip
    top = tuple(_keys(ExperimentFile, schema, "", inner))
    found = [Section(TOP, "What stands at the top of the file, in no section.", top)]
    for name, kind in inner.items():
        part = schema["$defs"][kind.__name__]
        keys = tuple(_keys(kind, part, f"{name}.", {}))
        if (effect := effect_of(fields[name])) is not None:
            keys = tuple(dataclasses.replace(key, effect=effect) for key in keys)
        found.append(Section(name, _first_line(kind), keys))
    return tuple(found)


def keys_of(kind: Any) -> tuple[Key, ...]:
    """Every setting of a settings class that has no sections."""
    return tuple(_keys(kind, TypeAdapter(kind).json_schema(), "", ()))


def _keys(kind: Any, schema: Any, prefix: str, left_out: Any) -> Iterator[Key]:
    for name, field in fields_of(kind).items():
        if name not in left_out:
            part = schema["properties"][name]
            yield Key(
                prefix + name,
                field.description or "",
                values(part),
                shown_default(part.get("default")),
                effect_of(field),
            )


def _first_line(kind: Any) -> str:
    line: str = kind.__doc__.partition("\n")[0]
    return line


def values(schema: Any) -> str:
    """In words, which values a part of a schema takes."""
    if "anyOf" in schema:
        return " or ".join(values(arm) for arm in schema["anyOf"])
    if "$ref" in schema:
        return "a section"
    if "enum" in schema or "const" in schema:
        return ", ".join(schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return f"list of: {values(schema['items'])}"
    if schema.get("format") == "path":
        return "path"
    names = {"integer": "whole number", "boolean": "true, false", "string": "text"}
    return names.get(schema["type"], schema["type"]) + _range(schema)


def _range(schema: Any) -> str:
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    bounds = [
        f"{word} {schema[key]}" for key, word in words if schema.get(key, _NO_LIMIT) != _NO_LIMIT
    ]
    return f" ({', '.join(bounds)})" if bounds else ""


def shown_default(value: Any) -> str:
    """A default as one writes it in YAML."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown_default, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
