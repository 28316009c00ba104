"""What people who read an attack's successes found, beside and below the numbers of that attack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mindflood.cards.attack_key import CALIBRATED, AttackKey
from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import Attacked, ResultRow, estimate, rows
from mindflood.report.numbers.names import ATTACKS, METHODS, STRANGER, TASKS, encoder_name
from mindflood.report.numbers.validated import KEEPS_LABEL, Audit, Rate, pooled, validated
from mindflood.report.tables.cells import share
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

VALIDATED = "Valid%"


@dataclass(frozen=True)
class Audited:
    """One exact recipe on one task; ``audit`` is None where none of its successes were read.

    ``successes`` tells whether there are some.
    """

    task: str
    recipe: str
    profile: str
    fingerprint: str
    audit: Audit | None
    successes: bool = True

    @property
    def doubtful(self) -> bool:
        """Whether so few of its successes keep the label that its numbers need a warning."""
        return self.audit is not None and self.audit.keeps_label().value < KEEPS_LABEL

    @property
    def name(self) -> str:
        """Attack, profile and task in the papers' names."""
        attack = f"{ATTACKS.get(self.recipe, self.recipe)} ({self.profile})"
        return f"{attack} on {TASKS.get(self.task, self.task)}"


def audited(table: Sequence[ResultRow]) -> list[Audited]:
    """Every exact recipe that attacked one of the rows, with all that was read of its successes."""
    found: dict[tuple[str, str, str, str], list[Audit]] = {}
    broke: set[tuple[str, str, str, str]] = set()
    for row in table:
        profile = row.profile.replace(CALIBRATED, "")  # successes of the same kind
        for recipe, attacked in row.attacks.items():
            for fingerprint in sorted(attacked.fingerprints):
                what = (row.setting.task, recipe, profile, fingerprint)
                found.setdefault(what, []).extend(
                    audit for name, audit in attacked.audits if name == fingerprint
                )
                if attacked.counts["succeeded"]:
                    broke.add(what)
    return [
        Audited(*what, pooled(audits) if audits else None, what in broke)
        for what, audits in found.items()
    ]


def validated_cell(attacked: Attacked) -> Number | None:
    """Validated Aua% with its interval; None unless every seed's successes were read.

    Of several seeds it reaches, as Aua's, at least over the t interval of their mean.
    """
    audits = [audit for _, audit in attacked.audits]
    if attacked.accuracy is None or len(audits) != attacked.accuracy.n:
        return None
    found, seeds = validated(audits), estimate([audit.validated().value for audit in audits])
    if seeds is not None and seeds.half is not None:
        low, high = max(0.0, found.value - seeds.half), min(1.0, found.value + seeds.half)
        found = Rate(found.value, min(found.low, low), max(found.high, high))
    return share(found)


def audit_notes(table: Sequence[ResultRow]) -> list[str]:
    """What was found of each recipe, and of which of them nothing is known."""
    every = audited(table)
    known = [f"{one.name}: {_found(one.audit)}" for one in every if one.audit is not None]
    unread = list(dict.fromkeys(one.name for one in every if one.audit is None and one.successes))
    if unread:
        known.append(
            f"Never audited: {'; '.join(unread)}. How many of these successes keep the label is "
            "not known ('mindflood audit')."
        )
    if any(one.audit is not None for one in every):
        known.append(
            f"{VALIDATED}: Aua% in which a success that changed the text's meaning does not count "
            "against the model, where successes of every seed were read; its interval is for the "
            "choice of the attacked texts and of the successes that were read and, in a row of "
            "several seeds, at least the 95 % t interval over these."
        )
    return [*known, *_seed_notes(table)]


def doubt_notes(shown: Sequence[ResultRow], among: Sequence[ResultRow]) -> list[str]:
    """The recipes of ``shown`` under whose numbers it has to stand that they often miss.

    Args:
        among: rows, those of ``shown`` included, whose audits tell of the recipes.
    """
    named = {replace(one, audit=None) for one in audited(shown)}
    return [
        f"{one.name}: {_found(one.audit)}"
        for one in audited(among)
        if one.doubtful and one.audit is not None and replace(one, audit=None) in named
    ]


