"""The Flooding-X paper's Tables 1 to 3 from result cards, the published numbers beside ours."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import (
    ResultRow,
    by_setting,
    costs,
    rows,
)
from mindflood.report.numbers.names import (
    ATTACKS,
    STRANGER,
    TASKS,
    encoder_name,
    position,
)
from mindflood.report.tables import published
from mindflood.report.tables.audits import VALIDATED, audit_notes, doubt_notes, validated_cell
from mindflood.report.tables.calibration import gap_notes
from mindflood.report.tables.cells import (
    estimated,
    method_name,
    percent,
    queries,
    robust,
    row_names,
    task_name,
)
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow
from mindflood.report.tables.notes import (
    attack_notes,
    condition_notes,
    crossing_notes,
    data_notes,
    label_notes,
    search_notes,
    seed_notes,
    warning_notes,
)
from mindflood.report.tables.recipes import detail_cells, detail_columns, recipe_lines
from mindflood.report.tables.render import terminal
from mindflood.report.tables.transfer import transfer_notes

if TYPE_CHECKING:
    import rich.console

_SETTING = (
    Column("Dataset", numeric=False),
    Column("Model", numeric=False),
    Column("Method", numeric=False),
)
_METRICS = ("Aua%", VALIDATED, "Suc%", "#Query")
_MARKED = ("Aua%", VALIDATED)


def table1(cards: Sequence[Card], tasks: Iterable[str]) -> Table:
    """Table 1, statistics of the data: what the cards say was used, and what was published."""
    columns = (
        Column("Dataset", numeric=False),
        Column("Training set"),
        Column("Test set"),
        Column("# Words"),
        Column("Source", numeric=False),
    )
    lines = []
    for task in _ordered(tasks):
        used = {
            (sizes["train"], sizes["test"], sizes["words"])
            for card in cards
            if card["task"] == task and (sizes := card.get("data")) is not None
        }
        for train, test, words in sorted(used, key=str):
            ours = (task_name(task), _count(train), _count(test), _number(words, 1), "ours")
            lines.append(TableRow(ours))
        if printed := published.sizes(task):
            counts = (_count(size) for size in printed)
            lines.append(TableRow((task_name(task), *counts, "published"), published=True))
    notes = (
        "Published sizes are rounded as printed. # Words is the mean length of a training text.",
    )
    return Table("table1", "Table 1: statistics of the data", columns, tuple(lines), notes)


def table2(cards: Sequence[Card], tasks: Iterable[str], *, with_published: bool = True) -> Table:
    """Table 2, clean accuracy and robustness, published rows below ours."""
    ours = rows(cards)
    tasks = _ordered(tasks)
    recipes = {recipe for row in ours for recipe in row.attacks}
    if not recipes:
        recipes = {recipe for task in tasks for recipe in _published_recipes(task)}
    shown = sorted(recipes, key=lambda recipe: position(recipe, ATTACKS))
    columns = (
        *_SETTING,
        Column("Clean%"),
        *(
            Column(name, group=ATTACKS.get(recipe, recipe))
            for recipe in shown
            for name in (*_METRICS, "n")
        ),
        Column("b", numeric=False),
        Column("Seeds", numeric=False),
    )
    details = detail_columns(shown) if any(row.attacks for row in ours) else ()
    lines: list[TableRow] = []
    for task in tasks:
        for block in _blocks(row for row in ours if row.setting.task == task):
            cells = [_our_cells(row, shown) for row in block]
            marked = _mark_best(cells, columns, _mixed(block, shown))
            lines += [
                replace(line, details=detail_cells(row, shown))
                for line, row in zip(marked, block, strict=True)
            ]
        if with_published:
            printed = [_published_cells(task, row, shown) for row in published.robustness(task)]
            nothing: tuple[Cell, ...] = (None,) * len(details)
            lines += [TableRow(tuple(cells), True, nothing) for cells in printed]
    notes = [
        *doubt_lines(cards),
        *data_notes(cards),
        *attack_notes(ours),
        *label_notes(ours),
        *seed_notes(cards),
    ]
    notes += audit_notes([row for row in ours if row.setting.task in tasks])
    if with_published and cards:
        notes += [
            f"No numbers were published for {task_name(task)}."
            for task in tasks
            if not published.robustness(task)
        ]
    caption = "Table 2: accuracy without and under attack"
    if any(row.attacks for row in ours):
        caption += (
            f"; bold: the best Aua% or {VALIDATED} of rows that compare, where its 95 % interval "
            "touches no other's"
        )
    found = (row for row in ours if row.setting.task in tasks)
    table = Table(
        "table2", caption, columns, tuple(lines), tuple(notes), recipe_lines(found), details
    )
    return table.without_empty_columns()


def doubt_lines(cards: Sequence[Card]) -> list[str]:
    """What a reader has to know before believing any number: warnings, illusions, conditions."""
    ours = rows(cards)
    return [
        *warning_notes(cards),
        *gap_notes(cards),
        *transfer_notes(cards),
        *search_notes(cards),
        *crossing_notes(cards),
        *condition_notes(ours),
    ]


def counts_table(cards: Sequence[Card]) -> Table:
    """Table 2's denominators: what became of every attacked sample, all seeds together."""
    names = ("Attacked", "Skipped", "Succeeded", "Failed", "Errors", "Out of budget", "Untouched")
    columns = (
        *_SETTING,
        Column("Attack", numeric=False),
        *(Column(name) for name in names),
    )
    ours = rows(cards)
    lines = [
        TableRow(
            (
                *row_names(row),
                ATTACKS.get(recipe, recipe),
                *(str(count) for count in attacked.counts.values()),
            ),
            details=detail_cells(replace(row, attacks={"": attacked}), [""]),
        )
        for row in ours
        for recipe, attacked in row.attacks.items()
    ]
    notes = (
        "Skipped: the model was wrong before the attack; it counts as wrong in Aua%, and is in "
        "neither Suc% nor #Query. Errors and samples out of budget are undecided: a rate that they "
        "could move by more than a point is given as the range from all of them broken to none. "
        "Untouched: the attack had no candidate to try; they are in no rate.",
        *doubt_notes(ours, ours),
    )
    caption = "Table 2, denominators: what became of the attacked texts"
    return Table(
        "table2_counts", caption, columns, tuple(lines), notes, details=detail_columns([""])
    )


