"""Altinisik et al.'s Tables 2 to 4, which compare families of methods, beside our numbers.

Their success rate divides by all samples, ours by those that were right before the attack: the two
have columns of their own.
"""

import functools
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from mindflood.cards.cards import Card
from mindflood.cards.rates import undecided
from mindflood.report.numbers.aggregate import Attacked, Cost, ResultRow, costs, rows
from mindflood.report.numbers.names import ATTACKS, encoder_name
from mindflood.report.tables.cells import method_name, percent, row_names, task_name
from mindflood.report.tables.layout import Cell, Column, Number, Range, Table, TableRow

RECIPES = ("textfooler", "a2t", "bae", "pso")
LABEL = "published, Altinisik et al. (BERT-base, paper profile)"
_OF_ALL, _OF_RIGHT = "of all%", "Suc%"
_SETTING = (
    Column("Dataset", numeric=False),
    Column("Model", numeric=False),
    Column("Method", numeric=False),
)
_OPEN = 0.01  # undecided texts may move a rate by a point


@functools.cache
def published() -> dict[str, Any]:
    """The paper's numbers, as its tables have them."""
    folder = resources.files("mindflood.report.tables")
    tables: dict[str, Any] = json.loads(
        folder.joinpath("altinisik_tables.json").read_text(encoding="utf-8")
    )
    return tables


def compared_tasks(cards: Sequence[Card]) -> list[str]:
    """The paper's tasks on which a model was trained by one of its methods but fine-tuning."""
    trained = {(card["task"], card["method"]) for card in cards if card["method"] != "finetune"}
    tables = published()["table2"].items()
    return [task for task, methods in tables if any((task, name) in trained for name in methods)]


def success_table(cards: Sequence[Card]) -> Table:
    """Their Table 2: attack success rates, lower is better."""
    columns = (
        *_SETTING,
        *(Column(name, ATTACKS[recipe]) for recipe in RECIPES for name in (_OF_ALL, _OF_RIGHT)),
        Column(_OF_ALL, "Average"),
        Column("Seeds", numeric=False),
    )
    lines = []
    for task in compared_tasks(cards):
        for row in rows(cards):
            if row.setting.task == task and set(row.attacks) & set(RECIPES):
                lines.append(TableRow(tuple(_our_success(row))))
        averages = published()["table2_average"][task]
        for method, rates in published()["table2"][task].items():
            cells: list[Cell] = [task_name(task), LABEL, method_name(method)]
            for rate in rates:
                cells += [Number(rate), None]
            lines.append(TableRow((*cells, Number(averages[method]), None), published=True))
    notes = (
        f"{_OF_ALL}: successful attacks over all samples, also those that the model had wrong "
        f"before, as Altinisik et al. divide. {_OF_RIGHT}: over those that it had right, as "
        "everywhere else here. The first flatters a model that is wrong more often.",
        "Published attacks are TextAttack's own recipes; compare the order of the methods.",
    )
    caption = "Altinisik et al., Table 2: attack success rate (lower is better)"
    return Table("altinisik2", caption, columns, tuple(lines), notes)


def _our_success(row: ResultRow) -> list[Cell]:
    cells: list[Cell] = list(row_names(row))
    of_all: list[Number | Range | None] = []
    for recipe in RECIPES:
        found = row.attacks.get(recipe)
        of_all.append(None if found is None else _over_all(found))
        cells += [of_all[-1], None if found is None else percent(found.success, found.broken)]
    return [
        *cells,
        _average(of_all),
        ", ".join("–" if seed is None else str(seed) for seed in row.seeds),
    ]


def _average(rates: Sequence[Number | Range | None]) -> Number | Range | None:
    """Over the attacks; a range where one is; None where one was not run."""
    ends = [
        (rate.value, rate.value) if isinstance(rate, Number) else (rate.low, rate.high)
        for rate in rates
        if rate is not None
    ]
    if len(ends) < len(rates):
        return None
    low, high = (sum(end) / len(ends) for end in zip(*ends, strict=True))
    return Number(low) if low == high else Range(low, high)


def _over_all(attacked: Attacked) -> Number | Range | None:
    counts = attacked.counts
    total, broken, left = counts["num_examples"], counts["succeeded"], undecided(counts)
    if not total:
        return None
    if left > _OPEN * total:
        return Range(100 * broken / total, 100 * (broken + left) / total)
    return Number(100 * broken / total)


def time_table(cards: Sequence[Card]) -> Table:
    """Their Table 3: time of training, in ratios to fine-tuning's."""
    columns = (*_SETTING, Column("Minutes"), Column("× fine-tuning"), Column("Seeds"))
    lines = []
    for task in compared_tasks(cards):
        ours = [cost for cost in costs(cards) if cost.setting.task == task and cost.whole]
        for cost in ours:
            assert cost.whole is not None
            reference = _fine_tuning(cost, ours)
            name = method_name(cost.setting.method, cost.setting.level, cost.setting.variant)
            cells: tuple[Cell, ...] = (
                task_name(task),
                f"ours: {encoder_name(cost.setting.encoder)}",
                name,
                Number(cost.whole.mean / 60),
                Number(cost.whole.mean / reference, digits=2) if reference else None,
                str(cost.whole.n),
            )
            lines.append(TableRow(cells))
        minutes = published()["table3"][task]
        for method, spent in minutes.items():
            ratio = Number(spent / minutes["finetune"], digits=2)
            cells = (task_name(task), LABEL, method_name(method), Number(spent), ratio, None)
            lines.append(TableRow(cells, published=True))
    notes = (
        "Published minutes are of 4 epochs on an Nvidia V100: compare the ratios.",
        "Ours are of training, with the attacks between epochs; without making augmented texts, "
        "which is done once.",
    )
    return Table(
        "altinisik3", "Altinisik et al., Table 3: time of training", columns, tuple(lines), notes
    )


def _fine_tuning(cost: Cost, every: Sequence[Cost]) -> float | None:
    """Seconds of fine-tuning, of the same encoder; None where there is none, or several kinds."""
    whole = [
        one.whole.mean
        for one in every
        if (one.setting.encoder, one.setting.method) == (cost.setting.encoder, "finetune")
        and one.whole is not None
    ]
    return whole[0] if len(whole) == 1 else None


def published_generalisation(task: str) -> dict[str, tuple[float, float]]:
    """Their Table 4: accuracy in percent in distribution and on Yelp, by method."""
    return {name: tuple(pair) for name, pair in published()["table4"].get(task, {}).items()}
