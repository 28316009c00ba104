"""A user's own data set as a :class:`~mindflood.data.tasks.Task`: what its columns and classes are.

The classes are those that the user lists, in that order, or else those that the training data has,
sorted; a model that was trained elsewhere says itself in which order it has them.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mindflood.data.bad_rows import REMEDY, BadRows
from mindflood.data.class_names import matching_place
from mindflood.data.labels import class_name
from mindflood.data.parts import Part, parts_of
from mindflood.data.readers import format_of, read_rows
from mindflood.data.rows import shown
from mindflood.data.tasks import HubSource, Split, Task, get_task
from mindflood.errors import UserError

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?")
_MOST_CLASSES = 1000  # where nobody has listed them
_FEW_ROWS = 20
_PLAIN = {"train", "dev", "validation", "valid", "val", "test", "data", "all"}  # tell nothing
_UNNAMED = "own data"
_NO_LABEL = "\0"


def own_task(
    text: Sequence[str],
    label: str,
    labels: Sequence[str] = (),
    *,
    name: str = "",
    files: Mapping[Split, str] | None = None,
    hub: str | None = None,
    skip_bad_rows: bool = False,
) -> Task:
    """A task of the user's own.

    Args:
        text: names of one column, or of two for pairs.
        label: name of the column of the classes.
        labels: name of class 0, 1, ...; none: not known yet (:func:`training_labels`,
            :func:`with_model_labels`).
        name: what cards and tables call it; none: after where its data is.
        files: of the splits.
        hub: ``org/name`` or ``org/name:config``.

    Raises:
        UserError: a column is named twice, or a class, or there is only one.
    """
    check_columns(text, label)
    return Task(
        name=name or data_name(hub, *(files or {}).values()),
        text_columns=tuple(text),
        label_names=checked_labels(labels),
        attacked_split="test",
        label_column=label,
        hub=None if hub is None else _hub(hub),
        first_label=1,  # as stars do; from 0 where the data does
        own=True,
        own_files=files or {},
        skip_bad_rows=skip_bad_rows,
    )


def check_columns(text: Sequence[str], label: str) -> None:
    """Check that texts and label are columns of their own.

    Raises:
        UserError: one column is two of them.
    """
    if len(text) not in (1, 2):
        raise UserError(f"text: expected one column or two for pairs, not {len(text)}")
    for column in text:
        if list(text).count(column) > 1:
            raise UserError(f"text: column '{column}' is named twice; name two different ones")
    if label in text:
        raise UserError(
            f"label: column '{label}' is named as a text too; name the column of the classes"
        )


def checked_labels(labels: Sequence[Any]) -> tuple[str, ...]:
    """Names of classes, as the project spells them: 1.0 as 1.

    Raises:
        UserError: there is only one, or one is there twice or is empty.
    """
    names = tuple(map(class_name, labels))
    for name in names:
        if not name:
            raise UserError("labels: one of them is empty; name every class")
        if names.count(name) > 1:
            raise UserError(f"labels: '{name}' is there twice; name every class once")
    if len(names) == 1:
        raise UserError(f"labels: '{names[0]}' alone; a classifier tells at least two apart")
    return names


def data_name(*places: str | None) -> str:
    """What a data set is called, after where it lies: ``reviews`` of ``data/reviews/train.csv.gz``.

    Args:
        places: files, folders or ids on the hub; the first whose name tells something counts.
    """
    for place in filter(None, places):
        parts = [part.split(":")[0].split(".")[0] for part in Path(place).absolute().parts[::-1]]
        for part in parts[:2]:
            if part.strip() and part.casefold() not in _PLAIN:
                return part
    return _UNNAMED


def training_labels(task: Task, data: str | None = None) -> tuple[str, ...]:
    """The classes of the training data, sorted; numbers by their size.

    Args:
        data: in place of what the task itself names, as :class:`mindflood.data.sources.Source`
            takes it.

    Raises:
        UserError: there is one class alone, or hardly a class; or the data cannot be read.
    """
    parts = parts_of(task, data)
    part = next(parts[name] for name in ("train", "all", "dev", "test") if name in parts)
    names = _names(part, task)
    rows = len(part.read())
    if not rows:
        raise UserError(f"{part.origin}: no examples of {task.name}; add some")
    if len(names) < 2:
        raise UserError(
            f"{part.origin}: all {rows} rows have the label {shown(names[0])} in column "
            f"'{task.label_column}'; a classifier needs rows of at least two classes"
        )
    if len(names) > _MOST_CLASSES or len(names) == rows >= _FEW_ROWS:
        raise UserError(
            f"{part.origin}: column '{task.label_column}' has {len(names)} different labels in "
            f"{rows} rows; name the column of the classes, or list them under labels"
        )
    small = {name.casefold(): name for name in names}
    if twin := next((name for name in names if small[name.casefold()] != name), None):
        raise UserError(
            f"{part.origin}: the labels {shown(twin)} and {shown(small[twin.casefold()])} differ "
            "in capitals alone; write them alike, or list both under labels"
        )
    return names


def with_model_labels(task: Task, model: str, own_names: Sequence[str], data: str | None) -> Task:
    """A task whose classes are those of a model, under the names that the data has for them.

    Args:
        model: as messages name it.
        own_names: name of class 0, 1, ... of the model; none: it does not say.

    Raises:
        UserError: the data has other classes.
    """
    remedy = "list the data's labels in the order of the model's classes: --labels"
    parts = parts_of(task, data)
    found = dict.fromkeys(name for part in parts.values() for name in _names(part, task))
    if not own_names:
        raise UserError(f"{model}: does not say what it calls its classes; {remedy}")
    named = list(map(class_name, own_names))
    for label in found:
        if (place := matching_place(label, own_names)) is not None:
            named[place] = label
    counted = all(map(str.isdigit, found)) and not any(map(str.isdigit, named))
    part, row = next(
        (
            (part, row)
            for part in parts.values()
            for row in part.read()
            if class_name(row.label) not in named
        ),
        (None, None),
    )
    if counted or row is None or part is None or task.skip_bad_rows:
        return dataclasses.replace(task, label_names=checked_labels(named))
    raise UserError(
        f"{part.origin}, {row.place()}: label {shown(row.label)} is none of the classes of "
        f"{model} ({', '.join(own_names)}); {remedy}"
    )


def texts_of(
    path: Path, text: Sequence[str], *, skip_bad_rows: bool = False
) -> list[tuple[str, ...]]:
    """The texts of a file, one tuple of 1 or 2 strings a row, without labels.

    Raises:
        UserError: as :func:`mindflood.data.readers.read_rows`; or there are none.
    """
    task = own_task(text, _NO_LABEL, skip_bad_rows=skip_bad_rows, name=path.name)
    task = dataclasses.replace(task, label_column=text[0])  # whose every cell is a label
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a file of texts")
    bad = BadRows(task, path)
    found = [row.texts for row in read_rows(path, format_of(path, task), task, bad=bad)]
    bad.told()
    if not found:
        raise UserError(f"{path}: no row; add some")
    return found


def own_record(task: Task) -> dict[str, Any] | None:
    """What the files of a result keep of a user's own task; None of a named one."""
    if not task.own:
        return None
    return {
        "text": list(task.text_columns),
        "label": task.label_column,
        "labels": list(task.label_names),
    }


