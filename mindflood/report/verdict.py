"""The report in a sentence or two for each attack: who keeps more texts, and is that chance.

Models compare as in the tables: one task, encoder and profile, equal recipes, equal test rows. Each
method is held against fine-tuning, or against the first where there is none, by
:func:`mindflood.report.numbers.difference.difference`; a difference is claimed where Holm's p, over
all comparisons of a report, is below 0.05. From an attack whose successes often change the label
nothing is claimed but what validated intervals that do not overlap show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mindflood.cards.attack_key import CALIBRATED, AttackKey
from mindflood.cards.cards import Run
from mindflood.cards.rates import undecided, untouched
from mindflood.report.numbers.aggregate import Attacked, ResultRow, by_setting, rows
from mindflood.report.numbers.difference import (
    FISHER,
    LEVEL,
    SEEDS_AND_TEXTS,
    Difference,
    difference,
    holm,
)
from mindflood.report.numbers.names import (
    ATTACKS,
    METHODS,
    STRANGER,
    TASKS,
    encoder_name,
    position,
)
from mindflood.report.numbers.outcomes import Attempt, attempt
from mindflood.report.tables.audits import Audited, audited, validated_cell
from mindflood.report.tables.layout import Number

_SAME = "no difference can be told"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one attack on one task.

    ``details`` tell the test and its p values, and what holds of this verdict alone; ``rules`` are
    true wherever they stand, and are to be read once below all verdicts.
    """

    title: str
    sentence: str
    details: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Side:
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
class _Group:
    """The sides that one verdict is of, the one that others are held against first."""

    title: str
    sides: tuple[_Side, ...]
    audited: Audited | None
    left_out: tuple[_Side, ...]

    @property
    def tests(self) -> list[Difference]:
        """Each other side against the first; none where the attack is worth little."""
        if self.audited is not None and self.audited.doubtful:
            return []
        return [difference(self.sides[0].attempts, side.attempts) for side in self.sides[1:]]


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """A verdict for every attack on every task, in the order of the tables.

    Raises:
        UserError: a line of an attack's records is no record of an attack.
    """
    groups = list(_groups(runs))
    tests = [group.tests for group in groups]
    adjusted = iter(holm([one.p for some in tests for one in some]))
    number = sum(map(len, tests))
    return [
        _verdict(group, found, [next(adjusted) for _ in found], number)
        for group, found in zip(groups, tests, strict=True)
    ]


def rules(found: Sequence[Verdict]) -> list[str]:
    """What is to be known of the verdicts, each thing once."""
    return list(dict.fromkeys(rule for one in found for rule in one.rules))


def unattacked(runs: Sequence[Run]) -> list[Run]:
    """The runs that no attack is on the card of; nothing is known of their robustness."""
    return [run for run in runs if not run.card["attacks"]]


def _groups(runs: Sequence[Run]) -> Iterator[_Group]:
    table = rows([run.card for run in runs])
    known = {(one.task, one.recipe, one.profile, one.fingerprint): one for one in audited(table)}
    blocks: dict[tuple[str, str, str, str], list[_Side]] = {}
    for side, recipe in _sides(runs, table):
        setting = side.row.setting
        encoder = "" if setting.method == STRANGER else setting.encoder
        block = (setting.task, encoder, side.row.profile, recipe)
        blocks.setdefault(block, []).append(side)
    for (task, encoder, profile, recipe), sides in blocks.items():
        model = encoder_name(encoder) if encoder else "models from elsewhere"
        title = f"{TASKS.get(task, task)}, {ATTACKS.get(recipe, recipe)} ({profile}), {model}"
        alike = _alike(sides)
        for (fingerprint, tested), members in alike.items():
            what = (task, recipe, profile.replace(CALIBRATED, ""), fingerprint)
            apart = {"recipe": fingerprint, "test rows": tested}
            differing = [
                f"{name} {value or 'not told'}"
                for at, (name, value) in enumerate(apart.items())
                if len({key[at] for key in alike}) > 1
            ]
            fit = sorted(
                (side for side in members if not side.fault),
                key=lambda side: side.row.setting.method != "finetune",
            )
            yield _Group(
                ", ".join([title, *differing]),
                tuple(fit),
                known.get(what),
                tuple(side for side in members if side.fault),
            )


