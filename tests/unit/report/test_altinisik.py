"""Altinisik et al.'s tables beside ours: what divides by what, and the published numbers."""

import pytest

from mindflood.report.tables.altinisik import (
    RECIPES,
    compared_tasks,
    published,
    success_table,
    time_table,
)
from mindflood.report.tables.analyses import generalisation_table
from mindflood.report.tables.layout import Number, Range, text_of
from mindflood.report.tables.render import markdown
from tests.unit.report_runs import a_card, an_attack

OURS = {f"{recipe}-offline": an_attack(failed=20, skipped=40, total=100) for recipe in RECIPES}


def on_mr(method="a2t", **changes):
    return a_card(method, **{"task": "mr", "attacks": OURS, **changes})


def of_ours(table):
    return [row.cells for row in table.rows if not row.published]


def test_their_rate_divides_by_all_samples_and_ours_by_those_that_were_right():
    (cells,) = of_ours(success_table([on_mr()]))
    assert cells[0] == "MR"
    assert cells[2] == "A2T"
    for at in range(3, 11, 2):
        assert text_of(cells[at]) == "40.0"  # 40 of 100
        assert text_of(cells[at + 1]) == "66.7"  # 40 of 60
    assert text_of(cells[11]) == "40.0"


def test_undecided_texts_leave_a_range_and_so_does_the_average():
    open_one = an_attack(failed=10, skipped=40, total=100, out_of_budget=10, succeeded=40)
    (cells,) = of_ours(success_table([on_mr(attacks={**OURS, "pso-offline": open_one})]))
    assert cells[9] == Range(40.0, 50.0)
    assert cells[11] == Range(40.0, 42.5)
    fewer = {name: attack for name, attack in OURS.items() if not name.startswith("pso")}
    (cells,) = of_ours(success_table([on_mr(attacks=fewer)]))
    assert cells[11] is None


@pytest.mark.parametrize("task", ["mr", "imdb"])
def test_published_averages_are_those_of_the_published_rates(task):
    """To what was rounded; the paper's own average of PGD-AT on MR is a tenth off."""
    tables = published()
    methods = list(tables["table2"][task])
    assert len(methods) == 8
    for name in ("table2_average", "table3", "table4"):
        assert sorted(tables[name][task]) == sorted(methods)
    for method, rates in tables["table2"][task].items():
        assert sum(rates) / 4 == pytest.approx(tables["table2_average"][task][method], abs=0.11)


def test_times_are_ratios_to_fine_tuning():
    cards = [on_mr("finetune", train_seconds=600.0), on_mr(train_seconds=6000.0)]
    table = time_table(cards)
    assert [text_of(cells[4]) for cells in of_ours(table)] == ["1.00", "10.00"]
    printed = {row.cells[2]: row.cells[4] for row in table.rows if row.published}
    assert printed["A2T"] == Number(448.5 / 38.2, digits=2)
    assert printed["SSMBA"] == Number(46.4 / 38.2, digits=2)


def test_accuracy_in_and_out_stands_beside_the_published():
    measured = {"in": {"task": "mr", "accuracy": 0.8, "num_examples": 200},
                "out": [{"task": "imdb", "accuracy": 0.7, "num_examples": 100}]}  # fmt: skip
    table = generalisation_table([on_mr(analyses={"generalisation": measured})])
    names = [column.title for column in table.columns]
    assert names[4:7] == [
        "In distribution", "Out of distribution IMDB", "Out of distribution Yelp"
    ]  # fmt: skip
    assert [text_of(cell) for cell in table.rows[0].cells[4:7]] == ["80.0", "70.0", "–"]
    bert = next(row.cells for row in table.rows if row.published)
    assert (bert[2], bert[4], bert[6]) == ("Fine-tuning", Number(85.27), Number(87.06))


def test_they_are_shown_only_where_one_of_the_paper_s_methods_was_trained():
    assert compared_tasks([on_mr("finetune"), a_card("a2t"), on_mr("flooding")]) == []
    assert compared_tasks([on_mr("finetune+ssmba")]) == ["mr"]
    assert not success_table([on_mr("flooding")]).rows


def test_the_note_tells_the_two_rates_apart():
    text = markdown(success_table([on_mr()]))
    assert "of all%: successful attacks over all samples" in text
    assert "Altinisik et al. divide" in text
