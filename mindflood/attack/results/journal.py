"""The results file of an attack: one line a sample, kept through kills, never mixed."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from mindflood.cards.records import Expected, read_records
from mindflood.data.own import recorded_task
from mindflood.errors import UserError
from mindflood.files import explained, read_json, write_json

# Older results lack these keys; the recipe's fingerprint tells what they do.
_YOUNG = ("candidates", "masked_lm")


class Journal:
    """``RECIPE.jsonl`` of one attack, opened to be continued.

    Args:
        folder: where the results go.
        recipe: name of the recipe.
        identity: everything that decides the outcome; kept in ``RECIPE.meta.json``. Results of
            another identity are refused.
        shared: the keys of ``identity`` in which all attacks of the folder must agree.
        expected: the samples that are attacked; None where they are not known.

    Raises:
        UserError: the folder holds results of another attack, a line is no record of one of its
            samples, another process is writing to it, or it cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        recipe: str,
        identity: dict[str, Any],
        shared: tuple[str, ...],
        expected: Expected | None = None,
    ) -> None:
        self._expected, self._classes = expected, recorded_task(identity).num_labels
        self.path = folder / f"{recipe}.jsonl"
        meta = folder / f"{recipe}.meta.json"
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        refuse_others(folder, recipe, identity, shared)
        if not meta.exists():
            if self.path.exists():
                raise UserError(
                    f"{self.path}: results of an attack that nothing describes ({meta.name} is "
                    "missing); choose another --out"
                )
            write_json(meta, identity)
        with explained(self.path):
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock()
        self._drop_torn_line()
        try:
            self.records = self.read()
        except UserError:
            os.close(self._file)
            raise

    def read(self) -> list[dict[str, Any]]:
        """The records on the disk.

        Raises:
            UserError: a line is no record of one of the samples.
        """
        return read_records(self.path, self._expected, self._classes)

    def append(self, record: dict[str, Any]) -> None:
        """Add one line; it is on the disk when this returns.

        Raises:
            UserError: the disk is full.
        """
        line = (json.dumps(record, allow_nan=False) + "\n").encode()
        with explained(self.path):
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
        self.records.append(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise UserError(
                f"{self.path}: another attack is writing to it; wait for it or choose another --out"
            ) from None
        except OSError:
            pass  # a file system without locks

    def _drop_torn_line(self) -> None:
        """A kill may have cut the last line short: its sample is attacked again."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            with explained(self.path):
                os.ftruncate(self._file, whole)


def refuse_others(
    folder: Path, recipe: str, known: dict[str, Any], shared: tuple[str, ...]
) -> None:
    """Check that a folder holds no results of another attack, as far as the identity is ``known``.

    Raises:
        UserError: it does; the first key of ``known`` that differs is named.
    """
    for other in sorted(folder.glob("*.meta.json")):
        same = tuple(known) if other.name == f"{recipe}.meta.json" else shared
        _refuse_other(other, known, tuple(key for key in same if key in known))


def _refuse_other(meta: Path, identity: dict[str, Any], keys: tuple[str, ...]) -> None:
    found = read_json(meta)
    for key in keys:
        if isinstance(found, dict) and key in _YOUNG and key not in found:
            continue
        if not isinstance(found, dict) or found.get(key) != identity[key]:
            theirs = found.get(key) if isinstance(found, dict) else found
            raise UserError(
                f"{meta.parent}: holds results of another attack ({meta.name}: {key} is "
                f"{theirs!r}, here {identity[key]!r}); choose another --out"
            )
