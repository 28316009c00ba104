"""FreeLB's Tables 1, 3 and 8 from result cards, the published numbers beside ours.

A cell is the median over the seeds with their spread in brackets, of the metric that the benchmark
judges a task by: accuracy, of CoLA Matthews' and of STS-B Pearson's correlation, times 100.
"""

import functools
import json
import statistics
from collections.abc import Sequence
from importlib import resources
from typing import Any

from mindflood.cards.cards import Card
from mindflood.report.numbers.names import METHODS, TASKS, encoder_name
from mindflood.report.tables.layout import Cell, Column, Table, TableRow

LABEL = "published (RoBERTa-large)"
OWN_TASKS = ("mnli", "qqp", "rte", "cola", "stsb", "arc_easy", "arc_challenge", "commonsense_qa")
"""What Flooding-X has no numbers of: runs on one of them are shown beside FreeLB's."""
_MAIN = {"cola": "matthews", "stsb": "pearson"}
_METRIC_NAMES = {"cola": "Mcc", "stsb": "Pearson"}


@functools.cache
def published() -> dict[str, Any]:
    """The paper's numbers."""
    folder = resources.files("mindflood.report.tables")
    found: dict[str, Any] = json.loads(folder.joinpath("freelb_tables.json").read_text("utf-8"))
    return found


def freelb_tables(cards: Sequence[Card]) -> list[Table]:
    """The tables that the cards have a row of; none where no run is on a task of FreeLB's own."""
    if not any(card["task"] in OWN_TASKS for card in cards):
        return []
    tables = [
        _medians(cards, "table1", "FreeLB, Table 1: development sets of GLUE", "the variance"),
        _choices(cards),
        _medians(cards, "table8", "FreeLB, Table 8: YOPO beside FreeLB", "the standard deviation"),
    ]
    return [table for table in tables if any(not row.published for row in table.rows)]


def score(card: Card) -> float | None:
    """The benchmark's metric on the test rows, times 100; None where it is not there."""
    metric = _MAIN.get(card["task"])
    value = card["clean_accuracy"]
    if metric is not None:
        value = card.get("metrics", {}).get(metric)
    return None if value is None else 100 * value


def method_name(card: Card) -> str:
    """As the paper writes it: FreeLB-3 has three ascents, YOPO-3-2 two steps after each."""
    settings, method = card.get("settings", {}), card["method"]
    name = METHODS.get(method, method)
    numbers = [settings.get(f"defence.{key}") for key in ("steps", "inner_steps")]
    if method in published()["named_with_steps"]:  # K behind it
        name = "-".join([name, *(str(number) for number in numbers if number is not None)])
    level = card["flood_level"]
    fixed = level is not None and card["flood_level_source"] == "fixed"
    return f"{name}, b = {level:g}" if fixed else name


def _medians(cards: Sequence[Card], name: str, caption: str, spread: str) -> Table:
    """Methods × tasks."""
    tasks = published()[name]["tasks"]
    columns = (
        Column("Model", numeric=False),
        Column("Method", numeric=False),
        *(Column(_METRIC_NAMES.get(task, "Acc"), TASKS.get(task, task)) for task in tasks),
    )
    lines = [
        TableRow((*names, *(_median(members, task) for task in tasks)))
        for names, members in _by_method([card for card in cards if card["task"] in tasks]).items()
    ]
    lines += [
        TableRow((LABEL, method, *(_printed(cell) for cell in row)), published=True)
        for method, row in published()[name]["rows"].items()
    ]
    notes = (
        "Medians over the seeds, in brackets their standard deviation and how many they are; in "
        f"the published rows what the paper calls {spread}, of 5 seeds.",
        "Vanilla and ReImp are the paper's own fine-tuning.",
    )
    return Table(f"freelb_{name}", caption, columns, tuple(lines), notes)


def _choices(cards: Sequence[Card]) -> Table:
    """Table 3: ARC and CommonsenseQA. Of ARC the card has the test set, of the other dev."""
    parts = {"arc_easy": 2, "arc_challenge": 2, "arc": 2, "commonsense_qa": 3}
    titles = {**TASKS, "arc": "ARC-Merge"}
    splits = ("Dev", "Test", "Test (E)")
    columns = (
        Column("Model", numeric=False),
        Column("Method", numeric=False),
        *(Column(split, titles[task]) for task, n in parts.items() for split in splits[:n]),
    )
    lines = []
    for names, members in _by_method([card for card in cards if card["task"] in parts]).items():
        easy, challenge = _median(members, "arc_easy"), _median(members, "arc_challenge")
        own = (None, easy, None, challenge, None, _merged(members))
        lines.append(TableRow((*names, *own, _median(members, "commonsense_qa"), None, None)))
    for method, row in published()["table3"]["rows"].items():
        cells: list[Cell] = [LABEL, method]
        for width, numbers in zip(parts.values(), row, strict=True):
            values = [None] * width if numbers is None else numbers
            cells += [None if value is None else f"{value:g}" for value in values]
        lines.append(TableRow(tuple(cells), published=True))
    notes = (
        "Ours are medians over the seeds, in brackets their standard deviation and how many they "
        "are, without the documents that the paper's models read beside an ARC question and "
        "without their training on RACE; the paper gives its best model.",
        "ARC-Merge is both sets together, each question once; of ours the mean by the sets' sizes.",
    )
    return Table(
        "freelb_table3", "FreeLB, Table 3: questions with choices", columns, tuple(lines), notes
    )


def _by_method(cards: Sequence[Card]) -> dict[tuple[str, str], list[Card]]:
    """The cards of each model and method, all tasks and seeds together."""
    found: dict[tuple[str, str], list[Card]] = {}
    for card in cards:
        names = f"ours: {encoder_name(card['encoder'])}", method_name(card)
        found.setdefault(names, []).append(card)
    return found


def _median(cards: Sequence[Card], task: str) -> str | None:
    return _shown([value for card in cards if card["task"] == task
                   if (value := score(card)) is not None])  # fmt: skip


def _merged(cards: Sequence[Card]) -> str | None:
    """Of the seeds that both sets of ARC have."""
    found: dict[str, dict[int | None, tuple[float, int]]] = {"arc_easy": {}, "arc_challenge": {}}
    for card in cards:
        rows, value = card.get("data", {}).get("test"), score(card)
        if card["task"] in found and rows and value is not None:
            found[card["task"]][card["seed"]] = value, rows
    easy, challenge = found.values()
    return _shown([
        (easy[seed][0] * easy[seed][1] + challenge[seed][0] * challenge[seed][1])
        / (easy[seed][1] + challenge[seed][1])
        for seed in easy if seed in challenge
    ])  # fmt: skip


def _shown(values: Sequence[float]) -> str | None:
    if not values:
        return None
    median = f"{statistics.median(values):.2f}"
    if len(values) == 1:
        return median
    return f"{median} ({statistics.stdev(values):.2f}; {len(values)})"


def _printed(cell: list[float] | None) -> str | None:
    if cell is None:
        return None
    value, *spread = cell
    return f"{value:g} ({spread[0]:g})" if spread else f"{value:g}"
