"""Several seeds of one setting become a mean and an interval.

A setting is a task, an encoder, a method, how it was trained and, where the flood level was fixed
by hand, that level; a level that the method chose itself may differ from seed to seed.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pandas as pd
from scipy import stats

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import AttackSummary, Card, probe_findings, tested_on
from mindflood.cards.rates import (
    Rate,
    accuracy_under_attack,
    attack_success_rate,
    mean_rate,
    undecided,
    untouched,
)
from mindflood.flooding.row_methods import ROW_METHODS
from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.names import METHODS, TASKS, position
from mindflood.report.numbers.validated import Audit

COUNTS = (
    "num_examples", "skipped", "succeeded", "failed", "errors", "out_of_budget", "untouched"
)  # fmt: skip
_CONFIDENCE = 0.95

Sample = tuple[int | None, int]  # the seed of its draw, and how many texts it has


@dataclass(frozen=True)
class Estimate:
    """Mean and median of ``n`` seeds; for a single seed there is no spread (None).

    ``half`` is the half width of the mean's 95 % t interval, ``deviation`` the sample's standard
    deviation.
    """

    mean: float
    half: float | None
    n: int
    median: float
    deviation: float | None


@dataclass(frozen=True)
class Setting:
    """What the seeds that are averaged have in common; ``level`` only where it was fixed.

    ``variant`` names the settings of training in which it differs from others of its name, and the
    ``sample`` of texts that was attacked, where one of its seeds was run again for another.
    """

    task: str
    encoder: str
    method: str
    level: float | None
    variant: str = ""
    sample: str = ""


@dataclass(frozen=True)
class Attacked:
    """One recipe against one setting; the counts are sums over the seeds.

    ``robust`` and ``broken`` are the accuracy under attack and the success rate with the bounds
    that undecided texts leave. Where these are more than a point apart, ``accuracy`` or ``success``
    is None, and ``queries`` is with the latter: there ``least_queries``, a lower bound, is all.
    ``requested`` is larger than ``counts["num_examples"]`` while an attack is unfinished;
    ``samples`` are the samples of texts that were attacked;
    ``temperatures`` are the victims', with how each was chosen, where they were calibrated;
    ``recipes`` are the exact recipes: fingerprint, and what was replaced of the paper's;
    ``audits`` are those of the seeds whose successes people have read, behind their fingerprint.
    """

    accuracy: Estimate | None
    success: Estimate | None
    queries: Estimate | None
    counts: dict[str, int]
    requested: int
    fingerprints: frozenset[str]
    samples: frozenset[Sample]
    robust: Rate | None = None
    broken: Rate | None = None
    least_queries: float | None = None
    seeds: int = 1
    calibration_error: Estimate | None = None
    temperatures: tuple[tuple[float, str], ...] = ()
    recipes: tuple[tuple[str, str], ...] = ()
    audits: tuple[tuple[str, Audit], ...] = ()


@dataclass(frozen=True)
class ResultRow:
    """One setting under one attack profile; ``profile`` is empty where nothing was attacked.

    The profile names the text of a pair where only one may change: others do not compare.
    ``tested`` are the fingerprints of the test rows, where the cards tell them.
    """

    setting: Setting
    profile: str
    seeds: tuple[int | None, ...]
    level: str
    clean: Estimate | None
    attacks: dict[str, Attacked]
    tested: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cost:
    """Training time of one setting, in seconds."""

    setting: Setting
    epoch: Estimate | None
    whole: Estimate | None


def estimate(values: Sequence[float | None]) -> Estimate | None:
    """Mean, median and their spread over the values that are there; None where there is none."""
    known = pd.Series(list(values), dtype=float).dropna()
    if known.empty:
        return None
    half = deviation = None
    if len(known) > 1:
        quantile = stats.t.ppf(0.5 + _CONFIDENCE / 2, len(known) - 1)
        deviation = float(known.std(ddof=1))
        half = float(quantile * deviation / math.sqrt(len(known)))
    return Estimate(float(known.mean()), half, len(known), float(known.median()), deviation)


def robust_interval(attacked: Attacked) -> tuple[float, float] | None:
    """95 % interval of the accuracy under attack: (low, high), fractions; None where that has none.

    Of one seed it is Wilson's, for the choice of the attacked texts. Of several it reaches from
    the smaller low to the larger high of two: the t interval of their mean, for the seeds, and
    Wilson's at their mean rate for as many texts as one seed attacks. The seeds attack the same
    texts, so that their spread says nothing of the choice of these: seeds that tie would have an
    interval of no width.
    """
    accuracy, counts = attacked.accuracy, attacked.counts
    if accuracy is None:
        return None
    total = counts["num_examples"] - undecided(counts) - untouched(counts)
    if total <= 0 or counts["failed"] > total:
        return None
    if accuracy.half is None:
        return wilson(counts["failed"], total)
    of_a_seed = total / accuracy.n
    low, high = wilson(accuracy.mean * of_a_seed, of_a_seed)
    mean, half = accuracy.mean, accuracy.half
    return max(0.0, min(low, mean - half)), min(1.0, max(high, mean + half))


def setting_of(card: Card) -> Setting:
    """The setting that a card is one seed of, as far as its own card tells."""
    level = card["flood_level"] if card["flood_level_source"] == "fixed" else None
    return Setting(card["task"], card["encoder"], card["method"], level)


def rows(cards: Sequence[Card]) -> list[ResultRow]:
    """Table 2's rows: every setting under every attack profile, in the papers' order."""
    table = []
    for setting, members in by_setting(cards).items():
        clean = estimate([card["clean_accuracy"] for card in members])
        profiles: dict[str, dict[str, list[AttackSummary]]] = {}
        for card in members:
            for key, summary in card["attacks"].items():
                attack = AttackKey.parse(key, summary)
                block = profiles.setdefault(attack.variant, {})
                block.setdefault(attack.recipe, []).append(summary)
        for profile, recipes in sorted(profiles.items()) or [("", {})]:
            attacks = {recipe: attacked(summaries) for recipe, summaries in recipes.items()}
            seeds = tuple(sorted({card["seed"] for card in members}, key=str))
            tested = frozenset(hash_ for card in members if (hash_ := tested_on(card)) is not None)
            table.append(
                ResultRow(setting, profile, seeds, _level(members), clean, attacks, tested)
            )
    return table


def costs(cards: Sequence[Card]) -> list[Cost]:
    """Table 3's rows: every setting's seconds per epoch and seconds of training."""
    return [
        Cost(
            setting,
            estimate([card["seconds_per_epoch"] for card in members]),
            estimate([_whole_training(card) for card in members]),
        )
        for setting, members in by_setting(cards).items()
    ]


def _whole_training(card: Card) -> float | None:
    """Seconds of training, with all that the method spent on finding its level."""
    if card["train_seconds"] is None:
        return None
    search = card.get("search", {})
    candidates = sum(one["train_seconds"] for one in search.get("candidates", []))
    auxiliary = card.get("adaflood", {}).get("seconds", 0.0)
    return card["train_seconds"] + candidates + auxiliary + _probing(card)


def _probing(card: Card) -> float:
    """Seconds of the probe and of its first pass, where the level or its range came from them."""
    given = card["method"] in ROW_METHODS and card["flood_level_source"] in ("fixed", None)
    if given or card["method"] in ("finetune", "flooding"):  # recorded at wish
        return 0.0
    found = probe_findings(card)
    return float(found.get("first_pass_seconds", 0.0) + found.get("probe_seconds", 0.0))


def by_setting(cards: Sequence[Card]) -> dict[Setting, list[Card]]:
    """The cards of each setting, settings in the papers' order."""
    alike: dict[Setting, list[Card]] = {}
    for card in cards:
        alike.setdefault(setting_of(card), []).append(card)
    found: dict[Setting, list[Card]] = {}
    for setting, members in alike.items():
        for trained, seeds in _by_variant(members, lambda key: True).items():
            for on, runs in _by_sample(seeds).items():
                variant = ", ".join(filter(None, (trained, on)))
                found[replace(setting, variant=variant, sample=on)] = runs
    return {setting: found[setting] for setting in sorted(found, key=order)}


