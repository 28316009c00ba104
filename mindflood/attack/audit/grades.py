"""The grades of a sheet: checked against its key and the attacks, counted, put on the cards."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mindflood.attack.audit.draw import key_path
from mindflood.attack.audit.sheet import GRADES, SheetRow, read_sheet, row_of
from mindflood.attack.results.finished import Attack, attacks_in, texts_digest
from mindflood.cards.cards import merge_audit, read_card
from mindflood.cards.schema import AuditSummary
from mindflood.errors import UserError
from mindflood.files import check_writable, read_json
from mindflood.report.numbers.validated import Audit


def put_on_cards(places: Sequence[str | Path], sheet: Path) -> list[tuple[Attack, AuditSummary]]:
    """Count a graded sheet and put an audit on the card of each of its attacks.

    Args:
        places: the attacks that the sheet was drawn from, as
            :func:`mindflood.attack.results.finished.attacks_in` takes them; others are left alone.

    Returns:
        Each attack with its audit, as the card holds it: ``graded, same, changed, unclear,
        english`` (counts), ``keeps_label``, ``still_english``, ``validated_accuracy`` (fractions),
        each with ``…_interval`` ([low, high], 95 %), ``sheet`` (the file's name) and ``grades``
        (their hash).

    Raises:
        UserError: a row or grade is missing, doubled, unknown or of another attack; a card does
            not hold the attack. No card is written then.
    """
    key = _read_key(key_path(sheet))
    rows = _by_name(read_sheet(sheet), key["rows"], sheet)
    attacks = _matched(key, attacks_in(places), key_path(sheet))
    for name, entry in key["rows"].items():
        _check_row(rows[name], attacks[entry["attack"]], entry, sheet)
    found = []
    for number, attack in enumerate(attacks):
        graded = [rows[name] for name, entry in key["rows"].items() if entry["attack"] == number]
        if graded:
            found.append((attack, _audit(attack, graded, sheet)))
    for attack, _ in found:
        check_writable(attack.card.parent)
    for attack, audit in found:
        merge_audit(attack.card, attack.key, audit)
    return found


def _read_key(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise UserError(
            f"{path}: no such file: the sheet's key, which was written beside it; put it back"
        )
    key: Any = read_json(path)
    try:
        number = len([(one["identity"]["task"], one["records"]) for one in key["attacks"]])
        fits = all(
            isinstance(entry["texts"], str)
            and isinstance(entry["index"], int)
            and entry["attack"] in range(number)
            for entry in key["rows"].values()
        )
    except (KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise UserError(f"{path}: not a sheet's key; put back the one that was drawn with it")
    found: dict[str, Any] = key
    return found


def _by_name(rows: Sequence[SheetRow], known: dict[str, Any], sheet: Path) -> dict[str, SheetRow]:
    """The graded rows under their names: each row of the key once, each with both grades."""
    found: dict[str, SheetRow] = {}
    for row in rows:
        if row.name not in known:
            raise UserError(
                f"{sheet}, line {row.line}: row '{row.name}' is none of this sheet's: its key "
                f"({key_path(sheet).name}) does not know it"
            )
        twin = found.setdefault(row.name, row)
        if twin is not row:
            raise UserError(
                f"{sheet}, lines {twin.line} and {row.line}: row {row.name} is there twice; "
                "delete one"
            )
    if missing := sorted(set(known) - set(found)):
        raise UserError(
            f"{sheet}: {len(missing)} of {len(known)} rows are missing ({missing[0]}, ...): a "
            "sample that loses rows is none; put them back and grade them"
        )
    for column in GRADES:
        bare = [row for row in rows if not getattr(row, column)]
        if bare:
            raise UserError(
                f"{sheet}, line {bare[0].line}, row {bare[0].name}: no grade in column "
                f"'{column}' ({len(bare)} of {len(known)} rows lack it): expected one of "
                f"{', '.join(GRADES[column])}"
            )
    return found


def _matched(key: dict[str, Any], attacks: Sequence[Attack], path: Path) -> list[Attack]:
    """The attacks in the order of the key."""
    found = []
    for wanted in key["attacks"]:
        identity = wanted["identity"]
        alike = [attack for attack in attacks if attack.identity == identity]
        same = [attack for attack in alike if attack.digest == wanted["records"]]
        if not same:
            raise UserError(_stranger(path, identity, alike, attacks))
        found.append(same[0])
    return found


def _stranger(
    path: Path, identity: dict[str, Any], alike: Sequence[Attack], given: Sequence[Attack]
) -> str:
    """Why an attack of the key is none of those that were given."""
    name = f"{identity['recipe']} ({identity.get('profile')}) on {identity['task']}"
    if alike:
        return (
            f"{alike[0].path}: its records are not those that the sheet was drawn from "
            f"({path.name}: {name}); draw and grade a sheet of the new ones"
        )
    model, fingerprint = identity.get("model"), identity.get("fingerprint")
    return (
        f"{path}: the grades are of another attack: {name} of model {model}, recipe's fingerprint "
        f"{fingerprint}, is none of {', '.join(str(one.path) for one in given)}; give the attacks "
        "that the sheet was drawn from"
    )


def _check_row(row: SheetRow, attack: Attack, entry: dict[str, Any], sheet: Path) -> None:
    record = attack.successes.get(entry["index"])
    if record is None or texts_digest(record) != entry["texts"]:
        raise UserError(
            f"{sheet}, row {row.name}: its success is not the one in {attack.path}; draw and grade "
            "a sheet of the attack as it is"
        )
    if row.words != row_of(row.name, record, attack.task).words:
        raise UserError(
            f"{sheet}, line {row.line}, row {row.name}: its texts are not those that were drawn: "
            "perhaps a column was sorted by itself, and the grades stand in the wrong rows"
        )


def _audit(attack: Attack, rows: Sequence[SheetRow], sheet: Path) -> AuditSummary:
    meaning = Counter(row.meaning for row in rows)
    results = Counter(record["result"] for record in attack.records)
    _check_card(attack, results)
    counted = Audit(
        attacked=results["skipped"] + results["succeeded"] + results["failed"],
        held=results["failed"],
        successes=results["succeeded"],
        same=meaning["same"],
        changed=meaning["changed"],
        unclear=meaning["unclear"],
        english=sum(row.english == "yes" for row in rows),
    )
    grades = "\n".join(sorted(f"{row.name} {row.meaning} {row.english}" for row in rows))
    of_sheet = {
        "sheet": sheet.name,
        "grades": hashlib.sha256(grades.encode()).hexdigest()[:16],
    }
    found: AuditSummary = {**counted.on_card(), **of_sheet}  # type: ignore[typeddict-item]
    return found


def _check_card(attack: Attack, results: Counter[str]) -> None:
    summary: Any = read_card(attack.card)["attacks"].get(attack.key)
    if summary is None:
        raise UserError(
            f"{attack.card}: there is no attack {attack.key}; its command, given again, puts it "
            "there"
        )
    for name in ("skipped", "succeeded", "failed"):
        if summary[name] != results[name]:
            raise UserError(
                f"{attack.card}: attacks.{attack.key}.{name} is {summary[name]}, and {attack.path} "
                f"has {results[name]}; the attack's command, given again, counts anew"
            )
