"""Which rows a run reads, kept in its folder as ``data.json``: another time they may be others."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

from mindflood.errors import UserError
from mindflood.files import read_json, user_path, write_json

RECORD = "data.json"
_PARTS = ("train", "evaluation", "test")
_ABOVE = 3  # an epoch's model lies in RUN/epochs/N/model


class RecordedRows(TypedDict):
    """One use of rows: of which split they are, from where, how many, and their fingerprint."""

    split: str
    source: str
    rows: int
    hash: str


Record = Mapping[str, RecordedRows]


def write_record(run: Path, record: Record) -> None:
    """Write the rows of ``train``, of each ``evaluation`` and of the clean accuracy, ``test``."""
    write_json(run / RECORD, record)


def read_record(run: Path) -> Record | None:
    """The record in a RUN folder; None where it has none, as older ones.

    Raises:
        UserError: it is damaged.
    """
    path = run / RECORD
    if not path.is_file():
        return None
    found = read_json(path)
    for part in _PARTS:
        entry = found.get(part) if isinstance(found, dict) else None
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(key), kind)
            for key, kind in (("split", str), ("source", str), ("rows", int), ("hash", str))
        ):
            raise UserError(
                f"{path}: '{part}' must be an object with split, source, rows and hash; restore "
                "the file, or delete it to go without this check"
            )
    return cast(Record, found)


def run_above(path: Path) -> Path | None:
    """The RUN folder with a record that ``path`` is or lies in; None where there is none."""
    path = user_path(path).resolve()
    above = [path, *path.parents][: _ABOVE + 1]
    return next((folder for folder in above if (folder / RECORD).is_file()), None)


def is_divided_file(record: Record, file: Path) -> bool:
    """Whether everything that a run reads is a share of one file, and it is this one."""
    return {entry["source"] for entry in record.values()} == {str(user_path(file).resolve())}


def described(entry: RecordedRows) -> str:
    """For instance ``300 rows of split test, reviews/test.csv (hash 0123456789abcdef)``."""
    return (
        f"{entry['rows']} rows of split {entry['split']}, {entry['source']} (hash {entry['hash']})"
    )
