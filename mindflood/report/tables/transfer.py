"""Robustness that may be a weak search: models that fall to the texts that fooled other models.

The rule. Of n attacked texts a model *holds* those on which its own attack failed; of these, those
*fall* that some other model's adversarial text of the same recipe turns round. Each of them shows
that the own attack missed a text that it was allowed to find, so fell/n is by how much its accuracy
under attack is too high at least. It is flagged where the 95 % interval of fell/n (Wilson, for the
choice of the texts) lies above 5 points as a whole, as the calibration gap is from 5 points on.
Where only the rate itself reaches 5 points, the texts are too few to tell.

More models find more: compare models that were tried against the same others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import Card
from mindflood.cards.schema import TransferredAttack
from mindflood.report.numbers.aggregate import rows
from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.names import ATTACKS, METHODS, TASKS, encoder_name
from mindflood.report.tables.audits import doubt_notes
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

FLAGGED = 0.05  # the share of the attacked texts that its interval has to be above


@dataclass(frozen=True)
class Transferred:
    """One recipe against one model, with the texts of other models."""

    card: Card
    attack: str
    found: TransferredAttack

    @property
    def name(self) -> str:
        """What other models' cards call this one."""
        return str(self.card["analyses"]["transfer"]["name"])

    @property
    def lost(self) -> float:
        """The share of the attacked texts that its own attack left and another's text takes."""
        return float(self.found["fell"] / self.found["num_examples"])

    @property
    def interval(self) -> tuple[float, float]:
        """Of :attr:`lost`, 95 %."""
        return wilson(self.found["fell"], self.found["num_examples"])

    @property
    def stale(self) -> bool:
        """Whether the model was attacked anew since the texts were tried."""
        now: Any = self.card["attacks"].get(self.attack, {})
        of = (now.get("fingerprint"), now.get("failed"))
        return of != (self.found["fingerprint"], self.found["held"])

    @property
    def flagged(self) -> bool:
        """Whether the model's robustness is in part its own attack's weakness."""
        return not self.stale and self.interval[0] > FLAGGED

    @property
    def wide(self) -> bool:
        """Whether the rate alone reaches what is flagged."""
        return self.lost >= FLAGGED

    @property
    def rates(self) -> dict[str, tuple[float, int] | None]:
        """For each other model, the share of its texts that fool this one, and their number."""
        return {
            source: (tried["fooled"] / tried["tried"], tried["tried"]) if tried["tried"] else None
            for source, tried in self.found["from"].items()
        }

    @property
    def label(self) -> str:
        """The model as a figure names it."""
        level = "" if self.card["flood_level"] is None else f", b = {self.card['flood_level']:.3g}"
        seed = "" if self.card["seed"] is None else f", seed {self.card['seed']}"
        return f"{METHODS.get(self.card['method'], self.card['method'])}{level}{seed}"


def transferred(cards: Sequence[Card]) -> list[Transferred]:
    """Every recipe and model for which texts were tried; none was attacked on no text."""
    return [
        Transferred(card, attack, found)
        for card in cards
        for attack, found in card.get("analyses", {}).get("transfer", {}).get("attacks", {}).items()
        if found["num_examples"]
    ]


def matrices(cards: Sequence[Card]) -> Iterator[tuple[str, list[Transferred]]]:
    """Title and members of each set of models whose texts were tried on each other."""
    found: dict[tuple[object, ...], list[Transferred]] = {}
    for one in transferred(cards):
        models = frozenset({one.name, *one.found["from"]})
        key = (one.card["task"], one.attack, one.found["fingerprint"], models)
        found.setdefault(key, []).append(one)
    for members in found.values():
        yield f"{_attack(members[0])} on {_task(members[0])}", members


