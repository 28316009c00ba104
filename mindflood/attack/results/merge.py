"""The shares of an attack, joined into the results and the card of the whole attack."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.chosen import SHARE_CARD, Share
from mindflood.attack.results.card import card_path, check_model, check_rows, check_task
from mindflood.attack.results.identity import (
    OF_THE_FOLDER,
    card_key,
    examples_fingerprint,
    summary_of,
)
from mindflood.attack.results.journal import Journal
from mindflood.cards.cards import Card, merge_attack, read_card, tested_on
from mindflood.cards.records import read_records
from mindflood.cards.schema import AttackSummary
from mindflood.config.recipes import RECIPES
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.files import check_writable, read_json, write_text

_META = ".meta.json"
Records = list[dict[str, Any]]


@dataclass(frozen=True)
class _Results:
    """One share's results of one attack."""

    folder: Path
    share: Share
    identity: dict[str, Any]
    records: Records


def merge_shares(folders: Sequence[str | Path], out: str | Path) -> dict[str, AttackSummary]:
    """Join shares into ``OUT/RECIPE.jsonl`` and the card, as the whole attack would have left them.

    Every attack that the folders hold is joined. The records are in the order of the data.

    Args:
        folders: the ``--out`` of every share.
        out: the folder of the whole attack; the ``attacks`` folder of a run fills the run's card.

    Returns:
        Key on the card → summary, as :func:`mindflood.attack.results.identity.summary_of` gives it.

    Raises:
        UserError: a folder holds no shares, or of another attack; a share is missing, unfinished or
            there twice; the texts are not those of the attack; the card is of another model.
            Nothing is written then.
    """
    out = Path(out)
    places = [Path(folder) for folder in folders]
    names = [_attacks_in(place) for place in places]
    for place, found in zip(places, names, strict=True):
        if found != names[0]:
            raise UserError(
                f"{place}: holds shares of {', '.join(found)}, and {places[0]} of "
                f"{', '.join(names[0])}; give the folders of one attack"
            )
    whole = {name: _joined([_read(place, name) for place in places]) for name in names[0]}
    card, (identity, _) = card_path(out), next(iter(whole.values()))
    check_task(card, identity["task"])
    check_model(card, identity["model"])
    check_writable(out)
    stranger = _card_of(places)
    if (tested := tested_on(stranger)) is not None:
        check_rows(card, out, tested, f"those of {places[0]}")
    summaries = {}
    for name, (identity, records) in whole.items():
        _write(out, name, identity, records)
        summary = summaries[card_key(identity)] = summary_of(records, identity)
        merge_attack(card, card_key(identity), summary, otherwise=stranger)
    return summaries


def _attacks_in(folder: Path) -> list[str]:
    found = sorted(path.name.removesuffix(_META) for path in folder.glob(f"*{_META}"))
    if not found:
        raise UserError(f"{folder}: no share of an attack there; give the --out of every share")
    return found


def _read(folder: Path, name: str) -> _Results:
    meta = folder / f"{name}{_META}"
    identity = read_json(meta)
    share = identity.get("shard") if isinstance(identity, dict) else None
    if not isinstance(share, str):
        raise UserError(f"{meta}: not a share, but a whole attack; give the --out of every share")
    return _Results(
        folder,
        Share.parse(share),
        identity | {"shard": None},
        read_records(folder / f"{name}.jsonl"),
    )


def _joined(parts: list[_Results]) -> tuple[dict[str, Any], Records]:
    """What the whole attack's identity is, and its records in the order of the data."""
    first = parts[0]
    for part in parts[1:]:
        _check_alike(first, part)
    by_number: dict[int, _Results] = {}
    for part in parts:
        twice = by_number.setdefault(part.share.number, part)
        if twice is not part:
            raise UserError(f"{part.folder}: holds share {part.share}, as {twice.folder} does")
    if missing := sorted(set(range(1, first.share.of + 1)) - set(by_number)):
        named = ", ".join(f"{number}/{first.share.of}" for number in missing)
        raise UserError(f"share {named} is missing; attack it with --shard and give its folder")
    for part in parts:
        _check_finished(part)
    records = sorted(
        (record for part in parts for record in part.records), key=lambda record: record["index"]
    )
    if _fingerprint(records) != first.identity["examples"]:
        folders = ", ".join(str(part.folder) for part in parts)
        raise UserError(
            f"{folders}: together these are not the samples of the attack, each once; attack the "
            "shares anew"
        )
    return first.identity, records


def _check_alike(first: _Results, other: _Results) -> None:
    if other.share.of != first.share.of:
        raise UserError(
            f"{other.folder}: holds share {other.share}, and {first.folder} {first.share}; give "
            "shares of one attack"
        )
    for key, value in first.identity.items():
        if other.identity.get(key) != value:
            raise UserError(
                f"{other.folder}: a share of another attack than {first.folder}: {key} is "
                f"{other.identity.get(key)!r}, there {value!r}; {_mend(key, first.identity)}"
            )


def _mend(key: str, identity: dict[str, Any]) -> str:
    if key == "calibration" and identity[key]:
        known = identity[key]["temperature"]
        return (
            "each share chose a temperature of its own; attack every share anew with one and the "
            f"same number, such as --temperature {known:g}"
        )
    if key not in ("fingerprint", "replaced"):
        return "give shares of one attack"
    recipe = RECIPES.get(identity["recipe"])
    if recipe and recipe.asks_masked_lm and identity["profile"] == "offline":
        return (
            "perhaps each machine made a masked language model of its own: make it once with "
            "'mindflood masked-lm', and attack every share anew with --masked-lm FOLDER"
        )
    return "give every machine the same packages ('mindflood doctor')"


def _check_finished(part: _Results) -> None:
    expected = len(part.share.rows(np.arange(part.identity["num_examples"])))
    if len(part.records) < expected:
        raise UserError(
            f"{part.folder}: share {part.share} is unfinished ({len(part.records)} of {expected} "
            "samples); its command, given again, continues it"
        )
    # The share that measures it does so last.
    if part.share.number == 1 and read_card(part.folder / SHARE_CARD)["clean_accuracy"] is None:
        raise UserError(
            f"{part.folder}: share {part.share} is unfinished (the model's clean accuracy is not "
            "measured); its command, given again, continues it"
        )


def _fingerprint(records: Records) -> str:
    texts = tuple(tuple(record["original"]) for record in records)
    return examples_fingerprint(Examples(texts, np.array([record["label"] for record in records])))


def _card_of(folders: Sequence[Path]) -> Card:
    """The shares' card of the model, without attacks: of the share that measured its accuracy."""
    cards = [read_card(folder / SHARE_CARD) for folder in folders]
    measured = [card for card in cards if card["clean_accuracy"] is not None]
    return {**(measured or cards)[0], "attacks": {}}


def _write(out: Path, name: str, identity: dict[str, Any], records: Records) -> None:
    with Journal(out, name, identity, OF_THE_FOLDER) as journal:
        if journal.records and journal.records != records:
            raise UserError(f"{journal.path}: holds results already; choose another --out")
        lines = (json.dumps(record, allow_nan=False) + "\n" for record in records)
        write_text(journal.path, "".join(lines))
