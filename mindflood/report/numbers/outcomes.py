"""What became of each attacked text of one model: who kept which, text by text or as counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import AttackSummary, Run
from mindflood.cards.rates import undecided
from mindflood.cards.records import Record, read_records
from mindflood.files import read_json
from mindflood.report.numbers.validated import Audit
from mindflood.stored import is_stored

Text = tuple[int, tuple[str, ...]]  # row and texts
Outcome = Literal["kept", "broken", "wrong", "undecided", "untouched"]
_OUTCOMES: dict[str, Outcome] = {
    "failed": "kept",
    "succeeded": "broken",
    "skipped": "wrong",
    "error": "undecided",
    "out_of_budget": "undecided",
    "untouched": "untouched",
}
_COUNTED = {  # the card's key of each result
    "skipped": "skipped",
    "succeeded": "succeeded",
    "failed": "failed",
    "error": "errors",
    "out_of_budget": "out_of_budget",
    "untouched": "untouched",
}


@dataclass(frozen=True)
class Attempt:
    """One model (one seed) under one attack.

    Attributes:
        kept: texts that are still classified right after the attack.
        undecided: texts whose attack raised an error or ran out of its budget.
        total: all attacked texts, untouched ones too.
        texts: what became of each; None where no records are there that fit the card.
        audit: what people found who read its successes; None where nobody did.
    """

    kept: int
    undecided: int
    total: int
    texts: Mapping[Text, Outcome] | None = None
    audit: Audit | None = None


def attempt(run: Run, key: str) -> Attempt:
    """The attack ``key`` of a run's card, with its records where they are beside the card.

    Raises:
        UserError: a line of the records is no record of an attack.
    """
    summary = run.card["attacks"][key]
    return Attempt(
        summary["failed"],
        undecided(summary),
        summary["num_examples"],
        _texts(run, key, summary),
        Audit.of_card(summary),
    )


def _texts(run: Run, key: str, summary: AttackSummary) -> dict[Text, Outcome] | None:
    path = _records_of(run, key)
    if path is None or _fingerprint(path) != summary["fingerprint"]:
        return None
    records = read_records(path)
    if _counts(records) != {name: summary.get(name, 0) for name in _COUNTED.values()}:
        return None  # attacked anew since, or merged from other folders
    return {(one["index"], tuple(one["original"])): _OUTCOMES[one["result"]] for one in records}


def _records_of(run: Run, key: str) -> Path | None:
    """Where ``mindflood run`` leaves an attack's records, or ``mindflood attack --out``."""
    name = AttackKey.parse(key).stem
    places = (run.folder / "attacks" / f"{name}.jsonl", run.folder / f"{name}.jsonl")
    return next(filter(is_stored, places), None)


def _fingerprint(records: Path) -> object:
    described = records.with_suffix(".meta.json")
    found = read_json(described) if described.is_file() else None
    return found.get("fingerprint") if isinstance(found, dict) else None


def _counts(records: list[Record]) -> dict[str, int]:
    results = [one["result"] for one in records]
    return {name: results.count(result) for result, name in _COUNTED.items()}
