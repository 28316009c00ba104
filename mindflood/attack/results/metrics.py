"""Robustness metrics of Flooding-X §4.2, from the records of single samples."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mindflood.cards.rates import Rate, accuracy_under_attack, attack_success_rate
from mindflood.cards.records import OUTCOMES
from mindflood.cards.schema import Counts, Outcome

_DECIDED, _UNDECIDED = ("succeeded", "failed"), ("error", "out_of_budget")


def summarise(records: Iterable[Mapping[str, Any]]) -> Outcome:
    """Counts and rates of one attack.

    A sample the model got wrong before the attack (``skipped``) counts as wrong under attack and
    is not part of the success rate. One of which no candidate was tried (``untouched``) is in no
    rate. One whose attack raised (``error``) or ran out of its budget is undecided: it opens the
    bounds, and a rate whose bounds are more than a point apart has no number.

    Args:
        records: one mapping a sample with ``result`` (one of :data:`OUTCOMES`), ``queries`` and
            ``seconds``.

    Returns:
        ``num_examples, skipped, succeeded, failed, errors, out_of_budget, untouched`` (numbers of
        samples), ``accuracy_under_attack`` and ``attack_success_rate`` (fractions in [0, 1]), each
        with ``…_bounds`` (``[low, high]``: all undecided samples one way, and the other),
        ``mean_queries`` (per sample that was attacked; None where the success rate has no number),
        ``mean_queries_at_least`` (with what the undecided ones have cost so far) and ``seconds``
        (spent on all samples). A rate or mean over no sample is None.

    Raises:
        ValueError: a record's result is none of the outcomes.
    """
    records = list(records)
    count = Counter(record["result"] for record in records)
    if unknown := set(count) - set(OUTCOMES):
        raise ValueError(f"unknown results: {sorted(unknown)}")
    counts: Counts = {
        "num_examples": len(records),
        "skipped": count["skipped"],
        "succeeded": count["succeeded"],
        "failed": count["failed"],
        "errors": count["error"],
        "out_of_budget": count["out_of_budget"],
        "untouched": count["untouched"],
    }
    robust, success = accuracy_under_attack(counts), attack_success_rate(counts)
    decided = [record["queries"] for record in records if record["result"] in _DECIDED]
    begun = [
        record["queries"] for record in records if record["result"] in (*_DECIDED, *_UNDECIDED)
    ]
    return {
        **counts,
        "accuracy_under_attack": _number(robust),
        "accuracy_under_attack_bounds": _bounds(robust),
        "attack_success_rate": _number(success),
        "attack_success_rate_bounds": _bounds(success),
        "mean_queries": None if success is None or success.is_open else _mean(decided),
        "mean_queries_at_least": _mean(begun),
        "seconds": sum(record["seconds"] for record in records),
    }


def _number(rate: Rate | None) -> float | None:
    return None if rate is None else rate.number


def _bounds(rate: Rate | None) -> list[float] | None:
    return None if rate is None else list(rate.bounds)


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None


def percent(rate: float | None) -> str:
    """A rate as the terminal shows it."""
    return "–" if rate is None else f"{100 * rate:.1f} %"


def percent_between(rate: Rate | None) -> str:
    """The same of a rate with bounds: the range, where they are more than a point apart."""
    if rate is None or not rate.is_open:
        return percent(_number(rate))
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %"
