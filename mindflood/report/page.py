"""``report.html``: one self-contained page; the leaderboard, tables and figures are beside it."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

from mindflood.cards.attack_key import CALIBRATED, AttackKey
from mindflood.cards.cards import Card, Run, find_runs, probe_findings
from mindflood.errors import UserError
from mindflood.files import write_text
from mindflood.report import leaderboard
from mindflood.report.examples import examples
from mindflood.report.figures.every import COMPARISONS, Drawn, comparisons, figures
from mindflood.report.gains import gains_table
from mindflood.report.numbers.aggregate import order, rows, setting_of
from mindflood.report.numbers.names import METHODS, TASKS, encoder_name
from mindflood.report.numbers.units import loss_units
from mindflood.report.tables import altinisik, published
from mindflood.report.tables.analyses import ball_table, generalisation_table
from mindflood.report.tables.attacks import attacks_table
from mindflood.report.tables.audits import audits_table, doubt_notes
from mindflood.report.tables.calibration import calibration_table
from mindflood.report.tables.crossings import crossings_table
from mindflood.report.tables.freelb import freelb_tables
from mindflood.report.tables.held_out import held_out_table
from mindflood.report.tables.layout import Number, Table, section_columns, sections, text_of
from mindflood.report.tables.medians import medians_table
from mindflood.report.tables.neurons import neuron_tables
from mindflood.report.tables.notes import FALLBACK
from mindflood.report.tables.paper import (
    counts_table,
    doubt_lines,
    table1,
    table2,
    table3,
    tasks_of,
)
from mindflood.report.tables.recipes import recipe_lines
from mindflood.report.tables.render import comma_separated, latex, markdown
from mindflood.report.tables.transfer import transfer_tables
from mindflood.report.verdict import rules, unattacked, verdicts
from mindflood.visible import visible

# The second is what the pages had before they named their maker.
_MARKS = (
    '<meta name="generator" content="mindflood report">',
    "<h1>How robust each method made the model</h1>",
)


@dataclass(frozen=True)
class RunFigures:
    """The figures of one run under the run's title."""

    title: str
    name: str
    drawn: list[Drawn]


def report(folder: Path) -> Path:
    """Write ``report.html``, ``leaderboard.html`` and ``report/`` from the cards below ``folder``.

    Returns:
        The path of the page.

    Raises:
        UserError: no card below ``folder``, one that is not a card, a broken trace, no permission
            to write, or files of somebody else that would be overwritten.
    """
    folder = Path(folder)
    _check_place(folder)
    runs = sorted(find_runs(folder), key=lambda run: order(setting_of(run.card)))
    tables = every_table(runs)
    compared = comparisons(runs)
    curves = _figures(runs, folder)
    page = _page(folder, runs, tables, compared, curves)
    write_text(folder / "report.html", page)  # first: it marks report/ as ours
    write_text(folder / "leaderboard.html", leaderboard.page(runs, folder))
    for group in tables:
        _write_tables(folder / "report", group)
    for run in curves:
        for figure in run.drawn:
            write_text(folder / "report" / f"{run.name}-{figure.kind}.svg", figure.svg)
    for kind in COMPARISONS:
        alike = [figure.svg for _, figure in compared if figure.kind == kind]
        for number, svg in enumerate(alike, start=1):
            write_text(folder / "report" / f"{kind}-{number}.svg", svg)
    return folder / "report.html"


def every_table(runs: Sequence[Run]) -> list[list[Table]]:
    """The tables that the runs give, those of one file together.

    Raises:
        UserError: a run's trace is broken.
    """
    cards = [run.card for run in runs]
    tasks = tasks_of(cards)
    tables = [
        [table2(cards, tasks), counts_table(cards)],
        [table1(cards, tasks)],
        [table3(cards, tasks)],
    ]
    calibrated = [row for row in rows(cards) if CALIBRATED in row.profile]
    further = (
        attacks_table(cards),
        gains_table(runs),
        audits_table(cards),
        medians_table(cards),
        crossings_table(runs),
        replace(calibration_table(cards), recipes=recipe_lines(calibrated)),
        held_out_table(cards),
        ball_table(cards),
        generalisation_table(cards),
        altinisik.success_table(cards),
        altinisik.time_table(cards),
    )
    tables += [[table] for table in further if table.rows]
    tables += [[table] for table in (*freelb_tables(cards), *neuron_tables(cards))]
    return tables + [found for found in [transfer_tables(cards)] if found[0].rows]


def _check_place(folder: Path) -> None:
    """Find out whether page and files would take the place of an earlier report's only."""
    page, files = folder / "report.html", folder / "report"
    for place in (page, folder / "leaderboard.html"):
        if place.exists():
            text = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
            if not any(mark in text for mark in _MARKS):
                raise UserError(f"{place}: is there, and is no report of ours; move it away")
    if page.exists():
        return
    if files.exists() and not (files.is_dir() and not any(files.iterdir())):
        raise UserError(
            f"{files}: is not empty, and no report of ours is beside it; move it away: tables and "
            "figures go there"
        )


def _write_tables(folder: Path, group: Sequence[Table]) -> None:
    name = group[0].name
    write_text(folder / f"{name}.md", markdown(*group))
    write_text(folder / f"{name}.tex", latex(*group))
    for table in group:
        write_text(folder / f"{table.name}.csv", comma_separated(table))


