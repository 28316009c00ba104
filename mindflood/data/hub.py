"""Data sets of the Hugging Face hub, without importing torch into this process."""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from mindflood.data.bad_rows import BadRows
from mindflood.data.choices import pairs_task, question_row, ranked_pairs
from mindflood.data.columns import lacks_column
from mindflood.data.json_lines import label_of, text_of
from mindflood.data.readers import POLARITY
from mindflood.data.rows import Row
from mindflood.data.tasks import HubSource, Task
from mindflood.errors import UserError

HIDDEN = "number -1"  # what stands in place of a label that is kept back


@contextlib.contextmanager
def _environment_for_datasets() -> Iterator[None]:
    """Let the package ``datasets``, which looks once at import, find no torch or TensorFlow.

    Nor the hub, where it does not answer.
    """
    wanted = {"USE_TORCH": "0", "USE_TF": "0", "USE_JAX": "0"}
    if not hub_answers():  # then its cache at once, without a minute of retries
        wanted["HF_HUB_OFFLINE"] = "1"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def switched_off_by() -> str | None:
    """The environment variable by which the user keeps everything from the hub, if there is one.

    Read as ``huggingface_hub`` reads it, which is not asked: it looks once, when it is imported,
    and :func:`_environment_for_datasets` has to come before that.
    """
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if value := os.environ.get(name):
            return name if value.upper() in ("1", "ON", "YES", "TRUE") else None
    return None


def hub_answers(seconds: float = 10) -> bool:
    """Whether the hub, or the mirror that stands for it, gives any answer at all."""
    if switched_off_by():
        return False
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=seconds)
    except (urllib.error.HTTPError, http.client.HTTPException):
        return True  # a refusal is an answer
    except (OSError, ValueError):
        return False
    return True


def hub_rows(task: Task, hub: HubSource, split: str, *, bad: BadRows) -> list[Row]:
    """Rows of a labelled split, downloaded or from the local cache.

    Args:
        split: what it is called there.
        bad: takes note of the malformed rows.

    Raises:
        UserError: the hub cannot be reached, or the data set there is another than expected.
    """
    if task.pairs_of is not None:
        paired = hub_rows(pairs_task(task), hub, split, bad=bad)
        return ranked_pairs(task, paired, hub.path, bad)
    table, origin = _loaded(task, hub, split), f"{described(hub)}, split {split}"
    rows = []
    if task.kind == "choice":
        for number, record in enumerate(table, start=1):
            try:
                rows.append(question_row(record, number, f"{origin}, row {number}"))
            except UserError as error:
                bad.add(str(error))
        return rows
    columns = [_column(task, hub, name, table.column_names)
               for name in (*task.text_columns, task.label_column)]  # fmt: skip
    *texts, labels = (table[column][:] for column in columns)
    names = _class_names(task, table.features[columns[-1]])
    for number, (cells, value) in enumerate(
        zip(zip(*texts, strict=True), labels, strict=True), start=1
    ):
        where = f"{origin}, row {number}"
        try:
            pairs = zip(cells, task.text_columns, strict=True)
            found = tuple(text_of(cell, column, where) for cell, column in pairs)
            rows.append(Row(number, found, _label(value, names, task, where)))
        except UserError as error:
            bad.add(str(error))
    return rows


def hub_splits(task: Task, hub: HubSource) -> list[str]:
    """What all splits of a data set are called there.

    Raises:
        UserError: as :func:`hub_rows`.
    """
    return list(_loaded(task, hub, None))


def described(hub: HubSource) -> str:
    """A data set as a message names it."""
    return f"{hub.path}{f'/{hub.config}' if hub.config else ''}"


def _loaded(task: Task, hub: HubSource, split: str | None) -> Any:
    with _environment_for_datasets():
        import datasets
    try:
        return datasets.load_dataset(hub.path, hub.config, split=split)
    # Not only OSError: an HTTP library's, pyarrow's and fsspec's errors pass through `datasets`.
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        remedy = "give the files" if task.own else "give a folder with the files: --data FOLDER"
        raise UserError(
            f"task {task.name}: cannot get '{described(hub)}' from the hub ({first_line[:200]}); "
            f"try again, or {remedy}"
        ) from error


def _column(task: Task, hub: HubSource, column: str, there: Sequence[str]) -> str:
    """What a column is called there: as in the table of tasks, or as in the benchmark's files."""
    for name in (column, *task.column_aliases.get(column, ())):
        if name in there:
            return name
    remedy = None if task.own else "use --data FOLDER"
    raise UserError(f"'{described(hub)}' on the hub: {lacks_column(column, there, task, remedy)}")


def _label(value: Any, names: Sequence[str], task: Task, where: str) -> str:
    """The name of a class, or what stands there in place of one.

    Raises:
        UserError: neither.
    """
    if (
        names
        and task.kind == "classification"
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
        return names[value] if value in range(len(names)) else f"number {value}"
    return label_of(value, task, where)


def _class_names(task: Task, feature: Any) -> tuple[str, ...]:
    """What the labels 0, 1, ... of a data set mean: what it says itself, where those are our names.

    The hub counts from 0 also where the benchmark's files do not. A user's own data set says it
    itself, or has its labels as they are to be called.
    """
    named = tuple(POLARITY.get(name, name) for name in getattr(feature, "names", None) or ())
    if task.own:
        return tuple(getattr(feature, "names", None) or ())
    known = {name.casefold() for name in task.label_names}
    return named if {name.casefold() for name in named} == known else task.label_names
