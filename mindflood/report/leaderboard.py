"""``leaderboard.html``: a row an attack on a model, of every card, in one sortable page."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import Card, Run
from mindflood.cards.rates import Rate, accuracy_under_attack, attack_success_rate, untouched
from mindflood.cards.schema import AttackSummary
from mindflood.report.numbers.aggregate import rows as result_rows
from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.names import ATTACKS, METHODS, TASKS, encoder_name, position
from mindflood.report.tables.audits import doubt_notes
from mindflood.report.tables.layout import Cell, Number, Range, text_of
from mindflood.report.tables.notes import warning_notes
from mindflood.visible import visible

FILTERS = ("Data set", "Encoder", "Attack", "Fingerprint")
_FOLDER = "mindflood.report"


@dataclass(frozen=True)
class Shown:
    """A cell: its text, and what the page sorts it by; None comes last in either direction."""

    text: str
    number: float | None = None
    numeric: bool = False

    @property
    def key(self) -> str:
        """As the page's script reads it."""
        return "" if self.number is None else repr(self.number)


@dataclass(frozen=True)
class Entry:
    """One row: its cells by column, and the card as a link from beside the page."""

    cells: Mapping[str, Shown]
    card: str
    href: str


def entries(runs: Sequence[Run], folder: Path) -> list[Entry]:
    """A row an attack of every card below ``folder``.

    By data set and exact attack, and in these by validated accuracy under attack, or by the plain
    one where nobody read the successes.
    """
    found = [
        (run, AttackKey.parse(key, summary), summary)
        for run in runs
        for key, summary in run.card["attacks"].items()
    ]
    found.sort(key=lambda one: _order(*one))
    return [_entry(*one, folder) for one in found]


def page(runs: Sequence[Run], folder: Path) -> str:
    """The page: one file without any other, readable without its script.

    No text of a card can run in it: all are escaped, and the page lets no script run but the one
    whose hash it names.
    """
    import jinja2
    import markupsafe

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.finalize = lambda value: visible(value) if type(value) is str else value
    script, template = _text("leaderboard.js"), _text("leaderboard.html")
    rows = entries(runs, folder)
    choices = {
        name: sorted({entry.cells[name].text for entry in rows}, key=str.casefold)
        for name in FILTERS
    }
    return environment.from_string(template).render(
        name=folder.resolve().name,
        number_of_cards=sum(bool(run.card["attacks"]) for run in runs),
        warnings=_warnings([run.card for run in runs]),
        rows=rows,
        columns=list(rows[0].cells) if rows else [],
        numeric={name for name, cell in rows[0].cells.items() if cell.numeric} if rows else set(),
        filters=choices,
        script=markupsafe.Markup(script),
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _warnings(cards: Sequence[Card]) -> list[str]:
    """What speaks against a model or an attack: first the cards' own, then what readers found."""
    table = result_rows(cards)
    return [*warning_notes(cards), *doubt_notes(table, table)]


def _entry(run: Run, key: AttackKey, summary: AttackSummary, folder: Path) -> Entry:
    card, place = run.card, (run.folder.relative_to(folder) / "card.json").as_posix()
    attack = ATTACKS.get(key.recipe, key.recipe)
    cells = {
        "Method": Shown(METHODS.get(card["method"], card["method"])),
        "Data set": Shown(TASKS.get(card["task"], card["task"])),
        "Encoder": Shown(encoder_name(card["encoder"])),
        "b": _number(_plain(card["flood_level"], digits=3)),
        "Seed": _number(_plain(card["seed"], digits=0)),
        "Attack": Shown(f"{attack} ({key.variant})"),
        "Texts": _number(_plain(summary["num_examples"], digits=0)),
        "Clean%": _number(_percent(card["clean_accuracy"])),
        "Aua%": _number(_aua(summary)),
        "Valid%": _number(_validated(summary)),
        "Suc%": _number(_open_or_number(attack_success_rate(summary))),
        "#Query": _number(_plain(summary["mean_queries"], digits=1)),
        "Fingerprint": Shown(summary["fingerprint"]),
    }
    return Entry(cells, place, f"./{quote(place)}")


def _order(run: Run, key: AttackKey, summary: AttackSummary) -> tuple[object, ...]:
    rank = _number(_validated(summary) or _aua(summary)).number
    return (
        position(run.card["task"], TASKS),
        position(key.recipe, ATTACKS),
        key,
        summary["fingerprint"],
        -(rank or 0.0),
        run.folder.as_posix(),
    )


def _aua(summary: AttackSummary) -> Cell:
    """Aua% with Wilson's interval for the choice of the texts, or what it lies between."""
    rate = accuracy_under_attack(summary)
    if rate is None or rate.number is None:
        return _open_or_number(rate)
    counted = summary["num_examples"] - untouched(summary)
    low, high = wilson(rate.number * counted, counted)
    return Number(100 * rate.number, ends=(100 * low, 100 * high))


def _validated(summary: AttackSummary) -> Cell:
    """The Aua% in which a success that changed the meaning is none.

    None where nobody looked, or where undecided texts leave Aua% a range.
    """
    rate = accuracy_under_attack(summary)
    if "audit" not in summary or rate is None or rate.number is None:
        return None
    audit = summary["audit"]
    ends = audit.get("validated_accuracy_interval")
    return Number(
        100 * audit["validated_accuracy"],
        ends=(100 * ends[0], 100 * ends[1]) if ends else None,
    )


def _open_or_number(rate: Rate | None) -> Cell:
    if rate is None:
        return None
    if rate.number is None:
        return Range(100 * rate.low, 100 * rate.high)
    return Number(100 * rate.number)


def _percent(share: float | None) -> Cell:
    return None if share is None else Number(100 * share)


def _plain(value: float | None, *, digits: int) -> Cell:
    return None if value is None else Number(value, digits=digits)


def _number(cell: Cell) -> Shown:
    value = cell.value if isinstance(cell, Number) else None
    return Shown(text_of(cell), cell.low if isinstance(cell, Range) else value, numeric=True)


def _text(name: str) -> str:
    return resources.files(_FOLDER).joinpath(name).read_text("utf-8")