def _sides(runs: Sequence[Run], table: Sequence[ResultRow]) -> Iterator[tuple[_Side, str]]:
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
            yield _Side(row, row.attacks[recipe], tuple(attempts)), recipe


def _named(key: AttackKey) -> tuple[str, str]:
    return key.recipe, key.variant


def _alike(sides: Sequence[_Side]) -> dict[tuple[str, str], list[_Side]]:
    """The sides that compare, by recipe and test rows; both empty where all are the same."""
    told = {hash_ for side in sides for hash_ in side.row.tested}
    found: dict[tuple[str, str], list[_Side]] = {}
    for side in sides:
        tested = ", ".join(sorted(side.row.tested)) if len(told) > 1 else ""
        recipe = ", ".join(sorted(side.attacked.fingerprints))
        found.setdefault((recipe, tested), []).append(side)
    return found


def _verdict(
    group: _Group, tests: Sequence[Difference], adjusted: Sequence[float], number: int
) -> Verdict:
    said = _doubtful(group) if _is_doubtful(group) else _compared(group, tests, adjusted)
    told = [_told(group, tests, adjusted)] if tests else []
    return Verdict(
        group.title,
        said,
        (*told, *_details(group, tests)),
        tuple(_rules(group, tests, number)),
    )


def _is_doubtful(group: _Group) -> bool:
    return group.audited is not None and group.audited.doubtful


def _compared(group: _Group, tests: Sequence[Difference], adjusted: Sequence[float]) -> str:
    if not group.sides:
        return "nothing to compare yet."
    first, *others = group.sides
    if not others:
        return f"{_keeps(first)}; there is nothing to compare it with."
    signs = [
        test.sign if p < LEVEL and _shows(test.sign, first, side) else 0
        for test, p, side in zip(tests, adjusted, others, strict=True)
    ]
    if len(others) == 1:
        more, less = (others[0], first) if signs[0] > 0 else (first, others[0])
        told = f"more than {_chance(group)} explains" if signs[0] else _SAME
        return f"{_keeps(more)}, {less.name} {_kept(less, more)}: {told}."
    listed = {
        f"More than {_chance(group)} explains is kept by": 1,
        f"Fewer than {_chance(group)} explains are kept by": -1,
        f"From this, {_SAME} of": 0,
    }
    parts = [
        f"{words} {'; '.join(f'{side.name}, {_kept(side, first)}' for side in found)}."
        for words, sign in listed.items()
        if (found := [side for side, one in zip(others, signs, strict=True) if one == sign])
    ]
    return " ".join([f"{_keeps(first)}.", *parts])


def _shows(sign: int, first: _Side, other: _Side) -> bool:
    """Whether the rates that are printed show the difference too; pairs leave out more texts."""
    rates = [side.attacked.accuracy for side in (first, other)]
    known = [rate.mean for rate in rates if rate is not None]
    return len(known) < len(rates) or sign * (known[1] - known[0]) > 0


def _doubtful(group: _Group) -> str:
    """An attack that often changes the label itself: nothing is claimed but of validated rates."""
    assert group.audited is not None
    assert group.audited.audit is not None
    audit = group.audited.audit
    share = f"{100 * audit.keeps_label().value:.0f} %"
    worth = (
        f"the numbers are worth little, for of {audit.graded} successes that were read only "
        f"{share} keep the label."
    )
    if not group.sides:
        return worth
    first, *others = group.sides
    kept = "; ".join([_keeps(first), *(f"{side.name} {_kept(side, first)}" for side in others)])
    cells = [validated_cell(side.attacked) for side in group.sides]
    known = [cell for cell in cells if cell is not None and cell.ends is not None]
    if not others:
        return f"{worth} {kept}."
    if len(known) < len(cells):
        return f"{worth} {kept}: {_SAME} from them."
    apart = [
        f"{side.name}'s is {'higher' if cell.value > known[0].value else 'lower'}"
        for side, cell in zip(others, known[1:], strict=True)
        if _are_apart(cell, known[0])
    ]
    told = "; ".join(apart) if apart else f"all intervals reach {first.name}'s, {_SAME}"
    return f"{worth} {kept}. {_validated(group)}: {told}."


