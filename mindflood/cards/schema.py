"""What a ``card.json`` has to look like, checked by hand so that the message names the key."""

import math
from pathlib import Path
from typing import Any

from mindflood.errors import UserError

PROFILES = ("paper", "offline")
LEVEL_SOURCES = ("fixed", "search", "accordance", "fallback")

_COUNT, _RATE, _AMOUNT = "a count (0 or more)", "a fraction between 0 and 1", "a number ≥ 0"
_SENTENCES, _BOUNDS = "a list of sentences", "two fractions between 0 and 1, the lower one first"
_CARD = {
    "task": "text",
    "method": "text",
    "seed": "null or a whole number",
    "encoder": "text",
    "flood_level": f"null or {_AMOUNT}",
    "flood_level_source": "null or text",
    "clean_accuracy": f"null or {_RATE}",
    "train_seconds": f"null or {_AMOUNT}",
    "seconds_per_epoch": f"null or {_AMOUNT}",
    "attacks": "an object",
    "versions": "an object",
}
_ATTACK = {
    **dict.fromkeys(
        ("num_examples", "skipped", "succeeded", "failed", "errors", "out_of_budget"), _COUNT
    ),
    "accuracy_under_attack": f"null or {_RATE}",
    "attack_success_rate": f"null or {_RATE}",
    "mean_queries": f"null or {_AMOUNT}",
    "seconds": _AMOUNT,
    "fingerprint": "text",
}
_OPTIONAL = {
    "requested": _COUNT,
    "seed": "null or a whole number",
    "audit": "an object",
    "columns": "text",
    "candidates": _COUNT,
    "masked_lm": "text",
    "calibration": "an object",
    "calibration_error": f"null or {_RATE}",
    "warnings": _SENTENCES,
    "untouched": _COUNT,
    "accuracy_under_attack_bounds": f"null or {_BOUNDS}",
    "attack_success_rate_bounds": f"null or {_BOUNDS}",
    "mean_queries_at_least": f"null or {_AMOUNT}",
}
_CALIBRATION = {"temperature": _AMOUNT, "source": "text"}
_AUDIT = {
    **dict.fromkeys(("graded", "same", "changed", "unclear", "english"), _COUNT),
    **dict.fromkeys(("keeps_label", "still_english", "validated_accuracy"), _RATE),
    "sheet": "text",
}
_EPOCH = {
    "epoch": _COUNT,
    "clean_accuracy": f"null or {_RATE}",
    "train_loss": f"null or {_AMOUNT}",
    "eval_loss": f"null or {_AMOUNT}",
    "attacks": "an object",
}
_NOISE = {
    "alpha": "a list of numbers",
    "loss": "a list of numbers",
    "accuracy": "a list of numbers",
    "num_examples": _COUNT,
    "draws": _COUNT,
    "seed": _COUNT,
}
_BALL = {
    "max_increment": "a number",
    "quartiles": "a list of numbers",
    "natural_loss": _AMOUNT,
    "radius": _AMOUNT,
    "num_examples": _COUNT,
    "steps": _COUNT,
    "restarts": _COUNT,
    "without_radius": _COUNT,
    "of_largest_radius": _COUNT,
}
_BALL_OPTIONAL = {"texts": "text"}  # older cards do not tell them
_GENERALISATION = {"in": "an object", "out": "a list"}
_MEASURED = {"task": "text", "accuracy": _RATE, "num_examples": _COUNT}
_TRANSFER = {"name": "text", "attacks": "an object"}
_TRANSFERRED = {
    "fingerprint": "text",
    **dict.fromkeys(("num_examples", "held", "fell"), _COUNT),
    "from": "an object",
}
_TRIED = {"tried": _COUNT, "fooled": _COUNT}
_DATA = {"train": f"null or {_COUNT}", "test": f"null or {_COUNT}", "words": f"null or {_AMOUNT}"}
_PROBED = {  # where gradient accordance gave a level
    "level": _AMOUNT,
    "lower": _AMOUNT,
    "upper": _AMOUNT,
    "epoch": _AMOUNT,
    "source": "text",
}
_PROBING = {
    "sub_epoch": _COUNT,
    "direction": "null or text",
    "steps_per_epoch": _COUNT,
    "probe_seconds": _AMOUNT,
    "first_pass_seconds": _AMOUNT,
}
_SEARCH = {"bounds": "an object", "candidates": "a list", "choose_on": "text"}
_CANDIDATE = {"train_seconds": _AMOUNT}
_LARGEST = 1e15  # no count, time or loss is above it: such a number is damage