def _figures(runs: Sequence[Run], folder: Path) -> list[RunFigures]:
    names = _file_names([run.folder.relative_to(folder).as_posix() for run in runs])
    drawn = [(run, name, figures(run, name)) for run, name in zip(runs, names, strict=True)]
    return [RunFigures(_title(run.card), name, some) for run, name, some in drawn if some]


def _file_names(places: Sequence[str]) -> list[str]:
    """A plain name a place, numbered only against its like: a later report draws over the same."""
    names: list[str] = []
    for place in places:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", place).strip("-") or "run"
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
        names.append(next(name for name in numbered if name not in names))
    return names


def _title(card: Card) -> str:
    task, method = (
        TASKS.get(card["task"], card["task"]),
        METHODS.get(card["method"], card["method"]),
    )
    level = "" if card["flood_level"] is None else f", b = {card['flood_level']:.3g}"
    seed = "" if card["seed"] is None else f", seed {card['seed']}"
    return f"{task}, {method}{level}{seed}"


def _page(
    folder: Path,
    runs: Sequence[Run],
    tables: Sequence[Sequence[Table]],
    compared: Sequence[tuple[str, Drawn]],
    curves: Sequence[RunFigures],
) -> str:
    import jinja2

    cards = [run.card for run in runs]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.finalize = _visible
    environment.tests["number"] = lambda cell: isinstance(cell, Number)
    environment.filters["text_of"] = text_of
    environment.filters["unbroken"] = _unbroken
    found = verdicts(runs)
    doubts = doubt_lines(cards)
    template = resources.files("mindflood.report").joinpath("report.html").read_text("utf-8")
    return environment.from_string(template).render(
        name=folder.resolve().name,
        number_of_runs=len(runs),
        verdicts=found,
        rules=rules(found),
        doubts=doubts,
        unattacked=[_below(folder, run.folder) for run in unattacked(runs)],
        sections=sections,
        loss_units=loss_units(cards),
        section_columns=section_columns,
        conditions=conditions(cards),
        tables=_said_once([table for group in tables for table in group], doubts, cards),
        published=[table for table in _not_shown(tasks_of(cards)) if table.rows],
        compared=compared,
        curves=curves,
        fallback=FALLBACK if any(map(_fell_back, cards)) else "",
        examples=examples(runs),
    )


def _unbroken(text: str) -> str:
    """``text`` with no line's end between a number and its sign."""
    return re.sub(r"(?<=\d) (?=%)|(?<=p) (?=[=<])|(?<=[=<]) (?=\d)", "\u00a0", text)


def _below(folder: Path, run: Path) -> str:
    """A run as one who stands beside the report's folder names it, quoted for a shell."""
    return shlex.quote((Path(folder.resolve().name) / run.relative_to(folder)).as_posix())


def _not_shown(tasks: Sequence[str]) -> list[Table]:
    """The published tables of the tasks that none of the runs is of."""
    others = [task for task in published.tasks() if task not in tasks]
    return [table([], others) for table in (table2, table1, table3)]


def _fell_back(card: Card) -> bool:
    return probe_findings(card).get("source") == "fallback"


def _visible(value: Any) -> Any:
    """What the page shows; a figure is drawn already, from texts that were made visible there."""
    return visible(value) if type(value) is str else value


def _said_once(tables: Sequence[Table], said: Sequence[str], cards: Sequence[Card]) -> list[Table]:
    """The tables that have rows, without the notes that stand further up on the page.

    That an attack often changes the label itself is said under each of its numbers.
    """
    before, shown, table2_rows = set(said), [], rows(cards)
    always = set(doubt_notes(table2_rows, table2_rows))
    for table in tables:
        if table.rows:
            notes = tuple(note for note in table.notes if note not in before - always)
            shown.append(replace(table, notes=notes))
            before.update(table.notes)
    return shown


def conditions(cards: Sequence[Card]) -> list[tuple[str, str]]:
    """Under what the numbers came about: name and value, in the order of the page.

    A value without a name belongs to the name before it.
    """
    attacks = [item for card in cards for item in card["attacks"].items()]
    seeds = sorted({card["seed"] for card in cards if card["seed"] is not None})
    versions: dict[str, set[str]] = {}
    for card in cards:
        for package, version in card["versions"].items():
            versions.setdefault(package, set()).add(version)
    found = {
        "Encoder": ", ".join(sorted({encoder_name(card["encoder"]) for card in cards})),
        "Attack profile": ", ".join(sorted({AttackKey.parse(key).variant for key, _ in attacks})),
        "Texts of a pair that change": ", ".join(
            sorted({f"{key}: {found['columns']}" for key, found in attacks if "columns" in found})
        ),
        "Seeds": ", ".join(map(str, seeds)),
        "Versions": ", ".join(
            f"{package} {' and '.join(sorted(found))}"
            for package, found in sorted(versions.items())
        ),
    }
    stated = [(name, value) for name, value in found.items() if value]
    lines = recipe_lines(rows(cards))
    return stated + [("" if at else "Recipes", line) for at, line in enumerate(lines)]
