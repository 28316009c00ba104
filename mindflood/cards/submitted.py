"""Whether a card may stand on the leaderboard: its numbers add up, and its attacks are known."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.rates import Rate, accuracy_under_attack, attack_success_rate
from mindflood.cards.schema import AttackSummary, Card
from mindflood.errors import UserError
from mindflood.files import read_json

_SAMPLES = ("skipped", "succeeded", "failed", "errors", "out_of_budget", "untouched")
_ROUNDED = 1e-6  # rates of audits are written with six digits
_A_PATH = re.compile(r"^(/|~|[A-Za-z]:[\\/])")
_OF_A_TREEBANK = re.compile(
    r"analyses\.neurons\.tags\..*\.(matched|words)\.\d+"
)  # a word may be "/"


class Recipe(NamedTuple):
    """What a fingerprint is known to be of."""

    recipe: str
    profile: str


def known_fingerprints(path: Path) -> dict[str, Recipe]:
    """The registry: a JSON object from fingerprints to ``recipe`` and ``profile``.

    Raises:
        UserError: it is missing, or not of that form.
    """
    listed = read_json(path)
    try:
        return {name: Recipe(of["recipe"], of["profile"]) for name, of in listed.items()}
    except (AttributeError, KeyError, TypeError):
        raise UserError(
            f"{path}: expected an object from fingerprints to a recipe and a profile"
        ) from None


def faults(card: Card, known: Mapping[str, Recipe]) -> list[str]:
    """What speaks against a card whose form has been checked: a line each, none where it is fine.

    Args:
        known: see :func:`known_fingerprints`.
    """
    found = [f"{where}: names a place on somebody's machine" for where in _paths(card)]
    if not card["attacks"]:
        found.append("attacks: there is none")
    for key, summary in card["attacks"].items():
        found += [f"attacks.{key}: {fault}" for fault in _of_attack(key, summary, known)]
    return found


def _of_attack(key: str, summary: AttackSummary, known: Mapping[str, Recipe]) -> Iterator[str]:
    counts: Mapping[str, Any] = summary
    total = sum(counts.get(name, 0) for name in _SAMPLES)
    if total != summary["num_examples"]:
        yield f"num_examples is {summary['num_examples']}, and its outcomes are {total}"
        return
    if summary["num_examples"] < summary.get("requested", 0):
        yield f"is not finished: {summary['num_examples']} of {summary['requested']} texts"
    accuracy, success = accuracy_under_attack(summary), attack_success_rate(summary)
    for name, rate in (("accuracy_under_attack", accuracy), ("attack_success_rate", success)):
        if not _same(counts[name], None if rate is None else rate.number):
            yield f"{name} is {counts[name]}, and its counts say {_said(rate)}"
    validated = summary["audit"]["validated_accuracy"] if "audit" in summary else 1.0
    # A success that turned the meaning round is taken back: it can only be more than Aua.
    if accuracy is not None and validated < accuracy.low - _ROUNDED:
        yield "audit.validated_accuracy is below the accuracy under attack"
    of, here = known.get(summary["fingerprint"]), AttackKey.parse(key)
    if of is None:
        yield f"the fingerprint {summary['fingerprint']} is in no list of known attacks"
    elif of != (here.recipe, here.profile):
        yield f"the fingerprint {summary['fingerprint']} is of {of.recipe}-{of.profile}"


def _same(stated: float | None, computed: float | None) -> bool:
    if stated is None or computed is None:
        return stated is computed
    return abs(stated - computed) < _ROUNDED


def _said(rate: Rate | None) -> str:
    return "nothing" if rate is None else f"{rate.low:.6f} to {rate.high:.6f}"


def _paths(value: Any, where: str = "") -> Iterator[str]:
    """Where a text of the card, or one of its keys, is the path of a file."""
    if isinstance(value, str) and _A_PATH.match(value) and not _OF_A_TREEBANK.fullmatch(where):
        yield where
    inside = value.items() if isinstance(value, dict) else ()
    for name, part in [*inside, *(enumerate(value) if isinstance(value, list) else ())]:
        yield from _paths(part, f"{where}.{name}".lstrip("."))
