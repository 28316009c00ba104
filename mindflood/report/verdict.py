"""The report in a sentence or two for each attack: who keeps more texts, and is that chance.

Models compare as in the tables: one task, encoder and profile, equal recipes, equal test rows. Each
method is held against fine-tuning, or against the first where there is none, by
:func:`mindflood.report.numbers.difference.difference`; a difference is claimed where Holm's p, over
all comparisons of a report, is below 0.05. From an attack whose successes often change the label
nothing is claimed but what validated intervals that do not overlap show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mindflood.cards.cards import Run
from mindflood.cards.rates import undecided, untouched
from mindflood.report.numbers.difference import (
    FISHER,
    LEVEL,
    SEEDS_AND_TEXTS,
    Difference,
    holm,
)
from mindflood.report.numbers.kinds import kind_of
from mindflood.report.numbers.names import (
    STRANGER,
)
from mindflood.report.sides import Group, Side, groups_of
from mindflood.report.tables.audits import validated_cell
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


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """A verdict for every attack on every task, in the order of the tables.

    Raises:
        UserError: a line of an attack's records is no record of an attack.
    """
    groups = list(groups_of(runs))
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
    """The classifiers that no attack is on the card of; nothing is known of their robustness.

    Models of other kinds of task cannot be attacked.
    """
    classifiers = (run for run in runs if kind_of(run.card) == "classification")
    return [run for run in classifiers if not run.card["attacks"]]


def _verdict(
    group: Group, tests: Sequence[Difference], adjusted: Sequence[float], number: int
) -> Verdict:
    said = _doubtful(group) if _is_doubtful(group) else _compared(group, tests, adjusted)
    told = [_told(group, tests, adjusted)] if tests else []
    return Verdict(
        group.title,
        said,
        (*told, *_details(group, tests)),
        tuple(_rules(group, tests, number)),
    )


def _is_doubtful(group: Group) -> bool:
    return group.audited is not None and group.audited.doubtful


def _compared(group: Group, tests: Sequence[Difference], adjusted: Sequence[float]) -> str:
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


def _shows(sign: int, first: Side, other: Side) -> bool:
    """Whether the rates that are printed show the difference too; pairs leave out more texts."""
    rates = [side.attacked.accuracy for side in (first, other)]
    known = [rate.mean for rate in rates if rate is not None]
    return len(known) < len(rates) or sign * (known[1] - known[0]) > 0


def _doubtful(group: Group) -> str:
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


def _validated(group: Group) -> str:
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


def _keeps(side: Side) -> str:
    return f"{side.name} keeps {_kept(side)}"


def _kept(side: Side, beside: Side | None = None) -> str:
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


def _chance(group: Group) -> str:
    several = any(side.attacked.seeds > 1 for side in group.sides)
    return "the choice of texts and seeds" if several else "the choice of the texts"


def _told(group: Group, tests: Sequence[Difference], adjusted: Sequence[float]) -> str:
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


def _details(group: Group, tests: Sequence[Difference]) -> Iterator[str]:
    yield from (f"{side.name} is not compared: {side.fault}." for side in group.left_out)
    if tests and len({side.attacked.samples for side in group.sides}) > 1:
        yield "They were attacked on different samples of texts."
    successes = any(side.attacked.counts["succeeded"] for side in group.sides)
    if successes and (group.audited is None or group.audited.audit is None):
        yield "None of its successes was read: how many keep the label is not known."
    elif not _is_doubtful(group) and (found := _validated(group)):
        yield f"{found}."


def _rules(group: Group, tests: Sequence[Difference], number: int) -> Iterator[str]:
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
