"""Whether a model tells the task's classes apart, and counts them as the task does."""

from collections.abc import Sequence
from pathlib import Path

from mindflood.data.labels import class_name
from mindflood.data.tasks import TASKS
from mindflood.errors import UserError
from mindflood.files import read_json

_SHORTEST = 3  # letters of a name cut short: POS, NEG


def check_label_count(folder: str, model: int, task: int) -> None:
    """Check that a model tells as many classes apart as a task has.

    Raises:
        UserError: it does not.
    """
    if model != task:
        raise UserError(
            f"{folder}: the model has {model} labels and the task has {task}; choose the task it "
            "was trained on"
        )


def check_label_order(folder: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Check that the classes of a model are those of the task, in its order.

    Names that no task has, such as LABEL_0, tell nothing and pass.

    Args:
        names, wanted: name of label 0, 1, ... of the model and of the task.

    Raises:
        UserError: they are the task's, in another order, or those of another task.
    """
    places = [place for name in names if (place := _place(name, wanted)) is not None]
    named = tuple(wanted) in {task.label_names for task in TASKS.values()}  # else it is own data
    if not places and named and (others := _tasks_of(names)):
        raise UserError(
            f"{folder}: its labels are {_listed(names)}, as those of task {', '.join(others)}; the "
            f"task's here are {_listed(wanted)}: give the --task that it was trained on, or mend "
            "the names under id2label in its config.json where it is they that are wrong"
        )
    if len(set(places)) < len(wanted) or places == sorted(places):
        return
    raise UserError(
        f"{folder}: its labels are {_listed(names)}, and the task's are {_listed(wanted)}; put the "
        "rows of its classification head into the task's order, or the names under id2label in its "
        "config.json where it is they that are wrong"
    )


def own_label_names(model: str) -> tuple[str, ...]:
    """What a model folder calls its classes 0, 1, ...; empty where it is not told, or a hub id."""
    config = Path(model) / "config.json"
    stated = read_json(config) if config.is_file() else None
    named = stated.get("id2label") if isinstance(stated, dict) else None
    if not isinstance(named, dict):
        return ()
    names = tuple(named.get(str(label)) for label in range(len(named)))
    return tuple(map(str, names)) if None not in names else ()


def matching_place(label: str, names: Sequence[str]) -> int | None:
    """Which class of a model's own ``names`` a label of some data is; None: none, or several.

    Either may be cut short or written in another way, unless it is a number.
    """
    called = class_name(label)
    exact = [place for place, name in enumerate(names) if class_name(name) == called]
    if exact:
        return exact[0]
    if not any(map(str.isalpha, called)):
        return None
    if (place := _place(called, names)) is not None:
        return place
    places = [place for place, name in enumerate(names) if _place(name, [called]) is not None]
    return places[0] if len(places) == 1 else None


def _place(name: str, wanted: Sequence[str]) -> int | None:
    """Where ``wanted`` has a name, written in another way or cut short; None: nowhere, or twice."""
    asked = _letters(name)
    known = [_letters(other) for other in wanted]
    if asked in known:
        return known.index(asked)
    places = [place for place, other in enumerate(known) if other.startswith(asked)]
    return places[0] if len(asked) >= _SHORTEST and len(places) == 1 else None


def _tasks_of(names: Sequence[str]) -> list[str]:
    """The known tasks whose labels all have these names."""
    return [
        task.name
        for task in TASKS.values()
        if {_place(name, task.label_names) for name in names} == set(range(task.num_labels))
    ]


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{label} = {name}" for label, name in enumerate(names))
