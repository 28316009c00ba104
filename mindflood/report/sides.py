"""Who is held against whom: the methods that one attack on one task compares.

Models compare as in the tables: one task, encoder and profile, equal recipes, equal test rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mindflood.cards.attack_key import CALIBRATED, AttackKey
from mindflood.cards.cards import Run
from mindflood.cards.rates import undecided, untouched
from mindflood.report.numbers.aggregate import Attacked, ResultRow, by_setting, rows, sample_name
from mindflood.report.numbers.difference import Difference, difference
from mindflood.report.numbers.names import (
    ATTACKS,
    METHODS,
    STRANGER,
    TASKS,
    encoder_name,
    position,
)
from mindflood.report.numbers.outcomes import Attempt, attempt
from mindflood.report.tables.audits import Audited, audited


@dataclass(frozen=True)
class Side:
    """One method under one attack, with what became of the texts of each of its seeds."""

    row: ResultRow
    attacked: Attacked
    attempts: tuple[Attempt, ...]

    @property
    def name(self) -> str:
        setting = self.row.setting
        if setting.method == STRANGER:
            return encoder_name(setting.encoder)
        remarks = [
            "" if setting.level is None else f"b = {setting.level:g}",
            "fallback level" if "fallback" in self.row.level else "",
            setting.variant,
        ]
        told = ", ".join(filter(None, remarks))
        return METHODS.get(setting.method, setting.method) + (f" ({told})" if told else "")

    @property
    def rated(self) -> int:
        """Texts that are in the rate, all seeds together."""
        counts = self.attacked.counts
        return counts["num_examples"] - undecided(counts) - untouched(counts)

    @property
    def fault(self) -> str:
        """Why it is compared with nothing; empty where it may be."""
        done, asked = self.attacked.counts["num_examples"], self.attacked.requested
        if len(self.attacked.fingerprints) > 1:
            return "its seeds were attacked by different recipes"
        if done < asked:
            return f"its attack is unfinished ({done} of {asked} texts)"
        if self.attacked.robust is None:
            return "the attack had no text to try anything on"
        return ""


@dataclass(frozen=True)
class Group:
    """The sides that compare, the one that others are held against first."""

    title: str
    sides: tuple[Side, ...]
    audited: Audited | None
    left_out: tuple[Side, ...]

    @property
    def tests(self) -> list[Difference]:
        """Each other side against the first; none where the attack is worth little."""
        if self.audited is not None and self.audited.doubtful:
            return []
        return [difference(self.sides[0].attempts, side.attempts) for side in self.sides[1:]]


def groups_of(runs: Sequence[Run]) -> Iterator[Group]:
    """Every attack on every task with the sides that it compares, in the order of the tables.

    Raises:
        UserError: a line of an attack's records is no record of an attack.
    """
    table = rows([run.card for run in runs])
    known = {(one.task, one.recipe, one.profile, one.fingerprint): one for one in audited(table)}
    blocks: dict[tuple[str, str, str, str], list[Side]] = {}
    for side, recipe in _sides(runs, table):
        setting = side.row.setting
        encoder = "" if setting.method == STRANGER else setting.encoder
        block = (setting.task, encoder, side.row.profile, recipe)
        blocks.setdefault(block, []).append(side)
    for (task, encoder, profile, recipe), sides in blocks.items():
        model = encoder_name(encoder) if encoder else "models from elsewhere"
        title = f"{TASKS.get(task, task)}, {ATTACKS.get(recipe, recipe)} ({profile}), {model}"
        alike = _alike(sides)
        for (fingerprint, tested, texts), members in alike.items():
            what = (task, recipe, profile.replace(CALIBRATED, ""), fingerprint)
            apart = (
                f"recipe {fingerprint or 'not told'}",
                f"test rows {tested or 'not told'}",
                texts,
            )
            differing = [
                name for at, name in enumerate(apart) if len({key[at] for key in alike}) > 1
            ]
            fit = sorted(
                (side for side in members if not side.fault),
                key=lambda side: side.row.setting.method != "finetune",
            )
            yield Group(
                ", ".join([title, *differing]),
                tuple(fit),
                known.get(what),
                tuple(side for side in members if side.fault),
            )


def _sides(runs: Sequence[Run], table: Sequence[ResultRow]) -> Iterator[tuple[Side, str]]:
    by_card = {id(run.card): run for run in runs}
    seeds = by_setting([run.card for run in runs])
    for row in table:
        for recipe in sorted(row.attacks, key=lambda name: position(name, ATTACKS)):
            attempts = [
                attempt(by_card[id(card)], key)
                for card in seeds[row.setting]
                for key, summary in card["attacks"].items()
                if (recipe, row.profile) == _named(AttackKey.parse(key, summary))
            ]
            yield Side(row, row.attacks[recipe], tuple(attempts)), recipe


def _named(key: AttackKey) -> tuple[str, str]:
    return key.recipe, key.variant


def _alike(sides: Sequence[Side]) -> dict[tuple[str, str, str], list[Side]]:
    """The sides that compare, by recipe, test rows and, where a seed was run again, the texts.

    The latter two are empty where they tell nothing apart.
    """
    told = {hash_ for side in sides for hash_ in side.row.tested}
    again = any(side.row.setting.sample for side in sides)
    found: dict[tuple[str, str, str], list[Side]] = {}
    for side in sides:
        tested = ", ".join(sorted(side.row.tested)) if len(told) > 1 else ""
        recipe = ", ".join(sorted(side.attacked.fingerprints))
        texts = ", ".join(sorted(set(map(sample_name, side.attacked.samples)))) if again else ""
        found.setdefault((recipe, tested, texts), []).append(side)
    return found
