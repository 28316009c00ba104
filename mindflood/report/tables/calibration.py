"""Robustness that may be an illusion: attacks on the victim as it is and calibrated, side by side.

A model whose confidence is extreme hides from the attack's search (Raina et al. 2024, 'Extreme
miscalibration and the illusion of adversarial robustness').
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import AttackSummary, Card
from mindflood.report.numbers.aggregate import Attacked, ResultRow, attacked, by_setting, rows
from mindflood.report.numbers.names import ATTACKS, METHODS, TASKS, encoder_name
from mindflood.report.tables.audits import doubt_notes
from mindflood.report.tables.layout import Cell, Column, Number, Range, Table, TableRow

FLAGGED = 0.05  # a fall of the accuracy under attack that is pointed out,
FEWEST = 3  # if so many texts make it: in a small sample one or two are points enough


@dataclass(frozen=True)
class Pair:
    """One recipe against one setting: the victim as it is, and calibrated."""

    row: ResultRow
    recipe: str
    plain: Attacked
    calibrated: Attacked

    @property
    def gap(self) -> float | None:
        """Accuracy under attack that is lost when the victim is calibrated, as a fraction."""
        before, after = self.plain.accuracy, self.calibrated.accuracy
        return None if before is None or after is None else before.mean - after.mean

    @property
    def alike(self) -> bool:
        """Whether both attacks are the same on the same texts, and finished."""
        return (
            self.plain.fingerprints == self.calibrated.fingerprints
            and self.plain.samples == self.calibrated.samples
            and all(
                one.counts["num_examples"] == one.requested for one in (self.plain, self.calibrated)
            )
        )

    @property
    def left_out(self) -> tuple[int, int]:
        """Texts that ran out of budget or raised, as it is and calibrated: in no accuracy."""
        before, after = (
            one.counts["out_of_budget"] + one.counts["errors"]
            for one in (self.plain, self.calibrated)
        )
        return before, after

    @property
    def is_open(self) -> bool:
        """Whether undecided texts leave one of the accuracies a range: then there is no gap."""
        return any(
            one.robust is not None and one.robust.is_open for one in (self.plain, self.calibrated)
        )

    @property
    def comparable(self) -> bool:
        """Whether both accuracies are over the same texts, as far as their counts tell."""
        return self.alike and not self.is_open and self.left_out[0] == self.left_out[1]

    @property
    def texts(self) -> int:
        """By how many texts, over all seeds, fewer stay right when the victim is calibrated."""
        return self.plain.counts["failed"] - self.calibrated.counts["failed"]

    @property
    def wide(self) -> bool:
        """Whether the gap has the points that are pointed out, whatever the number of texts."""
        return self.comparable and self.gap is not None and round(self.gap, 9) >= FLAGGED

    @property
    def flagged(self) -> bool:
        """Whether the gap is to be pointed out."""
        return self.wide and self.texts >= FEWEST


def pairs(cards: Sequence[Card]) -> Iterator[Pair]:
    """The attacks on the victim as it is and on the calibrated one, of the seeds that have both."""
    shown = {(row.setting, row.profile): row for row in rows(cards)}
    for setting, members in by_setting(cards).items():
        found: dict[AttackKey, list[tuple[AttackSummary, AttackSummary]]] = {}
        for card in members:
            known = {AttackKey.parse(key, one): one for key, one in card["attacks"].items()}
            for key, calibrated in known.items():
                if key.calibrated and key.plain in known:
                    found.setdefault(key.plain, []).append((known[key.plain], calibrated))
        for key, seeds in found.items():
            before, after = zip(*seeds, strict=True)
            yield Pair(shown[setting, key.variant], key.recipe, attacked(before), attacked(after))


def gap_notes(cards: Sequence[Card]) -> list[str]:
    """The gaps that are pointed out, and the attacks whose budgets would hide one."""
    found = list(pairs(cards))
    illusions = [
        f"{_where(pair)}: calibrating the victim takes {100 * (pair.gap or 0):.1f} points "
        f"({pair.texts} of {pair.plain.counts['num_examples']} texts) of its accuracy under "
        "attack: so much of its robustness was extreme confidence that hides it from the search, "
        "an illusion (Raina et al. 2024)."
        for pair in found
        if pair.flagged
    ]
    hidden = [
        f"{_where(pair)}: {pair.left_out[0]} texts of the victim as it is and {pair.left_out[1]} "
        "of the calibrated one are undecided (they ran out of budget or raised): the two do not "
        "compare, and an illusion cannot be told; attack again with a larger budget."
        for pair in found
        if pair.alike and not pair.comparable
    ]
    return illusions + hidden


def _where(pair: Pair) -> str:
    setting = pair.row.setting
    attack = f"{ATTACKS.get(pair.recipe, pair.recipe)} ({pair.row.profile})"
    return f"{_name(pair)}, {attack} on {TASKS.get(setting.task, setting.task)}"


def _name(pair: Pair) -> str:
    setting = pair.row.setting
    name = METHODS.get(setting.method, setting.method)
    if setting.variant:
        name = f"{name} ({setting.variant})"
    return name if setting.level is None else f"{name}, b = {setting.level:g}"


def calibration_table(cards: Sequence[Card]) -> Table:
    """A row for every attack that was also made on the calibrated victim."""
    found = list(pairs(cards))
    shown = [replace(pair.row, attacks={pair.recipe: pair.plain}) for pair in found]
    columns = (
        Column("Dataset", numeric=False),
        Column("Model", numeric=False),
        Column("Method", numeric=False),
        Column("Attack", numeric=False),
        Column("Aua%", "As it is"),
        Column("ECE%", "As it is"),
        Column("Aua%", "Calibrated"),
        Column("ECE%", "Calibrated"),
        Column("Gap", numeric=True),
        Column("Temperature", numeric=False),
        Column("Illusion?", numeric=False),
    )
    notes = (
        "Calibrated: the logits are divided by the temperature, in float64. It changes no "
        "prediction, only what the attack's search can see. Gap: points of Aua% that this costs; "
        f"from {100 * FLAGGED:g} points on it is flagged, if at least {FEWEST} texts make it.",
        "ECE%: expected calibration error of the victim on the attacked texts (15 bins of equal "
        "width, Guo et al. 2017), which is above zero for few texts even where the model is "
        "calibrated. Temperature: fitted to rows that were not attacked, the one of several that "
        "weakens the model most on such rows, or given. Both rates are of the seeds "
        "that have both.",
        *doubt_notes(shown, rows(cards)),
    )
    lines = tuple(_line(pair) for pair in found)
    caption = "Accuracy under attack of the victim as it is and calibrated"
    return Table("calibration", caption, columns, lines, notes)


def _line(pair: Pair) -> TableRow:
    setting = pair.row.setting
    chosen = ", ".join(f"{value:g} {source}" for value, source in pair.calibrated.temperatures)
    verdict = "yes" if pair.flagged else "too few texts" if pair.wide else "no"
    if not pair.comparable:
        verdict = "undecided texts" if pair.is_open else "other texts left out"
        verdict = verdict if pair.alike else "other texts or recipe"
    return TableRow(
        (
            TASKS.get(setting.task, setting.task),
            f"ours: {encoder_name(setting.encoder)}",
            _name(pair),
            f"{ATTACKS.get(pair.recipe, pair.recipe)} ({pair.row.profile})",
            *_numbers(pair.plain),
            *_numbers(pair.calibrated),
            None if pair.gap is None else Number(100 * pair.gap),
            chosen,
            verdict,
        )
    )


def _numbers(attacked: Attacked) -> tuple[Cell, Cell]:
    """Accuracy under attack and calibration error, in percent."""
    rates = (attacked.accuracy, attacked.calibration_error)
    accuracy, error = (None if rate is None else Number(100 * rate.mean) for rate in rates)
    if attacked.robust is not None and attacked.robust.is_open:
        low, high = attacked.robust.bounds
        return Range(100 * low, 100 * high), error
    return accuracy, error
