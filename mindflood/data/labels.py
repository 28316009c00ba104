"""Which class a label in a file means, decided once over all parts of a source.

A name means itself. A number needs to be known to count from 0, as the hub's copies do, or from the
task's own ``first_label``: a part in which some class does not occur cannot tell, and taken for
itself would be read one class off. So all parts speak together, and where even they leave it open,
the labels are refused.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mindflood.data.bad_rows import REMEDY
from mindflood.data.rows import Row, shown
from mindflood.data.tasks import Task
from mindflood.errors import UserError

# Nine digits: no task has more classes, and int() refuses thousands. Tables write 1 as 1.0.
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.0+)?")
_WRITTEN = re.compile(r"\+?(-?(?:0|[1-9][0-9]*))(?:\.0+)?")
_LISTED = 10  # names of classes in a message
_NUMBERLIKE = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def class_name(value: str | bool | int | float) -> str:
    """What a class is called by a label: 1, 1.0 and "1.0" are the same, so are true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value).strip()
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return text
    return "0" if found[1] == "-0" else found[1]


class Labelled(NamedTuple):
    """Rows of a part, and where they are from, as an error message names it."""

    origin: str
    rows: Sequence[Row]


class _Place(NamedTuple):
    """The first row that has a label."""

    origin: str
    row: Row

    def __str__(self) -> str:
        return f"{self.origin}, {self.row.place()}"


def label_values(
    task: Task, wanted: Labelled, others: Iterable[Labelled] = (), own_names: Sequence[str] = ()
) -> dict[str, int]:
    """Class of every label of ``wanted``.

    Where malformed rows are left out, so are labels without a meaning.

    Args:
        others: the other parts of the source. A number there counts as evidence; what has no
            meaning there, such as -1 where a label is hidden, does not.
        own_names: name of class 0, 1, ... of a model, which may also stand in the file. Where they
            are numbers, they tell what is counted from where nothing else does.

    Raises:
        UserError: a label has no meaning, or numbers have two; the message gives both.
    """
    named = _by_name(task, own_names)
    places = _first_places([wanted, *others])
    numbers = {
        number: place
        for label, place in places.items()
        if _called(label, named) is None and (number := _number(label)) is not None
    }
    unknown = [place for number, place in numbers.items()
               if not any(number in counted for counted in _countings(task))]  # fmt: skip
    if unknown and not task.skip_bad_rows:
        raise _unknown(task, unknown[0])
    numbers = {number: place for number, place in numbers.items() if place not in unknown}
    first = _first_label(task, numbers, own_names) if numbers else 0
    values = {}
    for label in {row.label for row in wanted.rows}:
        value, number = _called(label, named), _number(label)
        if value is None and number in numbers and number is not None:
            value = number - first
        if value is not None:
            values[label] = value
        elif not task.skip_bad_rows:
            raise _unknown(task, places[label])
    return values


def is_label(cell: str, task: Task, own_names: Collection[str] = ()) -> bool:
    """Whether a cell reads as a label: a number, or the name of a class."""
    return _NUMBERLIKE.fullmatch(cell.strip()) is not None or is_name(cell, task, own_names)


def is_name(cell: str, task: Task, own_names: Collection[str] = ()) -> bool:
    """Whether a cell is what a class is called."""
    names = {name.casefold() for name in (*task.label_names, *own_names)}
    return class_name(cell).casefold() in names


def expected_labels(task: Task, first: int | None = None) -> str:
    """``0 (negative), 1 (positive)``; of a user's own data the names alone.

    Args:
        first: what class 0 is called; None: the task's ``first_label``.
    """
    if task.own:
        more = len(task.label_names) - _LISTED
        return ", ".join(task.label_names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
    start = task.first_label if first is None else first
    return ", ".join(f"{number} ({name})" for number, name in enumerate(task.label_names, start))


def _by_name(task: Task, own_names: Sequence[str]) -> dict[str, int]:
    """Class of every name; a task's own meaning of a name comes first."""
    if task.own:
        return _exactly_or_nearly(task.label_names)
    own = _numbered(own_names)
    if not len(own) == len(own_names) == task.num_labels:  # others' classes, or a name twice
        own = {}
    names = {name: label for name, label in own.items() if _number(name) is None}
    return names | _numbered(task.label_names)


def _exactly_or_nearly(names: Sequence[str]) -> dict[str, int]:
    """Class of every name, and of its small letters where they are no other's."""
    small = [name.casefold() for name in names]
    nearly = {name: label for label, name in enumerate(small) if small.count(name) == 1}
    return nearly | {name: label for label, name in enumerate(names)}


def _called(label: str, named: Mapping[str, int]) -> int | None:
    name = class_name(label)
    return named.get(name, named.get(name.casefold()))


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name.strip().casefold(): label for label, name in enumerate(names)}


def _number(label: str) -> int | None:
    found = _NUMBER.fullmatch(label.strip())
    return None if found is None else int(found[1])


def _first_places(parts: Iterable[Labelled]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    for origin, rows in parts:
        for row in rows:
            if row.label not in places:
                places[row.label] = _Place(origin, row)
    return places


def _countings(task: Task) -> Iterator[range]:
    """The numbers of the classes, in each way to count that the task knows.

    Where a class is called by a number, a number is a name and counts nothing.
    """
    if any(_WRITTEN.fullmatch(name) for name in task.label_names):
        return
    for first in sorted({0, task.first_label}):
        yield range(first, first + task.num_labels)


def _first_label(task: Task, numbers: Mapping[int, _Place], own_names: Sequence[str]) -> int:
    """What class 0 is called where ``numbers`` occur."""
    fitting = [
        counted for counted in _countings(task) if all(number in counted for number in numbers)
    ]
    if len(fitting) > 1:
        own = [_number(name) for name in own_names]
        fitting = [counted for counted in fitting if own == list(counted)] or fitting
    if len(fitting) == 1:
        return fitting[0].start
    if not fitting:
        low, high = numbers[min(numbers)], numbers[max(numbers)]
        raise UserError(
            f"{high}: label {max(numbers)}, and {low}: label {min(numbers)}: the {task.num_labels} "
            f"labels of task {task.name} count from 0 or from {task.first_label}, and these do "
            f"both; count alike everywhere, or write names: {', '.join(task.label_names)}"
        )
    readings = " or ".join(
        f"from {counted.start} ({_meaning(task, numbers, counted)})" for counted in fitting
    )
    missing = " or ".join(map(str, sorted({*fitting[0]} ^ {*fitting[-1]})))
    raise UserError(
        f"{numbers[min(numbers)]}: the labels may count {readings}: no row has {missing}, "
        f"which would tell; write names in place of the numbers ({', '.join(task.label_names)}), "
        "or give a folder in whose files every class occurs"
    )


def _meaning(task: Task, numbers: Iterable[int], counted: range) -> str:
    return ", ".join(f"{n} = {task.label_names[n - counted.start]}" for n in sorted(numbers))


def unknown_label(task: Task, label: str) -> str:
    """What a message says of a label without a meaning."""
    expected = expected_labels(task)
    return f"label {shown(label)} is not one of task {task.name}'s: {expected}; correct it"


def _unknown(task: Task, place: _Place) -> UserError:
    return UserError(f"{place}: {unknown_label(task, place.row.label)}{REMEDY}")
