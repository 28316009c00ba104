"""The card that an attack's summary goes into, and whose model it tells of."""

from pathlib import Path

from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import Card, new_card, read_card, tested_on
from mindflood.cards.schema import DataSizes
from mindflood.config.load import from_yaml
from mindflood.data.record import described, read_record, run_above
from mindflood.data.sources import Examples
from mindflood.data.tasks import TASKS, Task
from mindflood.errors import UserError

_ANOTHER_OUT = "choose another --out, whose card has a line of its own"
_STRANGER = "unknown"  # the method of a model that was not trained here


def card_path(out: Path) -> Path:
    """The run's card where ``out`` is its ``attacks`` folder, else a card in ``out``."""
    of_run = out.resolve().parent / "card.json"
    return of_run if out.resolve().name == "attacks" and of_run.exists() else out / "card.json"


def check_task(path: Path, task: str) -> None:
    """Check that a card, where there is one, is of ``task``.

    Raises:
        UserError: it is of another.
    """
    if path.exists() and (found := read_card(path)["task"]) != task:
        raise UserError(f"{path}: a card of task '{found}', not '{task}'; choose another --out")


def check_origin(model: str, task: Task) -> None:
    """Check that the export of a run is attacked as a task whose labels and texts its own has.

    Raises:
        UserError: it was trained to tell other labels apart, or to read another number of texts.
    """
    run = Path(model).parent
    if Path(model).name != "model" or not (run / "card.json").is_file():
        return
    if (run / "config.yaml").is_file():
        own: Task | None = from_yaml(run / "config.yaml").task.as_task
    else:
        own = TASKS.get(read_card(run / "card.json")["task"])
    if own is None or _told_apart(own) == _told_apart(task):
        return
    raise UserError(
        f"{model}: was trained on task {own.name}, which tells {', '.join(own.label_names)} apart "
        f"in {len(own.text_columns)} text(s); --task {task.name} tells "
        f"{', '.join(task.label_names)} apart in {len(task.text_columns)}"
    )


def _told_apart(task: Task) -> tuple[list[str], int]:
    return [name.casefold() for name in task.label_names], len(task.text_columns)


def check_model(path: Path, fingerprint: str) -> None:
    """Check that a card, where there is one, tells of the model of ``fingerprint``.

    A run's card tells of its export, ``RUN/model``; any other names its model's fingerprint.

    Raises:
        UserError: it tells of another model, or of a run without an export.
    """
    if not path.exists():
        return
    card, export = read_card(path), path.parent / "model"
    if card["method"] == _STRANGER:
        theirs = card.get("model", fingerprint)  # cards named no model once
    elif (export / "config.json").is_file():
        theirs = model_fingerprint(export)
    else:
        raise UserError(
            f"{path}: the card of a run, and its model is not in {export}; export it there with "
            "'mindflood export', or choose another --out"
        )
    if theirs != fingerprint:
        raise UserError(
            f"{path}: the card of another model (fingerprint {theirs}, here {fingerprint}); "
            "choose another --out"
        )


def check_rows(
    path: Path, out: Path, fingerprint: str, origin: str, remedy: str = _ANOTHER_OUT
) -> None:
    """Check that the rows attacked are those that the model of a card was tested on.

    Args:
        out: where the attack goes: the ``attacks`` folder of a run or of one of its epochs belongs
            to the rows of the run.
        fingerprint: of all rows of the split, of which a sample may be attacked.
        origin: where they are from.
        remedy: what to do about others.

    Raises:
        UserError: they are others: one line of a table would be of two data sets.
    """
    known = tested_on(read_card(path)) if path.exists() else None
    run = run_above(out) if out.resolve().name == "attacks" else None
    record = None if run is None else read_record(run)
    if known is None and record is not None:
        known = record["test"]["hash"]
    if known in (None, fingerprint):
        return
    tested = f"its test rows (hash {known})"
    if record is not None and record["test"]["hash"] == known:
        tested = described(record["test"])
    raise UserError(
        f"{path}: the model was tested on {tested}, and these are others: {origin} (hash "
        f"{fingerprint} of all); restore the data, or {remedy}"
    )


def check_name(path: Path, name: str | None) -> None:
    """Check that a card, where there is one, calls its model ``name``, where one is given.

    Raises:
        UserError: it has another name, or is of a run, which its config names.
    """
    if name is None or not path.exists():
        return
    card = read_card(path)
    if card["method"] != _STRANGER:
        raise UserError(
            f"--name {name}: {path} is the card of a run, which 'name' of its config names; "
            "leave it out"
        )
    if card["encoder"] != name:
        raise UserError(f"--name {name}: {path} calls it '{card['encoder']}'; {_ANOTHER_OUT}")


def card_of_stranger(task: str, name: str, fingerprint: str, rows: Examples) -> Card:
    """The card of a model that was not trained here.

    Args:
        name: what tables call it.
        rows: what it is tested on.
    """
    card = new_card(task=task, method=_STRANGER, seed=None, encoder=name)
    hashes = {"test": rows.fingerprint()}
    data: DataSizes = {"train": None, "test": len(rows), "words": None, "hashes": hashes}
    return {**card, "model": fingerprint, "data": data}


def lacks_accuracy(path: Path) -> bool:
    """Whether a card is of a model that was not trained here and has not been measured yet."""
    card = read_card(path)
    return card["method"] == _STRANGER and card["clean_accuracy"] is None