def by_training(cards: Sequence[Card]) -> dict[str, list[Card]]:
    """Cards of several methods by the texts and the training that methods share.

    Returns:
        The cards of each; the key names the settings that differ, and is empty where none does.
    """
    return _by_variant(cards, lambda key: key.startswith(("task.", "training.")))


def _by_sample(cards: Sequence[Card]) -> dict[str, list[Card]]:
    """Runs of one setting by the texts that they were attacked on, where a seed occurs twice.

    Such a seed was run again to be attacked on other texts, and is no further seed of the setting.
    """
    samples = {
        id(card): {key: sample_name(sample_of(one)) for key, one in card["attacks"].items()}
        for card in cards
    }

    def differ(one: Card, other: Card) -> bool:
        ours, theirs = samples[id(one)], samples[id(other)]
        return any(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())

    pairs = itertools.combinations(cards, 2)
    if not any(one["seed"] == other["seed"] and differ(one, other) for one, other in pairs):
        return {"": list(cards)}
    groups: list[list[Card]] = []
    # Those with most texts first: what has no attack yet goes with them.
    for card in sorted(cards, key=lambda card: -sum(map(_requested, card["attacks"].values()))):
        for group in groups:
            if not any(differ(card, member) for member in group):
                group.append(card)
                break
        else:
            groups.append([card])
    of_groups = [{key: s for c in group for key, s in samples[id(c)].items()} for group in groups]
    return {_told(one, of_groups): group for one, group in zip(of_groups, groups, strict=True)}


