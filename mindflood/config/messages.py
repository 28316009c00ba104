"""What pydantic refuses, as one line: where it stands, what was expected, what was found."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mindflood.config.strict_yaml import shown
from mindflood.errors import UserError, did_you_mean, nearest
from mindflood.fields import Expected, fields_of, mark_of

_KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "string_type": "text",
    "string_unicode": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dataclass_type": "a section of keys",
}
_BOUNDS: dict[str, Callable[[Any], str]] = {
    "greater_than_equal": lambda found: f"at least {_plain(found['ge'])}",
    "greater_than": lambda found: f"more than {_plain(found['gt'])}",
    "less_than": lambda found: f"below {_plain(found['lt'])}",
    "less_than_equal": lambda found: f"at most {_plain(found['le'])}",
    "value_error": lambda found: str(found["error"]),
}
_UNKNOWN_KEY = ("unexpected_keyword_argument", "invalid_key")


def validated(
    kind: Any,
    values: Any,
    source: str = "",
    key: str = "",
    named: Callable[[str], str] = str,
) -> Any:
    """``values`` as a settings class or another type.

    Args:
        source: begins the message: the file; none: they are not of a file.
        key: where in the file ``values`` are; none: they are all of it.
        named: what the user calls a setting, from its dotted key.

    Raises:
        UserError: they do not fit; the first key that does not is named.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        line = _line(kind, error.errors(include_url=False), key, named)
        raise UserError(f"{source}: {line}" if source else line) from None


def _line(kind: Any, errors: Sequence[Any], key: str, named: Callable[[str], str]) -> str:
    error = errors[0]
    dotted, expected = _followed(kind, error["loc"], key)
    place, found, context = named(dotted), error["input"], error.get("ctx", {})
    if error["type"] in _UNKNOWN_KEY:
        return _unknown(kind, dotted, str(error["loc"][-1]))
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "literal_error":
        return f"{place}: unknown {shown(found)}{nearest(str(found), _words(context))}"
    if error["type"] in _KINDS:
        arms = [other for other in errors[1:] if _followed(kind, other["loc"], key)[0] == dotted]
        words = [word for arm in arms if arm["type"] == "literal_error"
                 for word in _words(arm["ctx"])]  # fmt: skip
        wanted = " or ".join([_KINDS[error["type"]], *words])
    elif expected is not None:
        wanted = expected
    else:
        bound = _BOUNDS.get(error["type"])
        wanted = bound(context) if bound is not None else error["msg"]
    return f"{place}: expected {wanted}, not {shown(found)}"


def _followed(kind: Any, location: Sequence[Any], key: str) -> tuple[str, str | None]:
    """The dotted key of an error's place, and what its field says is expected there."""
    expected = None
    for part in location:
        known = fields_of(kind) if dataclasses.is_dataclass(kind) else {}
        if part in known:
            mark = mark_of(known[part], Expected)
            expected = None if mark is None else mark.words
            kind, key = known[part].annotation, f"{key}.{part}" if key else part
        elif isinstance(part, int) and not known:
            key = f"{key}[{part}]"
        # else the arm of a union, or a key that is not known
    return key, expected


def _words(context: Any) -> list[str]:
    return re.findall(r"'([^']*)'", context["expected"])


def _plain(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _unknown(kind: Any, section: str, name: str) -> str:
    """An unknown key, with what was meant: a like key of its section, or the same of another.

    At the top of a file the same key of a section comes first.
    """
    top = fields_of(kind)
    sections = {key: fields_of(field.annotation) for key, field in top.items()
                if dataclasses.is_dataclass(field.annotation)}  # fmt: skip
    known = list(sections.get(section, top))
    elsewhere = [f"{key}.{name}" for key, inner in sections.items() if name in inner]
    elsewhere += [name] if section and name in top else []
    meant = did_you_mean(name, known)
    if elsewhere and (not section or not meant):
        meant = f"; did you mean {' or '.join(map(repr, elsewhere))}?"
    whole = f"{section}.{name}" if section else name
    return f"unknown key {shown(whole)}{meant} (known: {', '.join(known)})"