def table3(cards: Sequence[Card], tasks: Iterable[str]) -> Table:
    """Table 3, training time: seconds per epoch and their ratio to fine-tuning's."""
    columns = (
        *_SETTING,
        Column("Seeds"),
        Column("Seconds/epoch"),
        Column("× fine-tuning"),
        Column("Seconds in all"),
    )
    ours = costs(cards)
    base = {
        (cost.setting.task, cost.setting.encoder): cost.epoch.mean
        for cost in ours
        if cost.setting.method == "finetune" and cost.epoch is not None
    }
    lines = []
    for task in _ordered(tasks):
        for cost in ours:
            if cost.setting.task != task or cost.epoch is None:
                continue
            reference = base.get((task, cost.setting.encoder))
            model = f"ours: {encoder_name(cost.setting.encoder)}"
            cells: tuple[Cell, ...] = (
                task_name(task),
                model,
                method_name(cost.setting.method, cost.setting.level, cost.setting.variant),
                str(cost.epoch.n),
                estimated(cost.epoch, 1),
                _number(cost.epoch.mean / reference if reference else None, 2),
                estimated(cost.whole, 1),
            )
            lines.append(TableRow(cells))
        printed = published.seconds_per_epoch(task)
        for method, seconds in printed.items():
            ratio = Number(seconds / printed["finetune"], digits=2)
            cells = (task_name(task), published.LABEL, method_name(method), None)
            timing = (Number(seconds, digits=0), ratio, None)
            lines.append(TableRow((*cells, *timing), published=True))
    notes = (
        "Published seconds are of one RTX 2080 Ti: compare the ratios, not the seconds.",
        "Seconds in all: the whole training, with the candidates of a grid search and, where the "
        "level comes from gradient accordance, the probe and its first pass.",
    )
    table = Table("table3", "Table 3: training time", columns, tuple(lines), notes)
    return table.without_empty_columns()


def comparison_table(cards: Sequence[Card]) -> "rich.console.Group":
    """Table 2 without the published rows, for ``rich.print`` at the end of ``mindflood run``."""
    return terminal(table2(cards, tasks_of(cards), with_published=False))


