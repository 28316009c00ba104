"""Finished attacks, as their folders hold them: for audits and for transfers."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mindflood.attack.results.card import card_path
from mindflood.attack.results.identity import card_key
from mindflood.cards.records import Record, read_records
from mindflood.data.own import recorded_task
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json

_META = ".meta.json"


@dataclass(frozen=True)
class Attack:
    """A finished attack: its file of records, and what decided its outcome."""

    path: Path
    identity: dict[str, Any]
    records: tuple[Record, ...]

    @property
    def key(self) -> str:
        """The attack's key on its card."""
        return card_key(self.identity)

    @property
    def card(self) -> Path:
        """The card that holds the attack's summary."""
        return card_path(self.path.parent)

    @property
    def task(self) -> Task:
        """The task that was attacked."""
        return recorded_task(self.identity)

    @cached_property
    def successes(self) -> dict[int, Record]:
        """The records of the texts that fooled the model, by their row, ascending."""
        found = {one["index"]: one for one in self.records if one["result"] == "succeeded"}
        return dict(sorted(found.items()))

    @cached_property
    def digest(self) -> str:
        """Hash of what became of every text: 16 hexadecimal digits."""
        return _hash(
            [
                [record["index"], record["result"], *texts(record)]
                for record in sorted(self.records, key=lambda record: record["index"])
            ]
        )


def texts(record: Record) -> list[Any]:
    """Label, original and perturbed texts of a record."""
    return [record["label"], record["original"], record.get("perturbed")]


def texts_digest(record: Record) -> str:
    """Hash of a record's texts and label: 16 hexadecimal digits."""
    return _hash(texts(record))


def attacks_in(places: Sequence[str | Path]) -> list[Attack]:
    """The attacks of folders and files of records, each once.

    Args:
        places: RUN/attacks folders (all attacks in one), RUN folders, or single ``*.jsonl`` files.

    Raises:
        UserError: there is no attack, one is unfinished, a share, given twice, or broken.
    """
    found: dict[Path, Attack] = {}
    for place in places:
        for path in _files(Path(place)):
            found.setdefault(path.resolve(), _read(path))
    known: dict[tuple[str, str], Attack] = {}
    for attack in found.values():
        other = known.setdefault(
            (json.dumps(attack.identity, sort_keys=True), attack.digest), attack
        )
        if other is not attack:
            raise UserError(
                f"{attack.path}: the same attack as {other.path}; give each attack once"
            )
    return list(found.values())


def _files(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UserError(f"{place}: no such file or folder; give a RUN/attacks folder")
    if not any(place.glob(f"*{_META}")) and (place / "attacks").is_dir():
        place = place / "attacks"
    metas = sorted(place.glob(f"*{_META}"))
    if not metas:
        raise UserError(
            f"{place}: no attack there; give the --out of 'mindflood attack', or make one with it"
        )
    return [meta.with_name(meta.name.removesuffix(_META) + ".jsonl") for meta in metas]


def _read(path: Path) -> Attack:
    meta = path.with_name(path.name.removesuffix(".jsonl") + _META)
    if not path.is_file():
        raise UserError(f"{path}: no such file, though {meta.name} tells of the attack")
    if path.suffix != ".jsonl" or not meta.is_file():
        raise UserError(
            f"{path}: not the records of an attack: expected a file such as textfooler.jsonl with "
            "textfooler.meta.json beside it"
        )
    identity = _checked_identity(read_json(meta), meta)
    records = tuple(read_records(path))
    if len(records) < identity["num_examples"]:
        raise UserError(
            f"{path}: the attack is unfinished ({len(records)} of {identity['num_examples']} "
            "texts), and the first to end are not like the rest; its command, given again, "
            "continues it"
        )
    return Attack(path, identity, records)


def _checked_identity(identity: Any, meta: Path) -> dict[str, Any]:
    for key in ("task", "recipe", "profile", "fingerprint", "model", "num_examples"):
        if not isinstance(identity, dict) or key not in identity:
            raise UserError(f"{meta}: key '{key}' is missing; attack again into a new folder")
    if identity.get("shard") is not None:
        raise UserError(
            f"{meta}: share {identity['shard']} of an attack; join the shares with 'mindflood "
            "merge-attacks' and give the whole"
        )
    found: dict[str, Any] = identity
    return found


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
