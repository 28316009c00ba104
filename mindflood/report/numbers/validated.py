"""Accuracy under attack with the successes left out that are no adversarial texts.

An attack that turns the text's own meaning round does not show that the model is wrong. People read
a random sample of an attack's successes and say of each whether the label still holds
(``mindflood audit``); from that, the *validated* accuracy under attack counts such a success as
what it is, an attack that failed.

Arithmetic. Of n attacked texts F stayed right and S were broken; m of the S, drawn at random
without replacement, were graded, and g of these changed their meaning. With q = g/m the estimate is

    A = (F + S·q) / n.

Were all S graded, A would be the share of a sample of n texts, with Wilson's interval: its ends are
the θ with (A - θ)² = z²·θ(1 - θ)/n. Grading only m adds the variance (S/n)²·Var(q), where
Var(q) = q(1 - q)/m·(1 - m/S): the population of S successes is finite, and known but for the S - m
that nobody read. The two parts are uncorrelated: whatever the attack came to, the draw's error has
mean zero. They are joined as squares (Newcombe 1998; Zou & Donner 2008), each end with the reach of
q's own Wilson interval to that side, q - l or u - q, in place of z·√(q(1 - q)/m), so that nothing
found among a few is not taken for nothing:

    (A - θ)² = z²·θ(1 - θ)/n + (S/n)²·(1 - m/S)·reach².

It is solved for θ as a quadratic. With m = S it is Wilson's own interval.

Of several models of one side (its seeds) a few successes each are read. What is wanted is the mean
of S·q/n over the models, a stratified estimate: q = Σw·q with w = (S/n)/Σ(S/n). Its variance

    Σ w²·q(1 - q)·(1/m - 1/S) ≤ max(w·(1/m - 1/S))·q̄(1 - q̄),

as q(1 - q) is concave: that of q̄ among M = min(m/w) successes of one model, of which the part
max(w·(1/m - 1/S))·M is left unread. Wilson's interval is taken once, at these numbers. Where each
model has its share read, M is all that was read: five models with nothing among ten each are
nothing among fifty. Models that differ make the estimate better than that, not worse; one of which
less was read makes it as bad as if so little had been read of all.

``unclear`` is not taken for either. The estimate counts it against the claim that is made: in the
validated accuracy it does not speak for the model (the success stands), in the share that keep the
label it does not speak for the attack. The interval reaches from the low end of the one reading to
the high end of the other: no way of settling the unclear ones leaves it.

Texts that are undecided (an error, no budget left) or untouched are not among the n. Where the
undecided leave Aua a range, a report shows no validated one.

What it is not: a search that was told of the change could have gone on, and found a text that keeps
its meaning. Like any accuracy under attack, it is an upper bound for a better attack.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mindflood.report.numbers.intervals import Z, wilson

KEEPS_LABEL = 0.70  # below this share, an attack's numbers come with a warning


@dataclass(frozen=True)
class Rate:
    """An estimate and the ends of its 95 % interval, fractions in [0, 1]."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Audit:
    """The grades of a random sample of one attack's successes.

    Attributes:
        attacked: n, texts with an outcome: wrong before, broken or still right.
        held: F, of them still right.
        successes: S, of them broken.
        same, changed, unclear: graded successes by what became of the label; m in all.
        english: graded successes that are still English.
    """

    attacked: int
    held: int
    successes: int
    same: int
    changed: int
    unclear: int
    english: int

    @property
    def graded(self) -> int:
        """m, the number of successes that were read."""
        return self.same + self.changed + self.unclear

    def keeps_label(self) -> Rate:
        """Share of successes that keep the label: Wilson's interval; unclear ones do not count."""
        low, _ = wilson(self.same, self.graded)
        _, high = wilson(self.same + self.unclear, self.graded)
        return Rate(self.same / self.graded, low, high)

    def still_english(self) -> Rate:
        """Share of successes that are still English, with Wilson's interval."""
        return Rate(self.english / self.graded, *wilson(self.english, self.graded))

    def validated(self) -> Rate:
        """Accuracy under attack in which a success whose meaning changed is none."""
        return validated([self])

    def on_card(self) -> dict[str, Any]:
        """What a card says of the grades: counts, and rates and intervals with six digits."""
        rates = {
            "keeps_label": self.keeps_label(),
            "still_english": self.still_english(),
            "validated_accuracy": self.validated(),
        }
        found: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("graded", "same", "changed", "unclear", "english")
        }
        for name, rate in rates.items():
            found[name] = round(rate.value, 6)
            found[f"{name}_interval"] = [round(rate.low, 6), round(rate.high, 6)]
        return found

    @classmethod
    def of_card(cls, summary: Any) -> "Audit | None":
        """The audit of an attack's summary on a card; None where it was never audited."""
        found = summary.get("audit")
        if found is None:
            return None
        return cls(
            attacked=summary["skipped"] + summary["succeeded"] + summary["failed"],
            held=summary["failed"],
            successes=summary["succeeded"],
            **{name: found[name] for name in ("same", "changed", "unclear", "english")},
        )