def recorded_task(result: Mapping[str, Any]) -> Task:
    """The task of a result, whose ``task`` is its name and ``own_data`` :func:`own_record`'s.

    The task of a user's own comes without its data.

    Raises:
        UserError: the record is damaged, or none is there and no named task is called so.
    """
    name, record = result["task"], result.get("own_data")
    if record is None:
        return get_task(name)
    try:
        return own_task(record["text"], record["label"], record["labels"], name=name)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"own_data of task '{name}' is damaged ({error!r})") from None


def _names(part: Part, task: Task) -> tuple[str, ...]:
    """The different labels of a part, sorted.

    Raises:
        UserError: a row has none.
    """
    found = set()
    for row in part.read():
        if not row.label.strip() and not task.skip_bad_rows:
            raise UserError(
                f"{part.origin}, {row.place()}: the label is empty; name a class{REMEDY}"
            )
        found.add(class_name(row.label))
    return tuple(sorted(filter(None, found), key=_order))


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers come first, by their size."""
    number = _NUMBER.fullmatch(name) is not None
    return not number, float(name) if number else 0.0, name


def _hub(word: str) -> HubSource:
    path, _, config = word.partition(":")
    if path.count("/") > 1 or not path.strip("/"):
        raise UserError(f"hub: {word!r}: expected org/name or org/name:config")
    return HubSource(path, config or None, {})