def with_doubt(title: str, cards: Sequence[Card], task: str, attack: str, fingerprint: str) -> str:
    """The title of a figure, behind it the recipe's share that keep the label where it is low."""
    summaries = [card["attacks"].get(attack) for card in cards if card["task"] == task]
    audits = [
        audit
        for summary in summaries
        if summary is not None
        and summary["fingerprint"] == fingerprint
        and (audit := Audit.of_card(summary)) is not None
    ]
    share = pooled(audits).keeps_label().value if audits else 1.0
    if share >= KEEPS_LABEL:
        return title
    return f"{title}; only {100 * share:.0f} % of its successes keep the label"


def _found(audit: Audit) -> str:
    said = (
        f"of {audit.graded} successes that were read, {_words(audit.keeps_label())} keep the label "
        f"and {_words(audit.still_english())} are still English."
    )
    if audit.keeps_label().value >= KEEPS_LABEL:
        return said
    return (
        f"{said} That is under {100 * KEEPS_LABEL:g} %: much of what counts as broken is not, and "
        f"only {VALIDATED} may be compared."
    )


def _seed_notes(table: Sequence[ResultRow]) -> Iterator[str]:
    for row in table:
        for recipe, attacked in row.attacks.items():
            seeds = attacked.accuracy.n if attacked.accuracy else 0
            if 0 < len(attacked.audits) < seeds:
                method = METHODS.get(row.setting.method, row.setting.method)
                yield (
                    f"{ATTACKS.get(recipe, recipe)} ({row.profile}): of {method}, successes of "
                    f"{len(attacked.audits)} of {seeds} seeds were read; {VALIDATED} needs all."
                )


def audits_table(cards: Sequence[Card]) -> Table:
    """A row for every attack whose successes were read."""
    columns = (
        Column("Dataset", numeric=False),
        Column("Model", numeric=False),
        Column("Method", numeric=False),
        Column("Seed"),
        Column("Attack", numeric=False),
        Column("Keep the label%"),
        Column("Still English%"),
        Column("Aua%"),
        Column(VALIDATED),
        Column("Read"),
        Column("Unclear"),
        Column("Successes"),
        Column("Sheet", numeric=False),
    )
    lines, table = [], rows(cards)
    for card in cards:
        for key, summary in card["attacks"].items():
            audit = Audit.of_card(summary)
            if audit is not None:
                sheet = str(summary["audit"].get("sheet", ""))
                lines.append(TableRow(_cells(card, key, audit, sheet)))
    notes = (
        "Read: successes drawn at random and graded by readers who were not told model or method. "
        "Intervals of the two shares are Wilson's; unclear ones count in neither share's favour, "
        "and the intervals reach over both ways of settling them.",
        *doubt_notes(table, table),
    )
    caption = "Audits: what was found by reading the attacks' successes"
    return Table("audits", caption, columns, tuple(lines), notes)


def _cells(card: Card, key: str, audit: Audit, sheet: str) -> tuple[Cell, ...]:
    attack = AttackKey.parse(key)
    level = "" if card["flood_level"] is None else f", b = {card['flood_level']:.3g}"
    model = encoder_name(card["encoder"])
    return (
        TASKS.get(card["task"], card["task"]),
        model if card["method"] == STRANGER else f"ours: {model}",
        METHODS.get(card["method"], card["method"]) + level,
        None if card["seed"] is None else str(card["seed"]),
        f"{ATTACKS.get(attack.recipe, attack.recipe)} ({attack.variant})",
        share(audit.keeps_label()),
        share(audit.still_english()),
        Number(100 * audit.held / audit.attacked),
        share(audit.validated()),
        str(audit.graded),
        str(audit.unclear),
        str(audit.successes),
        sheet or None,
    )


def _words(rate: Rate) -> str:
    return f"{100 * rate.value:.0f} % ({100 * rate.low:.0f} to {100 * rate.high:.0f})"