def attack_key(recipe: str, profile: str, *, calibrated: bool = False) -> str:
    """Key of an attack in ``card["attacks"]``: ``RECIPE-PROFILE`` or ``…-calibrated``."""
    return f"{recipe}-{profile}" + ("-calibrated" if calibrated else "")


def split_attack_key(key: str) -> tuple[str, str]:
    """``(recipe, profile)`` of an attack's key; the profile keeps its ``-calibrated``.

    Raises:
        ValueError: the key does not end in a known profile.
    """
    stem = key.removesuffix("-calibrated")
    recipe, _, profile = stem.rpartition("-")
    if not recipe or profile not in PROFILES:
        raise ValueError(f"'{key}' is not RECIPE-PROFILE with a profile of {', '.join(PROFILES)}")
    return recipe, profile + key[len(stem) :]


def check_card(card: Any, path: Path) -> None:
    """Raise :class:`UserError` naming ``path`` and the first key that is wrong."""
    _check_object(card, _CARD, path, "")
    if "data" in card:
        _check_object(card["data"], _DATA, path, "data.")
        hashes = card["data"].get("hashes", {})
        _check_object(hashes, dict.fromkeys(hashes, "text"), path, "data.hashes.")
    if "settings" in card:
        _check_object(card["settings"], {}, path, "settings.")
    if "accordance" in card:
        _check_probed(card["accordance"], path, "accordance.")
    if "search" in card:
        _check_search(card["search"], path)
    optional = {"model": "text", "warnings": _SENTENCES}
    present = {name: kind for name, kind in optional.items() if name in card}
    _check_object(card, present, path, "")
    for name, version in card["versions"].items():
        _expect(isinstance(version, str), path, f"versions.{name}", "a version as text", version)
    source = card["flood_level_source"]
    _expect(
        source is None or source in LEVEL_SOURCES,
        path,
        "flood_level_source",
        f"null or one of {', '.join(LEVEL_SOURCES)}",
        source,
    )
    _check_attacks(card["attacks"], path, "")
    if "analyses" in card:
        _check_analyses(card["analyses"], path)
    epochs = card.get("epochs", [])
    _expect(isinstance(epochs, list), path, "epochs", "a list", epochs)
    for number, epoch in enumerate(epochs):
        prefix = f"epochs[{number}]."
        _check_object(epoch, _EPOCH, path, prefix)
        _check_attacks(epoch["attacks"], path, prefix)


def _check_attacks(attacks: dict[str, Any], path: Path, prefix: str) -> None:
    for key, summary in attacks.items():
        try:
            split_attack_key(key)
        except ValueError as error:
            raise UserError(f"{path}: key '{prefix}attacks': {error}") from None
        _check_object(summary, _ATTACK, path, f"{prefix}attacks.{key}.")
        replaced = summary.get("replaced", [])
        listed = isinstance(replaced, list | tuple) and all(
            isinstance(part, str) for part in replaced
        )
        where = f"{prefix}attacks.{key}.replaced"
        _expect(listed, path, where, "a list of texts", replaced)
        _check_object(summary, _present(_OPTIONAL, summary), path, f"{prefix}attacks.{key}.")
        if "calibration" in summary:
            where = f"{prefix}attacks.{key}.calibration."
            _check_object(summary["calibration"], _CALIBRATION, path, where)
        if "audit" in summary:
            _check_audit(summary, path, f"{prefix}attacks.{key}.audit.")


def _check_audit(summary: dict[str, Any], path: Path, where: str) -> None:
    audit = summary["audit"]
    _check_object(audit, _AUDIT, path, where)
    graded, read = audit["graded"], audit["same"] + audit["changed"] + audit["unclear"]
    _expect(0 < graded == read, path, f"{where}graded", "same + changed + unclear, above 0", graded)
    succeeded = summary["succeeded"]
    _expect(graded <= succeeded, path, f"{where}graded", f"at most {succeeded} succeeded", graded)
    english = audit["english"]
    _expect(english <= graded, path, f"{where}english", f"at most {graded} graded", english)


def _check_probed(found: Any, path: Path, prefix: str) -> None:
    """What the probe found and cost; a run that never crossed has no level."""
    _check_object(found, {}, path, prefix)
    wanted = _PROBED if "level" in found else {}
    _check_object(found, wanted | _present(_PROBING, found), path, prefix)


def _check_search(search: Any, path: Path) -> None:
    _check_object(search, {}, path, "search.")
    _check_object(search, _present(_SEARCH, search), path, "search.")
    _check_probed(search.get("bounds", {}), path, "search.bounds.")
    for number, candidate in enumerate(search.get("candidates", [])):
        _check_object(candidate, _CANDIDATE, path, f"search.candidates[{number}].")


