"""The analyses of taggers' neurons that compare, by method; several seeds are several analyses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mindflood.cards.cards import Card
from mindflood.cards.schema import NeuronAnalysis
from mindflood.report.numbers.aggregate import Estimate, Setting, by_setting, estimate

TABLE_TAGS = ("JJ", "JJR", "MD", "VBD", ":", "VBZ", "RB", "VBG")  # of the paper's Table 5, in order
_SHARED = (
    "texts", "layers", "width", "subwords", "l1", "l2", "l2_form", "top", "words", "words_of",
    "keep", "share",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Analyses of the same words that were made alike, by the method of the tagger.

    Attributes:
        task, encoder: the cards'.
        variant: what tells them from others of this task and encoder; empty where there are none.
        methods: each setting's seeds with their analyses, in the papers' order.
    """

    task: str
    encoder: str
    variant: str
    methods: dict[Setting, list[tuple[int | None, NeuronAnalysis]]]

    @property
    def any(self) -> NeuronAnalysis:
        """One of them, for what they share."""
        return next(iter(self.methods.values()))[0][1]

    @property
    def tags(self) -> list[str]:
        """The tags of all of them, the commonest first."""
        return list(self.any["tags"])


def compared(cards: Sequence[Card]) -> list[Compared]:
    """The sets of analyses that compare."""
    alike: dict[tuple[Any, ...], dict[Setting, list[tuple[int | None, NeuronAnalysis]]]] = {}
    for setting, members in by_setting(cards).items():
        for card in members:
            found = card.get("analyses", {}).get("neurons")
            if found is not None:
                values: Any = found
                key = (setting.task, setting.encoder, *(values[name] for name in _SHARED))
                of_setting = alike.setdefault(key, {}).setdefault(setting, [])
                of_setting.append((card["seed"], found))
    models = [key[:2] for key in alike]
    return [
        Compared(key[0], key[1], _variant(key[2:]) if models.count(key[:2]) > 1 else "", methods)
        for key, methods in alike.items()
    ]


def matched(found: Sequence[NeuronAnalysis], tag: str) -> tuple[int, int, Estimate | None]:
    """(Match, Total, the share of the two) of a tag: sums, and the mean over the seeds."""
    return _matches([(one["tags"][tag]["match"], one["tags"][tag]["total"]) for one in found])


def matched_in_all(found: Sequence[NeuronAnalysis]) -> tuple[int, int, Estimate | None]:
    """The same over all tags."""
    return _matches(
        [
            (
                sum(tag["match"] for tag in one["tags"].values()),
                sum(tag["total"] for tag in one["tags"].values()),
            )
            for one in found
        ]
    )


def matched_by_chance(
    found: Sequence[NeuronAnalysis], control: str
) -> tuple[int, int, Estimate | None]:
    """The same of a control, ``shuffled`` or ``random``."""
    values: Any = found
    return _matches([(one[control]["match"], one[control]["total"]) for one in values])


def carriers(found: NeuronAnalysis) -> float:
    """Neurons that carry the share of a tag's weight, the mean over the tags."""
    counts = [sum(tag["by_layer"]) for tag in found["tags"].values()]
    return sum(counts) / len(counts)


def _matches(pairs: Sequence[tuple[int, int]]) -> tuple[int, int, Estimate | None]:
    rates = [match / total if total else None for match, total in pairs]
    return sum(match for match, _ in pairs), sum(total for _, total in pairs), estimate(rates)


def _variant(values: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_SHARED, values, strict=True))
