"""Data sets of the Hugging Face hub, without importing torch into this process."""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from mindflood.data.choices import question_row, ranked_pairs
from mindflood.data.readers import POLARITY
from mindflood.data.rows import Row
from mindflood.data.tasks import HubSource, Task, get_task
from mindflood.errors import UserError


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


def hub_rows(task: Task, hub: HubSource, split: str) -> list[Row]:
    """Rows of a labelled split of ``hub.splits``, downloaded or from the local cache.

    Raises:
        UserError: the hub cannot be reached, or the data set there is another than expected.
    """
    if task.pairs_of is not None:
        return ranked_pairs(task, hub_rows(get_task(task.pairs_of), hub, split), hub.path)
    with _environment_for_datasets():
        import datasets
    label = f"{hub.path}{f'/{hub.config}' if hub.config else ''}"
    try:
        table = datasets.load_dataset(hub.path, hub.config, split=hub.splits[split])
    # Not only OSError: an HTTP library's, pyarrow's and fsspec's errors pass through `datasets`.
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"task {task.name}: cannot get '{label}' from the hub ({first_line[:200]}); try again, "
            "or give a folder with the files: --data FOLDER"
        ) from error
    if task.kind == "choice":
        return [
            question_row(record, number, f"{label}, split {hub.splits[split]}, row {number}")
            for number, record in enumerate(table, start=1)
        ]
    aliases = task.column_aliases.get(task.label_column, ())
    named = [name for name in (task.label_column, *aliases) if name in table.column_names]
    columns = (*task.text_columns, *(named[:1] or [task.label_column]))
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise UserError(
            f"task {task.name}: '{label}' on the hub has no column '{missing[0]}'; there are "
            f"{', '.join(table.column_names)}; use --data FOLDER"
        )
    *texts, labels = (table[column][:] for column in columns)
    if task.kind == "regression":
        cells = zip(zip(*texts, strict=True), labels, strict=True)
        return [Row(number, row, repr(float(value)))
                for number, (row, value) in enumerate(cells, start=1)]  # fmt: skip
    names = _class_names(task, table.features[columns[-1]])
    return [
        Row(number, row, names[value] if value in range(len(names)) else f"number {value}")
        for number, (row, value) in enumerate(
            zip(zip(*texts, strict=True), labels, strict=True), start=1
        )
    ]


def _class_names(task: Task, feature: Any) -> tuple[str, ...]:
    """What the labels 0, 1, ... of a data set mean: what it says itself, where those are our names.

    The hub counts from 0 also where the benchmark's files do not.
    """
    named = tuple(POLARITY.get(name, name) for name in getattr(feature, "names", None) or ())
    known = {name.casefold() for name in task.label_names}
    return named if {name.casefold() for name in named} == known else task.label_names
