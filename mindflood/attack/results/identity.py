"""What decides the outcome of an attack, and what the card says of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from mindflood.attack.chosen import ChosenRows
from mindflood.attack.results.metrics import summarise
from mindflood.attack.victim.calibration import Calibration, calibration_error
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.attack_key import CALIBRATED, AttackKey
from mindflood.cards.degenerate import signs_of_degeneracy
from mindflood.cards.schema import AttackSummary
from mindflood.config.attack import AttackSettings
from mindflood.config.recipes import RECIPES
from mindflood.data.own import recorded_task
from mindflood.data.sources import Examples

OF_THE_FOLDER = ("model", "task", "shard")  # all attacks of one folder agree in these
# Of what decides an attack, what the card tells where the attack has it; its key tells the rest.
_ON_CARD = ("columns", "calibration", "max_queries", "max_seconds", "candidates", "masked_lm")
BEFORE = "before the attack "  # begins what the attacked sample tells of the victim


def results_name(recipe: str, *, calibrated: bool) -> str:
    """What the files of an attack's results are called, without their ending."""
    return f"{recipe}{CALIBRATED}" if calibrated else recipe


def identity_of(
    attacker: Any, sample: ChosenRows, calibration: Calibration | None
) -> dict[str, Any]:
    """Everything that decides the outcome of an attack, as ``RECIPE.meta.json`` keeps it.

    Args:
        attacker: a :class:`mindflood.attack.driver.sample.SampleAttacker`.
    """
    settings, entry = attacker.settings, RECIPES[attacker.settings.recipe]
    asked = settings.masked_lm if entry.asks_masked_lm else None
    return {
        **settings_of(settings, sample),
        "model": attacker.victim.fingerprint,
        "replaced": list(attacker.recipe.replaced_components),
        "masked_lm": None if asked is None else model_fingerprint(Path(asked)),
        "calibration": None if calibration is None else dataclasses.asdict(calibration),
        "examples": examples_fingerprint(sample.examples),
        "fingerprint": settings.fingerprint(attacker.recipe.fingerprint),
    }


def settings_of(settings: AttackSettings, sample: ChosenRows) -> dict[str, Any]:
    """The part of :func:`identity_of` that the user has set, and that no model is needed for."""
    return settings.deciding() | {
        "split": sample.split,
        "num_examples": len(sample.rows),
        "shard": None if sample.share is None else str(sample.share),
    }


def tells_of(summary: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a card's summary is of the whole attack that is asked for, as far as it tells.

    Args:
        wanted: :meth:`~mindflood.config.attack.AttackSettings.deciding`.
    """
    found = {"columns": wanted["columns"] and "both"} | dict(summary)  # cards told none once
    same = {key: wanted[key] for key in ("seed", *_ON_CARD) if key in wanted}
    whole = found.get("requested") == found.get("num_examples") == wanted["num_examples"]
    return whole and all(found.get(key) == value for key, value in same.items())


def file_name(identity: Mapping[str, Any]) -> str:
    """What the files of an attack's results are called, without their ending."""
    return results_name(identity["recipe"], calibrated=identity["calibration"] is not None)


def card_key(identity: Mapping[str, Any]) -> str:
    """The key of an attack on the card."""
    calibrated = identity.get("calibration") is not None
    return str(AttackKey(identity["recipe"], identity["profile"], calibrated))


def examples_fingerprint(examples: Examples) -> str:
    """Hash of the texts and labels, in their order: 16 hexadecimal digits."""
    return examples.fingerprint()


def summary_of(records: Sequence[Mapping[str, Any]], identity: Mapping[str, Any]) -> AttackSummary:
    """What the card says of an attack.

    Args:
        identity: what decided the outcome, as ``RECIPE.meta.json`` keeps it.

    Returns:
        :func:`~mindflood.attack.results.metrics.summarise` with ``fingerprint``, ``replaced``,
        ``seed``, ``requested`` (number of samples a finished attack has), ``calibration_error``
        (of the victim on the attacked texts, 15 bins) and, where there are such, ``columns`` (of
        a pair, that may change), ``calibration`` (of the victim), ``max_queries``, ``max_seconds``,
        ``candidates`` (K of BERT-Attack), ``masked_lm`` (fingerprint of the language model) and
        ``warnings`` (what the victim's predictions before the attack tell of it).
    """
    warnings = degeneracy(records, recorded_task(identity).label_names)
    summary: AttackSummary = {
        **summarise(records),
        "fingerprint": identity["fingerprint"],
        "replaced": identity["replaced"],
        "seed": identity["seed"],
        "requested": identity["num_examples"],
        "calibration_error": calibration_error(records),
    }
    told = {key: identity[key] for key in _ON_CARD if identity.get(key) is not None}
    doubts = {"warnings": warnings} if warnings else {}
    return cast(AttackSummary, {**summary, **told, **doubts})


def degeneracy(records: Sequence[Mapping[str, Any]], label_names: Sequence[str]) -> list[str]:
    """Signs that the victim is no classifier of the task, before any attack; most often none."""
    known = [one for one in records if one.get("original_prediction") is not None]
    predictions, labels = (
        np.array([one[key] for one in known], int) for key in ("original_prediction", "label")
    )
    found = signs_of_degeneracy(predictions, labels, label_names)
    return [f"{BEFORE}{sign}" for sign in found]
