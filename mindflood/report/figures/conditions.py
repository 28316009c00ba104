"""Which runs compare under an attack: the same task, encoder, recipe, fingerprint and texts."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import AttackSummary, Card
from mindflood.cards.rates import accuracy_under_attack
from mindflood.report.numbers.aggregate import (
    Attacked,
    Setting,
    robust_interval,
    sample_name,
    sample_of,
)
from mindflood.report.numbers.names import ATTACKS, METHODS, TASKS, encoder_name
from mindflood.report.tables.audits import with_doubt

Attacks = dict[str, AttackSummary]


@dataclass(frozen=True, order=True)
class Condition:
    """What two accuracies under attack must share to be drawn in one figure."""

    task: str
    encoder: str
    attack: str
    fingerprint: str
    columns: str
    texts: str

    @property
    def title(self) -> str:
        """In the papers' names."""
        key = AttackKey.parse(self.attack)
        attack = f"{ATTACKS.get(key.recipe, key.recipe)} ({key.variant}{self.columns})"
        where = f"{TASKS.get(self.task, self.task)}, {encoder_name(self.encoder)}"
        return f"{where}, {attack}, {self.texts}"

    def titled(self, cards: Sequence[Card]) -> str:
        """The title, with a warning where audits on ``cards`` found the attack wanting."""
        return with_doubt(self.title, cards, self.task, self.attack, self.fingerprint)


def by_condition(
    cards: Iterable[Card], attacks_of: Callable[[Card], Iterable[Attacks]]
) -> dict[Condition, list[Card]]:
    """The cards of each condition, in the order of the conditions' names.

    Args:
        attacks_of: the attacks of a card that are to be drawn, key to summary.
    """
    found: dict[Condition, list[Card]] = {}
    for card in cards:
        present = {
            Condition(
                card["task"],
                card["encoder"],
                key,
                summary["fingerprint"],
                AttackKey.parse(key, summary).one_text,
                sample_name(sample_of(summary)),
            )
            for attacks in attacks_of(card)
            for key, summary in attacks.items()
        }
        for condition in present:
            found.setdefault(condition, []).append(card)
    return dict(sorted(found.items()))


def matching(attacks: Attacks, condition: Condition) -> AttackSummary | None:
    """The attack of the condition, if it is there and measured something, a range at least."""
    summary = attacks.get(condition.attack)
    if summary is None or summary["fingerprint"] != condition.fingerprint:
        return None
    if sample_name(sample_of(summary)) != condition.texts:
        return None
    rate = accuracy_under_attack(summary)
    measured = summary["accuracy_under_attack"] is not None or (rate is not None and rate.is_open)
    return summary if measured else None


def method_name(method: str) -> str:
    """A method as a legend shows it."""
    return METHODS.get(method, method)


def setting_label(setting: Setting) -> str:
    """A setting as a legend shows it: method, fixed level, and what tells it from others."""
    level = "" if setting.level is None else f", b = {setting.level:g}"
    variant = f", {setting.variant}" if setting.variant else ""
    return f"{method_name(setting.method)}{level}{variant}"


def draw_robust(axes: Any, at: Sequence[float], measured: Sequence[Attacked], **style: Any) -> None:
    """Accuracy under attack in percent at the places ``at``, with its 95 % intervals as bars.

    Where undecided texts leave a range, that is a dotted bar, and the line has a gap.
    """
    means = [attacked.accuracy.mean if attacked.accuracy else math.nan for attacked in measured]
    ends = [
        robust_interval(attacked) or (mean, mean)
        for attacked, mean in zip(measured, means, strict=True)
    ]
    # Wilson's ends may lie a rounding error inside of a rate of 0 or 1.
    below = [100 * max(0.0, mean - low) for mean, (low, _) in zip(means, ends, strict=True)]
    above = [100 * max(0.0, high - mean) for mean, (_, high) in zip(means, ends, strict=True)]
    heights = [100 * mean for mean in means]
    axes.errorbar(at, heights, yerr=(below, above), capsize=3, elinewidth=1, **style)
    for place, attacked in zip(at, measured, strict=True):
        if attacked.robust is not None and attacked.robust.is_open:
            low, high = (100 * end for end in attacked.robust.bounds)
            axes.vlines(place, low, high, color=style["color"], linestyle=":", linewidth=2)