def _present(kinds: dict[str, str], value: dict[str, Any]) -> dict[str, str]:
    return {name: kind for name, kind in kinds.items() if name in value}


def _check_analyses(analyses: Any, path: Path) -> None:
    _check_object(analyses, {}, path, "analyses.")
    if "noise" in analyses:
        noise = analyses["noise"]
        _check_object(noise, _NOISE, path, "analyses.noise.")
        sizes = {len(noise[name]) for name in ("alpha", "loss", "accuracy")}
        where, same = "analyses.noise.alpha", "as many numbers as loss and accuracy have"
        _expect(len(sizes) == 1, path, where, same, noise["alpha"])
        _check_warnings(noise, path, "analyses.noise.")
    _check_object(analyses.get("ball", {}), {}, path, "analyses.ball.")
    for reference, found in analyses.get("ball", {}).items():
        where = f"analyses.ball.{reference}."
        _check_object(found, _BALL, path, where)
        _check_object(found, _present(_BALL_OPTIONAL, found), path, where)
        _check_warnings(found, path, where)
        ends = found["quartiles"]
        _expect(len(ends) == 2, path, f"{where}quartiles", "two numbers", ends)
    if "transfer" in analyses:
        _check_transfer(analyses["transfer"], path)
    if "generalisation" in analyses:
        where = "analyses.generalisation."
        _check_object(analyses["generalisation"], _GENERALISATION, path, where)
        _check_warnings(analyses["generalisation"], path, where)
        _check_object(analyses["generalisation"]["in"], _MEASURED, path, f"{where}in.")
        for number, other in enumerate(analyses["generalisation"]["out"]):
            _check_object(other, _MEASURED, path, f"{where}out[{number}].")


def _check_transfer(transfer: Any, path: Path) -> None:
    _check_object(transfer, _TRANSFER, path, "analyses.transfer.")
    for key, found in transfer["attacks"].items():
        where = f"analyses.transfer.attacks.{key}."
        _check_object(found, _TRANSFERRED, path, where)
        held, fell = found["held"], found["fell"]
        _expect(fell <= held, path, f"{where}fell", f"at most {held} held", fell)
        most = found["num_examples"]
        _expect(held <= most, path, f"{where}held", f"at most {most} of num_examples", held)
        for source, tried in found["from"].items():
            _check_object(tried, _TRIED, path, f"{where}from.{source}.")
            fooled, of = tried["fooled"], tried["tried"]
            _expect(fooled <= of, path, f"{where}from.{source}.fooled", f"at most {of}", fooled)


def _check_warnings(value: dict[str, Any], path: Path, prefix: str) -> None:
    if "warnings" in value:
        _check_object(value, {"warnings": _SENTENCES}, path, prefix)


def _check_object(value: Any, fields: dict[str, str], path: Path, prefix: str) -> None:
    _expect(isinstance(value, dict), path, prefix.rstrip(".") or "card", "an object", value)
    for name, kind in fields.items():
        if name not in value:
            raise UserError(f"{path}: key '{prefix}{name}' is missing: expected {kind}")
        _expect(_is(value[name], kind), path, prefix + name, kind, value[name])


def _is(value: Any, kind: str) -> bool:
    if kind.startswith("null or "):
        return value is None or _is(value, kind.removeprefix("null or "))
    if kind == "text":
        return isinstance(value, str) and bool(value)
    if kind == "an object":
        return isinstance(value, dict)
    if kind == "a list":
        return isinstance(value, list)
    if kind == _BOUNDS:
        fractions = isinstance(value, list) and all(_is(one, _RATE) for one in value)
        return fractions and len(value) == 2 and value[0] <= value[1]
    if kind == _SENTENCES:
        return isinstance(value, list) and all(_is(one, "text") for one in value)
    if kind == "a list of numbers":
        return isinstance(value, list) and all(_is(one, "a number") for one in value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        return False
    if kind == "a number":
        return math.isfinite(value)
    if kind == "a whole number":
        return isinstance(value, int)
    if kind == "a count (0 or more)":
        return isinstance(value, int) and value >= 0
    if kind == "a fraction between 0 and 1":
        return 0 <= value <= 1
    return 0 <= value < float("inf")  # _AMOUNT


def _expect(holds: bool, path: Path, key: str, expected: str, found: Any) -> None:
    if not holds:
        raise UserError(f"{path}: key '{key}': expected {expected}, found {str(found)[:60]!r}")