def validated(audits: Sequence[Audit]) -> Rate:
    """The mean of one or several models' validated accuracy, all attacked on the same texts.

    The choice of the texts is shared, so that n is that of one model.
    """
    models = len(audits)
    texts = sum(audit.attacked for audit in audits) / models
    held = sum(audit.held / audit.attacked for audit in audits) / models
    read = reading(audits, [audit.successes / audit.attacked / models for audit in audits])
    low, _ = _ends(held + read.value, texts, read.below**2)
    _, high = _ends(held + read.most, texts, read.above**2)
    return Rate(held + read.value, low, high)


@dataclass(frozen=True)
class Reading:
    """What the successes that changed their meaning add to an accuracy under attack.

    Attributes:
        value: as it was found.
        most: were all that is unclear a change of meaning.
        below, above: how far below ``value`` and above ``most`` the draw of those read may carry.
    """

    value: float
    most: float
    below: float
    above: float


def reading(audits: Sequence[Audit], scales: Sequence[float]) -> Reading:
    """Σ scale·q over the models of a side, with the reach of the reading.

    Args:
        scales: of each model, what its successes would add, had all changed their meaning.
    """
    whole = sum(scales)
    if not whole:
        return Reading(0.0, 0.0, 0.0, 0.0)
    shares = [scale / whole for scale in scales]
    of_each = [(share, audit) for share, audit in zip(shares, audits, strict=True) if share]
    number = min(audit.graded / share for share, audit in of_each)
    unread = number * max(share / a.graded - share / a.successes for share, a in of_each)
    scale = whole * math.sqrt(max(0.0, unread))
    value = sum(share * audit.changed / audit.graded for share, audit in of_each)
    unclear = sum(share * audit.unclear / audit.graded for share, audit in of_each)
    most = value + unclear
    low, _ = wilson(value * number, number)
    _, high = wilson(most * number, number)
    return Reading(whole * value, whole * most, scale * (value - low), scale * (high - most))


def pooled(audits: Sequence[Audit]) -> Audit:
    """The grades of several audits of one recipe taken together, as if its successes were one."""
    names = ("attacked", "held", "successes", "same", "changed", "unclear", "english")
    return Audit(*(sum(getattr(audit, name) for audit in audits) for name in names))


def _ends(value: float, texts: float, reach_squared: float) -> tuple[float, float]:
    """The θ with (value - θ)² = z²·θ(1 - θ)/texts + reach², cut to [0, 1]."""
    divisor = 1 + Z**2 / texts
    middle = (value + Z**2 / (2 * texts)) / divisor
    root = math.sqrt(max(0.0, middle**2 - (value**2 - reach_squared) / divisor))
    return max(0.0, middle - root), min(1.0, middle + root)
