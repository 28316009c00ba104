"""YAML for settings: plain values in sections and lists, each said once, and bounded."""

import re
from typing import Any, NoReturn

import yaml

_DEEPEST = 20  # sections and lists within each other
_LONGEST_NUMBER = 40  # characters
_SHOWN = 60  # characters of a value in a message


class StrictYamlError(Exception):
    """Text that is no YAML, or has what settings do without; the message says where."""


def load(text: str) -> Any:
    """The value of a YAML text: dictionaries, lists, texts, numbers, booleans and None.

    As in YAML 1.2 yes, no, on, off, 01 and 1:30 are texts; so are dates. No alias, which may stand
    for more than fits the memory, and no tag.

    Raises:
        StrictYamlError: the text is no YAML, a key is there twice, or there is an alias, a tag, a
            number of too many digits or too deep a nesting.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise StrictYamlError(f"{where}{_cut(error.problem or error.context or '')}") from None
    except yaml.reader.ReaderError as error:
        raise StrictYamlError(
            f"character {error.position + 1}: {error.character!r} is no character of YAML"
        ) from None
    except yaml.YAMLError as error:
        raise StrictYamlError(_cut(str(error))) from None


def shown(value: Any) -> str:
    """``repr`` for a message: one line, cut where it is long."""
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            _refuse(event, f"an alias (*{event.anchor}): write the value itself")
        if getattr(event, "tag", None) is not None:
            _refuse(event, f"a tag ({event.tag}): write the value without it")
        if self.depth == _DEEPEST:
            _refuse(event, f"more than {_DEEPEST} sections and lists within each other")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                _refuse(key_node, "a list or section as a key: expected a name")
            key = self.construct_object(key_node)
            if key in found:
                _refuse(key_node, f"the key {shown(key)} is there twice; leave one")
            found[key] = self.construct_object(value_node, deep=deep)
        return found

    def number(self, node: Any) -> int | float:
        """A number as a decimal."""
        if len(node.value) > _LONGEST_NUMBER:
            _refuse(node, f"a number of {len(node.value)} characters")
        return int(node.value) if node.tag == _INT else self.construct_yaml_float(node)


def _refuse(there: Any, what: str) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=what, problem_mark=there.start_mark)


# YAML 1.1 also reads yes, off, 01, 1_0, 0x1f and 1:30 as something else than what is written, which
# is how classes and columns may be called. Its other texts (dates, merging) are left out as well.
_BOOL, _INT, _FLOAT, _NULL = (
    f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null")
)
_WHOLE = "[-+]?(?:0|[1-9][0-9]*)"
_READ = {
    _BOOL: r"true|True|TRUE|false|False|FALSE",
    _INT: _WHOLE,
    _FLOAT: rf"(?:{_WHOLE}\.[0-9]*|[-+]?\.[0-9]+)(?:[eE][-+][0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    _NULL: r"~|null|Null|NULL|",
}
_FIRST = {_BOOL: "tTfF", _INT: "-+0123456789", _FLOAT: "-+0123456789.", _NULL: ["~", "n", "N", ""]}
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern in _READ.items():
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _FIRST[_tag])
for _tag in (_INT, _FLOAT):
    _Loader.add_constructor(_tag, _Loader.number)
