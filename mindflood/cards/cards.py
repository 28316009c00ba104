"""Result cards: one ``card.json`` a run, read strictly and written whole."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from mindflood.cards.check import check_card
from mindflood.cards.schema import (
    Analyses,
    AttackSummary,
    AuditSummary,
    Card,
    Epoch,
    LevelSource,
    ProbeFindings,
)
from mindflood.errors import UserError
from mindflood.files import explained, read_json, write_json

FOLDS = "folds.json"  # marks a folder of auxiliary models
PACKAGES = (
    "mindflood",
    "mindspore",
    "mindnlp",
    "numpy",
    "pandas",
    "textattack",
    "torch",
    "transformers",
)


@dataclass(frozen=True)
class Run:
    """A folder that holds a card."""

    folder: Path
    card: Card


def new_card(
    *,
    task: str,
    method: str,
    seed: int | None,
    encoder: str,
    flood_level: float | None = None,
    flood_level_source: LevelSource | None = None,
) -> Card:
    """A card without results yet, with the installed versions filled in."""
    return {
        "task": task,
        "method": method,
        "seed": seed,
        "encoder": encoder,
        "flood_level": flood_level,
        "flood_level_source": flood_level_source,
        "clean_accuracy": None,
        "train_seconds": None,
        "seconds_per_epoch": None,
        "attacks": {},
        "versions": versions(),
    }


def probe_findings(card: Card) -> ProbeFindings:
    """What the card says of gradient accordance: of its own run, or of a search's first pass."""
    return card.get("accordance", {}) or card.get("search", {}).get("bounds", {})


def tested_on(card: Card) -> str | None:
    """Fingerprint of the rows that the model was tested on; older cards do not tell it."""
    sizes = card.get("data")
    return None if sizes is None else sizes.get("hashes", {}).get("test")


