"""FreeLB's tables: medians of the benchmark's metric beside the numbers that the paper printed."""

from pathlib import Path

import numpy as np
import pytest

from mindflood.report.tables.freelb import freelb_tables, published
from mindflood.report.tables.layout import Table
from mindflood.report.tables.render import comma_separated, markdown
from tests.unit.report_runs import a_card


def glue(task: str, method: str, seed: int, value: float, **settings: object):
    metric = {"cola": "matthews", "stsb": "pearson"}.get(task)
    changes: dict = {"clean_accuracy": None if task == "stsb" else 0.5}
    if metric is None:
        changes["clean_accuracy"] = value
    else:
        changes["metrics"] = {metric: value}
    return a_card(method, seed, task=task, encoder="roberta-large", settings=settings, **changes)


def cells(table: Table, method: str) -> dict[str, object]:
    (row,) = [row for row in table.rows if row.cells[1] == method and not row.published]
    titles = [column.title for column in table.columns]
    return {title: cell for title, cell in zip(titles, row.cells, strict=True) if cell is not None}


def test_medians_and_deviations_are_of_the_metric_of_the_task():
    values = {"cola": [0.6, 0.7, 0.62], "stsb": [0.9, 0.91, 0.95], "rte": [0.7, 0.8, 0.6]}
    cards = [glue(task, "freelb", seed, value, **{"defence.steps": 3})
             for task, found in values.items() for seed, value in enumerate(found)]  # fmt: skip
    table1, table8 = freelb_tables(cards)
    found = cells(table1, "FreeLB-3")
    for task, title in {"cola": "CoLA Mcc", "stsb": "STS-B Pearson", "rte": "RTE Acc"}.items():
        hundred = 100 * np.array(values[task])
        expected = f"{np.median(hundred):.2f} ({hundred.std(ddof=1):.2f}; 3)"
        assert found[title] == expected
    assert set(cells(table8, "FreeLB-3")) == {"Model", "Method", "STS-B Pearson"}
    printed = next(row for row in table1.rows if row.published and row.cells[1] == "FreeLB")
    assert printed.cells[2:] == (
        "90.61 (0.1)", "94.98 (0.2)", "92.6 (0.03)", "88.13 (1.2)", "96.79 (0.2)", "91.42 (0.7)",
        "71.12 (0.9)", "92.67 (0.08)",
    )  # fmt: skip
    assert "92.67 (0.08)" in markdown(table1)
    assert "92.67 (0.08)" in comma_separated(table1)


def test_yopo_s_rows_are_named_by_its_steps():
    cards = [glue("stsb", "yopo", 0, 0.9, **{"defence.steps": 3, "defence.inner_steps": n})
             for n in (2, 3)]  # fmt: skip
    table8 = freelb_tables(cards)[-1]
    ours = [row.cells[1] for row in table8.rows if not row.published]
    assert ours == ["YOPO-3-2", "YOPO-3-3"]
    assert [row.cells[1] for row in table8.rows if row.published] == [
        "Vanilla", "FreeLB-3", "YOPO-3-2", "YOPO-3-3",
    ]  # fmt: skip


def test_arc_merge_weighs_the_two_sets_by_their_questions():
    sizes = {"arc_easy": (0.8, 300), "arc_challenge": (0.5, 100)}
    cards = [
        a_card("finetune", 0, task=task, clean_accuracy=rate, encoder="roberta-large",
               data={"train": 1, "test": count, "words": 5.0})
        for task, (rate, count) in sizes.items()
    ]  # fmt: skip
    (table3,) = freelb_tables(cards)
    found = cells(table3, "Fine-tuning")
    assert found["ARC-Easy Test"] == "80.00"
    assert found["ARC-Merge Test"] == "72.50"


def test_an_undefined_correlation_leaves_its_cell_empty():
    card = a_card("finetune", 0, task="stsb", clean_accuracy=None, metrics={"pearson": None})
    table1, _ = freelb_tables([card])
    assert "STS-B Pearson" not in cells(table1, "Fine-tuning")


def test_runs_on_the_other_paper_s_tasks_have_none():
    assert not freelb_tables([a_card("freelb", seed) for seed in range(3)])


@pytest.mark.parametrize("name", ["table1", "table3", "table8"])
def test_the_published_rows_have_a_cell_a_task(name):
    found = published()[name]
    assert {len(row) for row in found["rows"].values()} == {len(found["tasks"])}


def test_the_report_has_the_tables(tmp_path: Path):
    from mindflood.cards.cards import write_card
    from mindflood.report.page import report

    for seed in range(3):
        (tmp_path / f"freelb-seed{seed}").mkdir()
        card = glue("stsb", "freelb", seed, 0.9 + seed / 100, **{"defence.steps": 3})
        write_card(tmp_path / f"freelb-seed{seed}" / "card.json", card)
    page = report(tmp_path)
    assert "91.00 (1.00; 3)" in page.read_text(encoding="utf-8")
    assert (tmp_path / "report" / "freelb_table1.csv").is_file()