def tasks_of(cards: Sequence[Card]) -> list[str]:
    """The cards' tasks, in the papers' order."""
    return _ordered({setting.task for setting in by_setting(cards)})


def _ordered(tasks: Iterable[str]) -> list[str]:
    return sorted(set(tasks), key=lambda task: position(task, TASKS))


def _published_recipes(task: str) -> list[str]:
    return [recipe for row in published.robustness(task) for recipe in row.attacks]


def _blocks(ours: Iterable[ResultRow]) -> list[list[ResultRow]]:
    """Rows that compare with each other: one encoder, or models from elsewhere; one profile."""
    blocks: dict[tuple[str, str], list[ResultRow]] = {}
    for row in ours:
        model = "" if row.setting.method == STRANGER else row.setting.encoder
        blocks.setdefault((model, row.profile), []).append(row)
    return list(blocks.values())


def _mixed(block: list[ResultRow], recipes: list[str]) -> set[str]:
    """The groups of columns whose numbers do not compare: of other recipes, or of other rows."""
    if len(frozenset().union(*(row.tested for row in block))) > 1:
        return {"", *(ATTACKS.get(recipe, recipe) for recipe in recipes)}
    return {
        ATTACKS.get(recipe, recipe) for recipe in recipes if len(_fingerprints(block, recipe)) > 1
    }


def _fingerprints(block: list[ResultRow], recipe: str) -> set[str]:
    return {
        name for row in block if recipe in row.attacks for name in row.attacks[recipe].fingerprints
    }


def _our_cells(row: ResultRow, recipes: list[str]) -> list[Cell]:
    seeds = ", ".join("–" if seed is None else str(seed) for seed in row.seeds)
    names = row_names(replace(row, setting=replace(row.setting, level=None)))  # b has a column
    cells: list[Cell] = [*names, percent(row.clean)]
    for recipe in recipes:
        attacked = row.attacks.get(recipe)
        if attacked is None:
            cells += [None] * (len(_METRICS) + 1)
        else:
            success = percent(attacked.success, attacked.broken)
            rates = (robust(attacked), validated_cell(attacked), success)
            cells += [*rates, queries(attacked), str(attacked.counts["num_examples"])]
    return [*cells, row.level or None, seeds]


def _published_cells(task: str, row: published.PublishedRow, recipes: list[str]) -> list[Cell]:
    cells: list[Cell] = [
        task_name(task),
        published.LABEL,
        method_name(row.method),
        Number(row.clean),
    ]
    for recipe in recipes:
        if recipe in row.attacks:
            accuracy, success, queries = row.attacks[recipe]
            cells += [Number(accuracy), None, Number(success), Number(queries, digits=2), None]
        else:
            cells += [None] * (len(_METRICS) + 1)
    return [*cells, None, None]


def _mark_best(
    block: list[list[Cell]], columns: Sequence[Column], mixed: set[str]
) -> list[TableRow]:
    """Mark each column's best, where the intervals tell it apart and its group is not ``mixed``.

    Intervals of the choice of the texts are meant, with ends; a mere ± over seeds has no width
    where the seeds tie, and says nothing of other texts.
    """
    for at, column in enumerate(columns):
        if column.name not in _MARKED or column.group in mixed:
            continue
        there = [cells for cells in block if cells[at] is not None]
        best = _separate([cells[at] for cells in there])
        if best is not None:
            there[best][at] = replace(cast(Number, there[best][at]), best=True)
    return [TableRow(tuple(cells)) for cells in block]


def _separate(cells: Sequence[Cell]) -> int | None:
    """Which of at least two cells lies above all others, its interval and theirs not touching."""
    ends = [cell.ends if isinstance(cell, Number) else None for cell in cells]
    known = [pair for pair in ends if pair is not None]
    if len(known) < max(2, len(ends)):
        return None
    best = max(range(len(known)), key=lambda at: known[at][0])
    others = [high for at, (_, high) in enumerate(known) if at != best]
    return best if known[best][0] > max(others) else None


def _number(value: float | None, digits: int) -> Number | None:
    return None if value is None else Number(value, digits=digits)


def _count(size: int | None) -> str | None:
    return None if size is None else f"{size:,}"