def transfer_tables(cards: Sequence[Card]) -> list[Table]:
    """What the others' texts take of each model's robustness, then each matrix."""
    found = transferred(cards)
    columns = (
        Column("Dataset", numeric=False),
        Column("Model", numeric=False),
        Column("Method", numeric=False),
        Column("Seed"),
        Column("Attack", numeric=False),
        Column("Aua%", "Own attack"),
        Column("Aua%", "With the others' texts"),
        Column("Lost", "With the others' texts"),
        Column("Of those held%"),
        Column("Models"),
        Column("n"),
        Column("Weak search?", numeric=False),
    )
    notes = (
        "With the others' texts: a text counts as broken, too, where another model's adversarial "
        "text of the same recipe fools this one. Lost: points of Aua% that this takes, with the "
        "95 % interval for the choice of the texts (Wilson); where it lies above "
        f"{100 * FLAGGED:g} points as a whole, the model's own attack was too weak on it, and its "
        "Aua% is in part an illusion. Models: how many others' texts were tried; more find more.",
        *transfer_notes(cards),
        *_doubts(cards, found),
    )
    caption = "Is the model robust, or the search weak? Other models' adversarial texts"
    first = Table("transfer", caption, columns, tuple(map(_line, found)), notes)
    return [first, *(_matrix(at, *one) for at, one in enumerate(matrices(cards), start=1))]


def transfer_notes(cards: Sequence[Card]) -> list[str]:
    """The models that are flagged."""
    return [
        f"{one.label}, {_attack(one)} on {_task(one)}: of {one.found['held']} texts that its own "
        f"attack left, {one.found['fell']} fall to other models' adversarial texts: at least "
        f"{100 * one.lost:.1f} points ({_ends(one)}) of its accuracy under attack are its own "
        "attack's weakness."
        for one in transferred(cards)
        if one.flagged
    ]


def _doubts(cards: Sequence[Card], found: Sequence[Transferred]) -> list[str]:
    """Warnings on the recipes whose texts often are no adversarial texts."""
    table, tried = rows(cards), {(one.card["task"], one.attack) for one in found}
    shown = rows(
        [
            {
                **card,
                "attacks": {k: v for k, v in card["attacks"].items() if (card["task"], k) in tried},
            }
            for card in cards
        ]
    )
    return doubt_notes(shown, table)


def _line(one: Transferred) -> TableRow:
    held, fell, texts = (one.found[name] for name in ("held", "fell", "num_examples"))
    low, high = wilson(held - fell, texts)
    verdict = "yes" if one.flagged else "too few texts" if one.wide else "no"
    if one.stale:
        verdict = "of an earlier attack: analyse again"
    lost = tuple(100 * end for end in one.interval)
    cells: tuple[Cell, ...] = (
        _task(one),
        f"ours: {encoder_name(one.card['encoder'])}",
        METHODS.get(one.card["method"], one.card["method"]),
        None if one.card["seed"] is None else str(one.card["seed"]),
        _attack(one),
        Number(100 * held / texts),
        Number(100 * (held - fell) / texts, ends=(100 * low, 100 * high)),
        Number(100 * one.lost, ends=(lost[0], lost[1])),
        Number(100 * fell / held) if held else None,
        str(len(one.found["from"])),
        str(texts),
        verdict,
    )
    return TableRow(cells)


def _matrix(number: int, title: str, members: Sequence[Transferred]) -> Table:
    """A row for each model whose texts were tried, a column for each that they were tried on."""
    labels = {one.name: one.label for one in members}
    columns = (
        Column("Texts of", numeric=False),
        *(Column(one.label, "Tried on") for one in members),
    )
    lines = []
    for source in sources(members):
        rates = [one.rates.get(source) for one in members]
        cells = [_percent(rate) for rate in rates]
        lines.append(TableRow((labels.get(source, source), *cells)))
    notes = (
        "Share of a model's successes, of those whose original the other model has right, that "
        "fool the other too (95 % intervals: Wilson).",
    )
    caption = f"Adversarial texts of one model tried on another (%): {title}"
    return Table(f"transfer_{number}", caption, columns, tuple(lines), notes)


def sources(members: Sequence[Transferred]) -> list[str]:
    """The models whose texts were tried: the members in their order, then others."""
    others = dict.fromkeys(name for one in members for name in one.found["from"])
    return list(dict.fromkeys([one.name for one in members if one.name in others]) | others)


def _percent(rate: tuple[float, int] | None) -> Number | None:
    if rate is None:
        return None
    share, tried = rate
    low, high = wilson(share * tried, tried)
    return Number(100 * share, digits=0, ends=(100 * low, 100 * high))


def _ends(one: Transferred) -> str:
    low, high = one.interval
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _attack(one: Transferred) -> str:
    key = AttackKey.parse(one.attack)
    return f"{ATTACKS.get(key.recipe, key.recipe)} ({key.variant})"


def _task(one: Transferred) -> str:
    return TASKS.get(one.card["task"], one.card["task"])