def _told(samples: Mapping[str, str], of_all: Sequence[Mapping[str, str]]) -> str:
    """The samples that are others elsewhere, attack by attack."""
    return ", ".join(
        f"{key}: {sample}"
        for key, sample in sorted(samples.items())
        if any(other.get(key, sample) != sample for other in of_all)
    )


def sample_of(summary: AttackSummary) -> Sample:
    """The texts that were attacked."""
    return summary.get("seed"), _requested(summary)


def sample_name(sample: Sample) -> str:
    """A sample in words, the first draw without its number."""
    draw, size = sample
    return f"{size} texts" + (f" of draw {draw}" if draw else "")


def _by_variant(cards: Sequence[Card], counts: Callable[[str], bool]) -> dict[str, list[Card]]:
    settings = [
        {key: value for key, value in card.get("settings", {}).items() if counts(key)}
        for card in cards
    ]
    tested = [tested_on(card) for card in cards]
    if len({*tested} - {None}) > 1:
        for values, rows in zip(settings, tested, strict=True):
            values["test rows"] = rows or "not told"
    differing = _differing(settings)
    found: dict[str, list[Card]] = {}
    for card, values in zip(cards, settings, strict=True):
        variant = ", ".join(f"{key} = {values.get(key, '?')}" for key in differing)
        found.setdefault(variant, []).append(card)
    return found


def _differing(settings: Sequence[dict[str, Any]]) -> list[str]:
    """The keys whose values are not the same in all."""
    keys = sorted({key for values in settings for key in values})
    return [key for key in keys if any(v.get(key) != settings[0].get(key) for v in settings)]


def order(setting: Setting) -> tuple[Any, ...]:
    """Sort key of the tables' rows: task, encoder, method as in the papers, then level."""
    level = -1.0 if setting.level is None else setting.level
    return (
        position(setting.task, TASKS),
        setting.encoder,
        position(setting.method, METHODS),
        level,
        setting.variant,
    )


