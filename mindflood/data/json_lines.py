"""JSON lines read into rows: one object a line."""

import json
import math
import re
from pathlib import Path
from typing import Any

from mindflood.data.decoding import decode
from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError, did_you_mean

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Pairs(list[tuple[str, Any]]):
    """An object as it is spelled, so that a key that stands there twice is seen."""


def read_json_lines(path: Path, task: Task) -> list[Row]:
    """Rows of a file of JSON objects, blank lines left out.

    Raises:
        UserError: not UTF-8; or a line is no object, lacks a column or has it twice, or a text or
            label is none. The message names the row.
    """
    rows = []
    for number, line in enumerate(decode(path.read_bytes(), path).split("\n"), start=1):
        if line.strip():
            where = f"{path}, row {number}"
            record = _record(line, where)
            texts = tuple(
                _text(_value(record, column, task, where), column, where)
                for column in task.text_columns
            )
            label = _value(record, task.label_column, task, where)
            if task.kind == "regression" and isinstance(label, float):
                label = repr(label)  # judged where the labels are understood
            rows.append(Row(number, texts, _label(label, task.label_column, where)))
    return rows


def parsed(line: str, where: str) -> dict[str, Any]:
    """An object on a line, with all that is in it.

    Raises:
        UserError: it is none, or has a key twice; ``where`` is the row.
    """
    return _whole(_record(line, where), where)


def _whole(value: Any, where: str) -> Any:
    if isinstance(value, _Pairs):
        found = {key: _whole(one, where) for key, one in value}
        if len(found) < len(value):
            twice = next(key for key in found if [name for name, _ in value].count(key) > 1)
            raise UserError(f"{where}: has {twice!r} twice; remove one of the two")
        return found
    return [_whole(one, where) for one in value] if isinstance(value, list) else value


def _record(line: str, where: str) -> _Pairs:
    try:
        value = json.loads(line, object_pairs_hook=_Pairs)
        reason = "found a list; write each of its objects on a line, for instance with 'jq -c .[]'"
    except json.JSONDecodeError:
        value, reason = None, "this is none"
        if line.strip() in ("[", "{"):
            reason = "found one that goes on in the next line; write each on one line ('jq -c')"
    except RecursionError:
        value, reason = None, "found one that is nested too deeply"
    except ValueError:  # of int(), which reads no more than 4,300 digits
        value, reason = None, "found a number of more than 4,300 digits"
    if isinstance(value, _Pairs):
        return value
    if value is not None and not isinstance(value, list):
        reason = f"found {shown(line)}"
    raise UserError(f"{where}: expected a JSON object on a line of its own, {reason}")


def _value(record: _Pairs, column: str, task: Task, where: str) -> Any:
    """What a line has in a column, under its own name or an alias."""
    for name in (column, *task.column_aliases.get(column, ())):
        values = [value for key, value in record if key == name]
        if len(values) > 1:
            raise UserError(f"{where}: has {name!r} twice; remove one of the two")
        if values:
            return values[0]
    there = [key for key, _ in record]
    found = ", ".join(map(shown, there)) or "none"
    raise UserError(
        f"{where}: no column '{column}', which task {task.name} needs; there are {found}; "
        f"rename the column to '{column}'{did_you_mean(column, there)}"
    )


def _text(value: Any, column: str, where: str) -> str:
    # JSON can spell half of a surrogate pair, which is no text.
    if isinstance(value, str) and not _SURROGATE.search(value):
        return value
    raise UserError(f"{where}: '{column}' must be a string of Unicode text, found {_kind(value)}")


def _label(value: Any, column: str, where: str) -> str:
    """A name, or a whole number, also one that a table program wrote as 1.0."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, str) or (whole and not isinstance(value, bool)):
        return str(value)
    raise UserError(
        f"{where}: '{column}' must be the name or the number of a class, found {_kind(value)}"
    )


def _kind(value: Any) -> str:
    """What a value is, in JSON's words."""
    if isinstance(value, _Pairs):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return shown(json.dumps(value))
