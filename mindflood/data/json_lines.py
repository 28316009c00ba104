"""JSON lines read into rows: one object a line."""

import json
import math
import re
from pathlib import Path
from typing import Any, TypeGuard

from mindflood.data.bad_rows import BadRows
from mindflood.data.columns import lacks_column
from mindflood.data.decoding import content_of, decode
from mindflood.data.labels import class_name
from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Pairs(list[tuple[str, Any]]):
    """An object as it is spelled, so that a key that stands there twice is seen."""


def read_json_lines(path: Path, task: Task, bad: BadRows) -> list[Row]:
    """Rows of a file of JSON objects, blank lines left out.

    Raises:
        UserError: not UTF-8; or a line is no object, lacks a column or has it twice, or a text or
            label is none. The message names the row.
    """
    rows = []
    for number, line in enumerate(decode(content_of(path), path).split("\n"), start=1):
        if line.strip():
            try:
                rows.append(_row(line, number, task, f"{path}, row {number}"))
            except UserError as error:
                bad.add(str(error))
    return rows


def is_text(value: Any) -> TypeGuard[str]:
    """Whether a value is a text, which half of a surrogate pair, as JSON can spell it, is not."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def is_finite(value: Any) -> bool:
    """Whether a value is a float that is no infinity and no NaN, as JSON can spell them."""
    return isinstance(value, float) and math.isfinite(value)


def text_of(value: Any, column: str, where: str) -> str:
    """A text.

    Raises:
        UserError: it is none; ``where`` is the row.
    """
    if is_text(value):
        return value
    raise UserError(f"{where}: '{column}' must be a string of Unicode text, found {_kind(value)}")


def label_of(value: Any, task: Task, where: str) -> str:
    """A label: a name or a whole number, also one that a table program wrote as 1.0.

    In a user's own data also another number, or true and false.

    Raises:
        UserError: it is none; ``where`` is the row.
    """
    if task.kind == "regression" and isinstance(value, int | float):
        return repr(value)  # judged where the labels are understood
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    own = task.own and (isinstance(value, int) or is_finite(value))
    if is_text(value) or (whole and not isinstance(value, bool)) or own:
        return class_name(value) if task.own else str(value)
    raise UserError(
        f"{where}: '{task.label_column}' must be the name or the number of a class, found "
        f"{_kind(value)}"
    )


def _row(line: str, number: int, task: Task, where: str) -> Row:
    record = _record(line, where)
    texts = tuple(
        text_of(_value(record, column, task, where), column, where) for column in task.text_columns
    )
    return Row(number, texts, label_of(_value(record, task.label_column, task, where), task, where))


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
    raise UserError(f"{where}: {lacks_column(column, [key for key, _ in record], task)}")


def _kind(value: Any) -> str:
    """What a value is, in JSON's words."""
    if isinstance(value, _Pairs | dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return shown(json.dumps(value, default=repr))
