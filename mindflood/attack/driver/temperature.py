"""Choosing the temperature of a calibrated victim on held-out rows, and keeping the choice."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.driver.side_by_side import Sample, attack_here
from mindflood.attack.driver.workers import attack_in_workers
from mindflood.attack.held_out import HeldOut
from mindflood.attack.results.identity import examples_fingerprint, results_name
from mindflood.attack.victim.calibration import Calibration, fit_temperature, rounded
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import AttackSettings
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.files import read_json, write_json
from mindflood.terminal import tell

FACTORS = (1 / 16, 1 / 4, 1.0, 4.0, 16.0)  # of the fitted temperature
WEAKEST_ROWS = 50


def calibrated(
    settings: AttackSettings, held_out: HeldOut | None, out: Path
) -> tuple[AttackSettings, Calibration]:
    """The settings of an attack on the calibrated victim, and how it was calibrated.

    A choice is kept in ``OUT/RECIPE-calibrated.temperature.json`` and not made again.

    Args:
        settings: with the ``temperature`` that is asked for.
        held_out: rows that are not attacked; None for a given number.

    Raises:
        UserError: another choice is kept there, or there is none to be made.
    """
    wanted = settings.temperature
    assert wanted is not None
    settings = dataclasses.replace(settings, temperature=None)
    if held_out is None:
        calibration = Calibration(float(wanted), "given")
    else:
        name = results_name(settings.recipe, calibrated=True)
        kept = out / f"{name}.temperature.json"
        attacker = SampleAttacker(settings)
        key = _key(attacker, wanted, held_out.rows)
        found = _kept(kept, key)
        calibration = found or _choose(settings, attacker.victim, wanted, held_out)
        if found is None:
            write_json(kept, {"key": key, "calibration": dataclasses.asdict(calibration)})
    return dataclasses.replace(settings, temperature=calibration.temperature), calibration


def _kept(path: Path, key: dict[str, Any]) -> Calibration | None:
    """The choice that an earlier call has kept; None where there is none.

    Raises:
        UserError: the file is of another choice, or none of ours: it is never written over.
    """
    if not path.exists():
        return None
    known = read_json(path)
    try:
        if known["key"] == key:
            return Calibration(**known["calibration"])
    except (KeyError, TypeError):
        pass
    raise UserError(
        f"{path}: holds no choice of a temperature for this attack; choose another --out, or move "
        "the file away to choose anew"
    )


def _key(attacker: SampleAttacker, wanted: str | float, rows: Examples) -> dict[str, Any]:
    """What the choice depends on."""
    settings = attacker.settings
    return {
        "model": attacker.victim.fingerprint,
        "task": settings.task.name,
        "seed": settings.seed,
        "fingerprint": settings.fingerprint(attacker.recipe.fingerprint),
        "wanted": wanted,
        "held_out": examples_fingerprint(rows),
    }


def _choose(
    settings: AttackSettings,
    victim: Victim,
    wanted: str | float,
    held_out: HeldOut,
) -> Calibration:
    split, rows = held_out
    texts = [texts[0] if len(texts) == 1 else texts for texts in rows.texts]
    with victim.asked():
        logits = victim(texts).double().numpy()
    fitted = fit_temperature(logits, rows.labels)
    if wanted == "fitted":
        return Calibration(fitted, "fitted", split, len(rows))
    rows = rows.take(np.random.default_rng(0).permutation(len(rows))[:WEAKEST_ROWS])
    weakest = weakest_temperature(settings, fitted, rows, settings.workers)
    return Calibration(weakest, "weakest", split, len(rows))


def weakest_temperature(
    settings: AttackSettings, fitted: float, rows: Examples, workers: int = 1
) -> float:
    """The temperature at which most attacks on ``rows`` succeed.

    Not the one of the least accuracy under attack, which leaves out what ran out of its budget: a
    temperature at which everything does would look weak. Five are tried, from 1/16 to 16 times the
    fitted one. Where as many succeed, the one of fewer queries is taken, then the one nearer to the
    fitted one.

    Raises:
        UserError: every attack on every row raised, at every temperature.
    """
    samples = [(row, rows.texts[row], int(rows.labels[row])) for row in range(len(rows))]
    outcome: dict[float, tuple[int, float]] = {}
    errors: list[str] = []
    for factor in sorted(FACTORS, key=lambda factor: abs(np.log(factor))):
        temperature = rounded(fitted * factor)
        there = dataclasses.replace(settings, temperature=temperature)
        records = _attack(there, samples, workers)
        attacked = [record for record in records if record["result"] != "skipped"]
        raised = [record["error"] for record in attacked if record["result"] == "error"]
        if attacked and len(raised) == len(attacked):
            errors.append(raised[0])  # it says nothing of this temperature
            continue
        succeeded = sum(record["result"] == "succeeded" for record in attacked)
        queries = sum(record["queries"] for record in attacked) / max(1, len(attacked))
        outcome[temperature] = -succeeded, queries
        undecided = sum(record["result"] in ("error", "out_of_budget") for record in attacked)
        said = f"temperature {temperature:g}: {succeeded} of {len(attacked)} attacks succeeded"
        said += f", {undecided} are undecided" if undecided else ""
        tell(said)
    if not outcome:
        raise UserError(
            f"--temperature weakest: every attack on the {len(rows)} held-out rows raised an error "
            f"({errors[0][:200]}); mend that, or give a temperature as a number"
        )
    return min(outcome, key=lambda temperature: outcome[temperature])


def _attack(
    settings: AttackSettings, samples: Sequence[Sample], workers: int
) -> list[dict[str, Any]]:
    if workers > 1:
        return list(attack_in_workers(settings, samples, workers))
    return list(attack_here(SampleAttacker(settings), samples))
