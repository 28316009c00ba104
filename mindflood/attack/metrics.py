"""Robustness metrics of Flooding-X §4.2, from the records of single samples."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

OUTCOMES = ("skipped", "succeeded", "failed", "error", "out_of_budget")


def summarise(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts and rates of one attack.

    A sample the model got wrong before the attack (``skipped``) counts as wrong under attack and
    is not part of the success rate. One whose attack raised (``error``) or ran out of its budget
    leaves every denominator and is counted apart.

    Args:
        records: one mapping a sample with ``result`` (one of :data:`OUTCOMES`), ``queries`` and
            ``seconds``.

    Returns:
        ``num_examples, skipped, succeeded, failed, errors, out_of_budget`` (numbers of samples),
        ``accuracy_under_attack`` and ``attack_success_rate`` (fractions in [0, 1]),
        ``mean_queries`` (per sample that was attacked) and ``seconds`` (spent on all samples).
        A rate or mean over no sample is None.

    Raises:
        ValueError: a record's result is none of the outcomes.
    """
    records = list(records)
    count = Counter(record["result"] for record in records)
    if unknown := set(count) - set(OUTCOMES):
        raise ValueError(f"unknown results: {sorted(unknown)}")
    attacked = [record for record in records if record["result"] in ("succeeded", "failed")]
    return {
        "num_examples": len(records),
        "skipped": count["skipped"],
        "succeeded": count["succeeded"],
        "failed": count["failed"],
        "errors": count["error"],
        "out_of_budget": count["out_of_budget"],
        "accuracy_under_attack": _ratio(count["failed"], count["skipped"] + len(attacked)),
        "attack_success_rate": _ratio(count["succeeded"], len(attacked)),
        "mean_queries": _ratio(sum(record["queries"] for record in attacked), len(attacked)),
        "seconds": sum(record["seconds"] for record in records),
    }


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def percent(rate: float | None) -> str:
    """A rate as the terminal shows it."""
    return "–" if rate is None else f"{100 * rate:.1f} %"
