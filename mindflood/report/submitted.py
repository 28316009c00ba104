"""Whether a card may stand on the leaderboard: its numbers add up, and its attacks are known."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.rates import Rate, accuracy_under_attack, attack_success_rate
from mindflood.cards.schema import AttackSummary, Card
from mindflood.config.recipes import RECIPES
from mindflood.errors import UserError
from mindflood.files import read_json
from mindflood.report.numbers.validated import Audit

_SAMPLES = ("skipped", "succeeded", "failed", "errors", "out_of_budget", "untouched")
_ROUNDED = 1e-6  # rates of audits are written with six digits
_A_PATH = re.compile(r"^(\.{0,2}[/\\]|\.\.$|~|file:|[A-Za-z]:[\\/])")
_ROUNDING = 2  # texts whose logits are so close that the framework decides
# A word may be "/", or a tag.
_OF_A_TREEBANK = re.compile(r"analyses\.neurons\.tags\.([^.\w]*|.*\.(matched|words)\.\d+)")


class Recipe(NamedTuple):
    """What a fingerprint is known to be of."""

    recipe: str
    profile: str
    max_queries: int | None
    max_seconds: float | None


def known_fingerprints(path: Path) -> dict[str, Recipe]:
    """The registry: a JSON object from fingerprints to ``recipe`` and ``profile``.

    And, where the attack of a text was limited, to ``max_queries`` and ``max_seconds``; without
    them it has the recipe's own budget.

    Raises:
        UserError: it is missing, or not of that form.
    """
    listed = read_json(path)
    try:
        strange = {of["recipe"] for of in listed.values()} - RECIPES.keys()
        if strange:
            raise UserError(f"{path}: no recipe is called {', '.join(sorted(strange))}")
        return {
            name: Recipe(
                of["recipe"],
                of["profile"],
                of.get("max_queries", RECIPES[of["recipe"]].default_query_budget),
                of.get("max_seconds"),
            )
            for name, of in listed.items()
        }
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
        found += [f"attacks.{key}: {fault}" for fault in _of_all_texts(summary, card)]
    for epoch in card.get("epochs", ()):
        for key, summary in epoch["attacks"].items():
            where = f"epochs, {epoch['epoch']}: attacks.{key}"
            found += [f"{where}: {fault}" for fault in _of_attack(key, summary, known)]
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
        bounds, ends = counts.get(f"{name}_bounds"), None if rate is None else rate.bounds
        if bounds is not None and not _all_same(bounds, ends):
            yield f"{name}_bounds is {bounds}, and its counts say {_said(rate)}"
    if (audit := Audit.of_card(summary)) is not None:
        stated: Mapping[str, Any] = summary["audit"]
        for name, value in audit.on_card().items():
            if name in stated and not _all_same(stated[name], value):
                yield f"audit.{name} is {stated[name]}, and its counts say {value}"
    of, here = known.get(summary["fingerprint"]), AttackKey.parse(key)
    if of is None:
        yield f"the fingerprint {summary['fingerprint']} is in no list of known attacks"
        return
    if of[:2] != (here.recipe, here.profile):
        yield f"the fingerprint {summary['fingerprint']} is of {of.recipe}-{of.profile}"
    for name in ("max_queries", "max_seconds"):
        if counts.get(name) != getattr(of, name):
            yield (
                f"{name} is {counts.get(name)}, and the fingerprint {summary['fingerprint']} is of "
                f"{getattr(of, name)}; a new one is listed with its {name}"
            )


def _of_all_texts(summary: AttackSummary, card: Card) -> Iterator[str]:
    """Whether the clean accuracy is the share that the attack of all the same rows found right."""
    rows, clean = summary["num_examples"], card["clean_accuracy"]
    if clean is None or card["data"]["test"] != rows:
        return
    right = rows - summary["skipped"]
    if abs(clean * rows - right) > _ROUNDING:
        yield f"{right} of all {rows} texts were right before, and clean_accuracy is {clean}"


def _same(stated: float | None, computed: float | None) -> bool:
    if stated is None or computed is None:
        return stated is computed
    return abs(stated - computed) < _ROUNDED


def _all_same(stated: Any, computed: Any) -> bool:
    """Whether two numbers, or two lists of numbers, are the same."""
    if isinstance(stated, list):
        return (
            computed is not None
            and len(stated) == len(computed)
            and all(map(_same, stated, computed))
        )
    return _same(stated, computed)


def _said(rate: Rate | None) -> str:
    return "nothing" if rate is None else f"{rate.low:.6f} to {rate.high:.6f}"


def _paths(value: Any, where: str = "") -> Iterator[str]:
    """Where a text of the card, or one of its keys, is the path of a file."""
    if isinstance(value, str) and _A_PATH.match(value) and not _OF_A_TREEBANK.fullmatch(where):
        yield where
    inside = value.items() if isinstance(value, dict) else ()
    for name, part in [*inside, *(enumerate(value) if isinstance(value, list) else ())]:
        place = f"{where}.{name}".lstrip(".")
        if isinstance(name, str):
            yield from (place for _ in _paths(name, place))
        yield from _paths(part, place)