def versions() -> dict[str, str]:
    """Installed versions of the packages that a result depends on; none of them is imported."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def read_card(path: Path) -> Card:
    """Read and check a ``card.json``.

    Raises:
        UserError: it is missing, not JSON, or a key is missing or of the wrong kind.
    """
    card = read_json(path)
    check_card(card, path)
    return cast(Card, card)


def write_card(path: Path, card: Card) -> None:
    """Check ``card`` and write it, whole or not at all.

    Raises:
        UserError: a value is not what the schema says, or the folder cannot be written to.
    """
    check_card(card, path)
    write_json(path, card)


def find_cards(folder: Path) -> list[Path]:
    """Every ``card.json`` below ``folder``, sorted.

    Left out: folders that are still being written, the candidates of a run's grid search and the
    auxiliary models of AdaFlood, which were trained on other rows than the runs, and the models of
    a run's single epochs.

    Raises:
        UserError: the folder is missing or holds no card.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; give the folder that 'mindflood run' wrote")
    cards = sorted(
        path
        for path in folder.rglob("card.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not _is_part_of_a_run(path, folder)
    )
    if not cards:
        raise UserError(
            f"{folder}: no card.json in it or below; "
            "give a folder that 'mindflood run' or 'mindflood attack' wrote"
        )
    return cards


def _is_part_of_a_run(path: Path, folder: Path) -> bool:
    """Whether the card lies in ``search`` or ``epochs`` of a run, or among auxiliary models."""
    below = path.relative_to(folder).parents
    if any((folder / part / FOLDS).exists() for part in below):
        return True
    return any(
        part.name in ("search", "epochs") and (folder / part.parent / "config.yaml").exists()
        for part in below
    )


def find_runs(folder: Path) -> list[Run]:
    """Every card below ``folder`` with the folder it lies in.

    Raises:
        UserError: there is none, or one is not a card.
    """
    return [Run(path.parent, read_card(path)) for path in find_cards(folder)]


def merge_attack(
    path: Path, key: str, summary: AttackSummary, *, otherwise: Card | None = None
) -> Card:
    """Put one attack's summary into the card at ``path``; what else is in the card stays.

    So does an audit of the attack, as long as the attack's outcome is the one that was audited.

    Args:
        otherwise: the card to begin with where there is none yet.

    Raises:
        UserError: there is no card and no ``otherwise``, or either is not as the schema says.
    """
    with _locked(Path(path).parent):
        card = _card_at(path, otherwise)
        kept = _with_audit(summary, card["attacks"].get(key))
        merged: Card = {**card, "attacks": {**card["attacks"], key: kept}}
        write_card(path, merged)
    return merged


def merge_audit(path: Path, key: str, audit: AuditSummary) -> Card:
    """Put an audit's findings into the attack ``key`` of the card at ``path``; the rest stays.

    Raises:
        UserError: there is no card or no such attack on it, or a value is not as the schema says.
    """
    with _locked(Path(path).parent):
        card = read_card(path)
        if key not in card["attacks"]:
            raise UserError(f"{path}: there is no attack {key} to put an audit to")
        audited: AttackSummary = {**card["attacks"][key], "audit": audit}
        merged: Card = {**card, "attacks": {**card["attacks"], key: audited}}
        write_card(path, merged)
    return merged


def _with_audit(summary: AttackSummary, before: AttackSummary | None) -> AttackSummary:
    """The summary with the audit that is on the card, where that is of the same outcome."""
    counted = ("fingerprint", "skipped", "succeeded", "failed")
    if before is None or "audit" not in before or "audit" in summary:
        return summary
    if any(before.get(name) != summary.get(name) for name in counted):
        return summary
    return {**summary, "audit": before["audit"]}


def merge_accuracy(path: Path, accuracy: float) -> Card:
    """Put the clean accuracy, a fraction, into the card at ``path``; the rest of it stays.

    Raises:
        UserError: there is no card, or a value is not as the schema says.
    """
    with _locked(Path(path).parent):
        merged: Card = {**read_card(path), "clean_accuracy": accuracy}
        write_card(path, merged)
    return merged


def merge_warnings(path: Path, warnings: Sequence[str]) -> Card:
    """Add the warnings that the card at ``path`` does not have yet; the rest of it stays.

    Raises:
        UserError: there is no card, or a value is not as the schema says.
    """
    with _locked(Path(path).parent):
        card = read_card(path)
        known = dict.fromkeys((*card.get("warnings", ()), *warnings))
        merged: Card = {**card, "warnings": list(known)}
        write_card(path, merged)
    return merged


def merge_epochs(path: Path, epochs: list[Epoch]) -> Card:
    """Put the models of the single epochs into the card at ``path``; the rest of it stays.

    Raises:
        UserError: there is no card, or a value is not as the schema says.
    """
    with _locked(Path(path).parent):
        merged: Card = {**read_card(path), "epochs": epochs}
        write_card(path, merged)
    return merged


def merge_analysis(
    path: Path,
    kind: str,
    key: str | None,
    result: dict[str, Any],
    *,
    otherwise: Card | None = None,
) -> Card:
    """Put an analysis into the card at ``path``; the rest of it stays.

    Args:
        key: of the result among those of its kind, where there are several.
        otherwise: the card to begin with where there is none yet.

    Raises:
        UserError: there is no card and no ``otherwise``, or a value is not as the schema says.
    """
    with _locked(Path(path).parent):
        card = _card_at(path, otherwise)
        analyses: dict[str, Any] = {**card.get("analyses", {})}
        analyses[kind] = result if key is None else {**analyses.get(kind, {}), key: result}
        merged: Card = {**card, "analyses": cast(Analyses, analyses)}
        write_card(path, merged)
    return merged


def _card_at(path: Path, otherwise: Card | None) -> Card:
    return read_card(path) if otherwise is None or Path(path).exists() else otherwise


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two attacks on one run may end together: hold the folder while the card is rewritten."""
    import fcntl  # not on Windows, where reading cards still works

    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # network file systems without locks on folders
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