def _are_apart(one: Number, other: Number) -> bool:
    assert one.ends is not None
    assert other.ends is not None
    return one.ends[0] > other.ends[1] or other.ends[0] > one.ends[1]


def _validated(group: _Group) -> str:
    """Validated rates where every side has one, else nothing."""
    cells = [validated_cell(side.attacked) for side in group.sides]
    if not cells or any(cell is None for cell in cells):
        return ""
    shown = "; ".join(
        f"{side.name} {cell.text} %"
        for side, cell in zip(group.sides, cells, strict=True)
        if cell is not None
    )
    return f"Without the successes that changed the meaning (validated): {shown}"


def _keeps(side: _Side) -> str:
    return f"{side.name} keeps {_kept(side)}"


def _kept(side: _Side, beside: _Side | None = None) -> str:
    """How many texts a side keeps; of how many, where it is not as many as ``beside`` it."""
    attacked, texts = side.attacked, "" if beside else " attacked texts"
    rate = attacked.robust
    if rate is not None and rate.is_open:
        return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %" + (texts and f" of the{texts}")
    assert attacked.accuracy is not None
    percent = f"{100 * attacked.accuracy.mean:.1f} %"
    if attacked.seeds > 1:
        return percent + (texts and f" of the{texts}")
    same = beside is not None and beside.attacked.seeds == 1 and beside.rated == side.rated
    count = f"{attacked.counts['failed']}" + ("" if same else f" of {side.rated}{texts}")
    return count if side.rated == 100 else f"{count} ({percent})"


def _chance(group: _Group) -> str:
    several = any(side.attacked.seeds > 1 for side in group.sides)
    return "the choice of texts and seeds" if several else "the choice of the texts"


def _told(group: _Group, tests: Sequence[Difference], adjusted: Sequence[float]) -> str:
    """Which test, over what, and p."""
    names = [side.name for side in group.sides[1:]] if len(tests) > 1 else [""]
    shown = ", ".join(f"{name} {_p(p)}".strip() for name, p in zip(names, adjusted, strict=True))
    kinds = dict.fromkeys(
        one.test + ("" if one.texts is None else f" ({one.texts} texts)") for one in tests
    )
    test = "; ".join(kinds)
    return f"{test[0].upper()}{test[1:]}: {shown}."


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def _details(group: _Group, tests: Sequence[Difference]) -> Iterator[str]:
    yield from (f"{side.name} is not compared: {side.fault}." for side in group.left_out)
    if tests and len({side.attacked.samples for side in group.sides}) > 1:
        yield "They were attacked on different samples of texts."
    if group.sides and (group.audited is None or group.audited.audit is None):
        yield "None of its successes was read: how many keep the label is not known."
    elif not _is_doubtful(group) and (found := _validated(group)):
        yield f"{found}."


def _rules(group: _Group, tests: Sequence[Difference], number: int) -> Iterator[str]:
    sides = group.sides
    if tests and number > 1:
        yield (
            f"p: Holm's, of the {number} comparisons of this report; a difference is claimed below "
            f"{LEVEL:g}, so that at most one report in {1 / LEVEL:.0f} claims one that is none."
        )
    strangers = all(side.row.setting.method == STRANGER for side in sides)
    if tests and not strangers and any(one.test != SEEDS_AND_TEXTS for one in tests):
        yield (
            "Where each side has one seed, the verdict is of these models, not of their methods: "
            "another seed may rank them anew."
        )
    if any(one.test == FISHER for one in tests):
        yield "Fisher's test compares counts, where it is not known who kept which text."
    if tests and any(undecided(side.attacked.counts) for side in sides):
        yield "Undecided texts (out of budget, or an error) count against a difference."
    if any(untouched(side.attacked.counts) for side in sides):
        yield "Untouched texts, on which the attack had nothing to try, are left out."