def attacked(summaries: Sequence[AttackSummary]) -> Attacked:
    """The attacks of one recipe on the seeds of one setting, one summary a seed."""
    robust = _mean_rate(accuracy_under_attack, summaries)
    broken = _mean_rate(attack_success_rate, summaries)
    queries = estimate([summary["mean_queries"] for summary in summaries])
    return Attacked(
        _estimate_of("accuracy_under_attack", robust, accuracy_under_attack, summaries),
        _estimate_of("attack_success_rate", broken, attack_success_rate, summaries),
        None if broken is None or broken.is_open else queries,
        {name: sum(int(cast(Any, one).get(name, 0)) for one in summaries) for name in COUNTS},
        sum(_requested(summary) for summary in summaries),
        frozenset(summary["fingerprint"] for summary in summaries),
        frozenset(map(sample_of, summaries)),
        robust,
        broken,
        _least_queries(summaries),
        len(summaries),
        estimate([summary.get("calibration_error") for summary in summaries]),
        tuple(
            (found["temperature"], found["source"])
            for summary in summaries
            if (found := summary.get("calibration")) is not None
        ),
        tuple(
            sorted(
                {
                    (summary["fingerprint"], "; ".join(summary.get("replaced", ())))
                    for summary in summaries
                }
            )
        ),
        tuple(
            (summary["fingerprint"], audit)
            for summary in summaries
            if (audit := Audit.of_card(summary)) is not None
        ),
    )


def _least_queries(summaries: Sequence[AttackSummary]) -> float | None:
    """A lower bound of the seeds' mean #Query; None where one of them tells none."""
    found = []
    for summary in summaries:
        rate = attack_success_rate(summary)
        least = summary.get("mean_queries_at_least")
        if least is None and rate is not None:  # an older card
            if rate.is_open or summary["mean_queries"] is None:
                return None
            least = summary["mean_queries"]
        found.append(least)
    mean = estimate(found)
    return None if mean is None else mean.mean


def _requested(summary: AttackSummary) -> int:
    return summary.get("requested", summary["num_examples"])


_RateOf = Callable[[Mapping[str, Any]], Rate | None]


def _mean_rate(rate_of: _RateOf, summaries: Sequence[AttackSummary]) -> Rate | None:
    rates = [rate for summary in summaries if (rate := rate_of(summary)) is not None]
    return mean_rate(rates) if rates else None


def _estimate_of(
    key: str, mean: Rate | None, rate_of: _RateOf, summaries: Sequence[AttackSummary]
) -> Estimate | None:
    """The estimate of a rate: the seeds' numbers on their cards, where the mean's bounds are near.

    A single seed's bounds may be further apart than the mean's: it counts with what is decided.
    """
    if mean is None or mean.is_open:
        return None
    values: list[float | None] = []
    for summary in summaries:
        rate = rate_of(summary)
        on_card = cast(Mapping[str, Any], summary)[key]
        values.append(rate.decided if rate is not None and rate.is_open else on_card)
    return estimate(values)


def _level(cards: list[Card]) -> str:
    """The flood level as the table shows it: the seeds' levels and where they came from."""
    levels = sorted({card["flood_level"] for card in cards if card["flood_level"] is not None})
    sources = sorted({str(card["flood_level_source"]) for card in cards} - {"None", "fixed"})
    shown = ", ".join(f"{level:.3g}" for level in levels)
    remarks = sources if shown else []
    if uncrossed := sum(is_uncrossed(card) for card in cards):
        remarks.append(f"{uncrossed} of {len(cards)} never crossed")
    return f"{shown} ({'; '.join(remarks)})".lstrip() if remarks else shown


def is_uncrossed(card: Card) -> bool:
    """Whether a run that floods from its crossing on never crossed: it is plain fine-tuning."""
    asked = (card["method"], card.get("settings", {}).get("flood_level"))
    return "flooding-x-online" in asked and card["flood_level"] is None
