"""Tables: the arithmetic of means and intervals, what is bold, what is flagged, what is escaped."""

import csv
import io
import math
import re
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from mindflood.cards.cards import Card
from mindflood.report.numbers.aggregate import (
    Estimate,
    by_setting,
    estimate,
    robust_interval,
    wilson,
)
from mindflood.report.numbers.aggregate import attacked as attack_of
from mindflood.report.tables import published
from mindflood.report.tables.layout import Column, Number, Table, TableRow, text_of
from mindflood.report.tables.medians import medians_table
from mindflood.report.tables.paper import comparison_table, counts_table, table1, table2, table3
from mindflood.report.tables.render import (
    comma_separated,
    escape_csv,
    escape_latex,
    escape_markdown,
    latex,
    markdown,
)
from mindflood.visible import visible_words
from tests.unit.report_runs import a_card, an_attack

OFFLINE = "textfooler-offline"


def attacked(method: str, failed: int, seed: int = 0, **changes: object) -> Card:
    return a_card(method, seed, attacks={OFFLINE: an_attack(failed)}, **changes)


def cell(table: Table, row: int, title: str) -> str:
    at = [column.title for column in table.columns].index(title)
    return text_of(table.rows[row].cells[at])


def bold(table: Table, title: str) -> list[bool]:
    at = [column.title for column in table.columns].index(title)
    return [
        isinstance(row.cells[at], Number) and row.cells[at].best
        for row in table.rows
        if not row.published
    ]


def test_interval_by_hand() -> None:
    # The t quantile 0.975 with 2 degrees of freedom is 4.302653.
    found = estimate([1.0, 1.5, 3.5])
    deviation = math.sqrt((1.0 + 0.25 + 2.25) / 2)
    half = pytest.approx(4.302653 * deviation / math.sqrt(3), rel=1e-6)
    assert found == Estimate(2.0, half, 3, 1.5, pytest.approx(deviation))


def test_one_seed_has_a_mean_and_no_interval() -> None:
    assert estimate([0.25, None]) == Estimate(0.25, None, 1, 0.25, None)
    assert estimate([None]) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(-5, 5))
def test_intervals_move_with_the_values(values: list[float], shift: float) -> None:
    here, there = estimate(values), estimate([value + shift for value in values])
    assert here is not None
    assert there is not None
    assert here.half is not None
    assert min(values) - 1e-12 <= here.mean <= max(values) + 1e-12
    assert here.half >= 0
    assert there.mean == pytest.approx(here.mean + shift, abs=1e-9)
    assert there.half == pytest.approx(here.half, abs=1e-9)


def test_medians_of_three_seeds_and_more() -> None:
    """FreeLB's Table 4: by hand, the median of 2, 4, 9 of 200 and their standard deviation."""
    three = [attacked("freelb", failed, seed) for seed, failed in enumerate((4, 18, 8))]
    two = [attacked("pgd", failed, seed) for seed, failed in enumerate((4, 18))]
    table = medians_table([*three, *two])
    assert [text_of(row.cells[2]) for row in table.rows] == ["FreeLB"]
    assert cell(table, 0, "TextFooler Aua%") == "4.0 (3.6)"
    assert cell(table, 0, "Clean%") == "85.0 (0.0)"
    assert cell(table, 0, "Seeds") == "3"


@given(st.integers(1, 500), st.data())
def test_wilson_covers_the_rate(total: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, total))
    low, high = wilson(successes, total)
    assert -1e-12 <= low <= successes / total + 1e-12
    assert successes / total - 1e-12 <= high <= 1 + 1e-12
    # Wilson's ends are where the rate is 1.96 deviations away.
    for end in (low, high):
        distance = abs(successes / total - end)
        assert distance == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / total), abs=1e-6)


def test_seeds_of_a_setting_are_averaged_and_levels_are_not_mixed() -> None:
    cards = [attacked("finetune", 20 + 2 * seed, seed) for seed in range(3)]
    cards += [attacked("flooding", 30, flood_level=level) for level in (0.05, 0.1)]
    table = table2(cards, ["sst2"], with_published=False)
    assert [cell(table, row, "Method") for row in range(3)] == ["Fine-tuning"] + ["Flooding"] * 2
    assert cell(table, 0, "TextFooler Aua%") == "11.0 (7.4 to 16.1)"
    assert cell(table, 0, "TextFooler n") == "600"
    assert [cell(table, row, "b") for row in (1, 2)] == ["0.05", "0.1"]


def test_runs_that_were_trained_otherwise_are_no_seeds_of_one_setting() -> None:
    short, long = ({"training.epochs": epochs, "training.warmup": 0.1} for epochs in (2, 8))
    table = table2([a_card(settings=short), a_card(seed=1, settings=long)], ["sst2"])
    methods = [row.cells[2] for row in table.rows if not row.published]
    assert methods == ["Fine-tuning (training.epochs = 2)", "Fine-tuning (training.epochs = 8)"]
    same = table2([a_card(settings=short), a_card(seed=1, settings=short)], ["sst2"])
    (row,) = (row for row in same.rows if not row.published)
    assert row.cells[2] == "Fine-tuning"


def test_seeds_that_were_not_attacked_are_flagged() -> None:
    cards = [attacked("finetune", 20), a_card("finetune", 1), attacked("flooding", 20)]
    table = table2(cards, ["sst2"], with_published=False)
    flagged = [note for note in table.notes if "seeds of" in note]
    assert flagged == [
        "TextFooler (offline) on SST-2: 1 of 2 seeds of Fine-tuning were attacked; Clean% is of "
        "all of them."
    ]


def test_levels_that_a_method_chose_are_one_setting() -> None:
    cards = [
        attacked("flooding-x", 30, seed, flood_level=level, flood_level_source="accordance")
        for seed, level in enumerate((0.1, 0.2))
    ]
    table = table2(cards, ["sst2"], with_published=False)
    assert len(table.rows) == 1
    assert cell(table, 0, "b") == "0.1, 0.2 (accordance)"


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        ((0.05, 0.1), "0.05, 0.1 (accordance)"),
        ((0.05, None, None), "0.05 (accordance; 2 of 3 never crossed)"),
        ((None,), "(1 of 1 never crossed)"),
    ],
)
def test_a_run_that_never_crossed_is_told(levels: tuple[float | None, ...], shown: str) -> None:
    cards = [
        attacked(
            "flooding-x-online", 30, seed, flood_level=level,
            flood_level_source=None if level is None else "accordance",
        )
        for seed, level in enumerate(levels)
    ]  # fmt: skip
    table = table2(cards, ["sst2"], with_published=False)
    assert cell(table, 0, "b") == shown
    noted = any("those of training without flooding" in note for note in table.notes)
    assert noted == (None in levels)


@pytest.mark.parametrize(
    ("failed", "best"),
    [
        # Wilson, of 200: 20 (6.6 to 14.9), 30 (10.7 to 20.6), 50 (19.5 to 31.4), 80 (33.5 to 46.9).
        ((20, 30), None),
        ((20, 50), 1),
        ((20, 80, 50), 1),
        ((30, 50), None),
        ((20, 50, 52), None),
        ((50, 50), None),
        ((50,), None),
    ],
)
def test_the_best_is_bold_only_where_its_interval_touches_no_other(failed, best) -> None:
    methods = ("finetune", "pgd", "freelb")
    cards = [attacked(*one) for one in zip(methods, failed, strict=False)]
    table = table2(cards, ["sst2"])
    assert bold(table, "TextFooler Aua%") == [at == best for at in range(len(failed))]
    for name in ("Clean%", "TextFooler Suc%", "TextFooler #Query"):
        assert not any(bold(table, name)), "no interval of the choice of texts, no best"
    assert not any(
        isinstance(c, Number) and c.best for row in table.rows if row.published for c in row.cells
    )
    assert "bold: the best Aua%" in table.caption


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=2, max_size=5))
def test_what_is_bold_lies_above_all_other_intervals(failed: list[int]) -> None:
    methods = ("finetune", "pgd", "freelb", "tavat", "infobert")
    cards = [attacked(*one, clean_accuracy=1.0) for one in zip(methods, failed, strict=False)]
    for card in cards:
        card["attacks"][OFFLINE].update(skipped=0)
    marked = bold(table2(cards, ["sst2"], with_published=False), "TextFooler Aua%")
    ends = [wilson_by_roots(one / 200, 200) for one in failed]
    for at, is_bold in enumerate(marked):
        others = [high for other, (_, high) in enumerate(ends) if other != at]
        assert is_bold == (ends[at][0] > max(others))


def test_other_fingerprints_are_flagged_and_nothing_is_bold() -> None:
    other = a_card("flooding", attacks={OFFLINE: an_attack(30, fingerprint="other")})
    table = table2([attacked("finetune", 20), other], ["sst2"])
    assert bold(table, "TextFooler Aua%") == [False, False]
    assert any("fingerprints 3f2a9c11, other" in note for note in table.notes)


def test_profiles_are_rows_of_their_own() -> None:
    both = {OFFLINE: an_attack(20), "textfooler-paper": an_attack(30, fingerprint="paper")}
    table = table2([a_card(attacks=both)], ["sst2"], with_published=False)
    assert [cell(table, row, "Model").split(", ")[1] for row in (0, 1)] == [
        "offline profile",
        "paper profile",
    ]
    assert not any("fingerprints" in note for note in table.notes)


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (attacked("finetune", 20), "offline profile is not the paper's"),
        (attacked("finetune", 20), "stand-in encoder is not BERT-base"),
        (attacked("finetune", 20), "another seed of training may rank the methods anew"),
        (attacked("finetune", 20, task="corpus"), "No numbers were published for built-in corpus"),
        (a_card(attacks={OFFLINE: an_attack(20, succeeded=1)}), "do not add up"),
        (a_card(attacks={OFFLINE: an_attack(20, requested=800)}), "unfinished (200 of 800 texts)"),
        (
            a_card(attacks={OFFLINE: an_attack(succeeded=137, out_of_budget=11)}),
            "undecided are 11 of 200 texts of Fine-tuning (11 ran out of their budget, 0 raised an "
            "error)",
        ),
        (
            a_card(attacks={OFFLINE: an_attack(succeeded=144, untouched=4)}),
            "untouched, for the attack had no candidate to try on them, are 4 of 200 texts of "
            "Fine-tuning",
        ),
    ],
    ids=[
        "offline",
        "stand-in",
        "one seed",
        "not published",
        "counts",
        "unfinished",
        "budget",
        "untouched",
    ],
)
def test_what_misleads_is_said(card: Card, words: str) -> None:
    assert any(words in note for note in table2([card], [card["task"]]).notes)


def test_what_cards_warn_of_stands_first_in_every_format() -> None:
    attack = an_attack(warnings=["the model answers 'positive' to every row"])
    card = a_card(warnings=["all 9 rows have the label 'positive'"])
    card["attacks"] = {"textfooler-offline": attack}
    card["epochs"] = [
        {
            "epoch": 2,
            "clean_accuracy": 0.5,
            "train_loss": 0.1,
            "eval_loss": None,
            "attacks": {"pso-offline": attack},
        }
    ]
    table = table2([card, card], ["sst2"])
    said = (
        "Warning, Fine-tuning on SST-2, seed 0: all 9 rows have the label 'positive'.",
        "Warning, Fine-tuning on SST-2, seed 0, TextFooler (offline): the model answers 'positive' "
        "to every row.",
        "Warning, Fine-tuning on SST-2, seed 0, epoch 2, PSO (offline): the model answers "
        "'positive' to every row.",
    )
    assert table.notes[:3] == said
    assert sum(note.startswith("Warning") for note in table.notes) == 3
    for shown in (markdown(table), latex(table)):
        assert "answers 'positive' to every row" in shown


def test_one_text_out_of_budget_needs_no_note() -> None:
    summary = an_attack(succeeded=147, out_of_budget=1)
    table = table2([a_card(attacks={OFFLINE: summary})], ["sst2"])
    assert not any("undecided" in note for note in table.notes)


def open_attack(**changes: Any) -> Any:
    """A budget that 14 of 24 texts exceed, as the attack's summary tells it."""
    numbers = ("accuracy_under_attack", "attack_success_rate", "mean_queries")
    counts = {"num_examples": 24, "skipped": 3, "succeeded": 6, "failed": 1, "out_of_budget": 14}
    summary = an_attack(**counts, **dict.fromkeys(numbers), mean_queries_at_least=7.5)
    return {**summary, **changes}


def test_what_undecided_texts_leave_open_is_a_range_and_nothing_is_bold_beside_it() -> None:
    cards = [
        a_card(attacks={OFFLINE: open_attack()}),
        attacked("pgd", 20),
        attacked("freelb", 30),
    ]
    table = table2(cards, ["sst2"], with_published=False)
    shown = [cell(table, 0, f"TextFooler {name}") for name in ("Aua%", "Suc%", "#Query")]
    assert shown == ["4.2 to 62.5", "28.6 to 95.2", "≥ 7.50"]
    for name in ("Aua%", "Suc%", "#Query"):
        assert not any(bold(table, f"TextFooler {name}"))
    for text in (markdown(table), latex(table)):
        assert "4.2 to 62.5" in text
    assert r"$\geq$ 7.50" in latex(table)
    line = next(csv.DictReader(io.StringIO(comma_separated(table))))
    keys = ("", " at least", " at most", " low")
    assert [line[f"TextFooler Aua%{key}"] for key in keys] == ["", "4.2", "62.5", ""]
    assert line["TextFooler #Query at least"] == "7.50"


def test_an_older_card_is_judged_by_its_counts() -> None:
    """Its numbers are over the decided texts only."""
    older = open_attack(accuracy_under_attack=0.1, attack_success_rate=6 / 7, mean_queries=7.0)
    del older["mean_queries_at_least"]
    table = table2([a_card(attacks={OFFLINE: older})], ["sst2"], with_published=False)
    shown = [cell(table, 0, f"TextFooler {name}") for name in ("Aua%", "Suc%")]
    assert shown == ["4.2 to 62.5", "28.6 to 95.2"]
    assert not any(column.name == "#Query" for column in table.columns)


def test_bounds_of_seeds_are_averaged() -> None:
    wide = an_attack(40, succeeded=100, out_of_budget=30, accuracy_under_attack=None)
    near = [an_attack(40), an_attack(42)]
    found = attack_of([wide, *near])
    assert found.accuracy is None
    assert found.robust is not None
    assert found.robust.bounds == pytest.approx((40.6667 / 200, 50.6667 / 200), abs=1e-6)
    assert robust_interval(found) is None
    # One seed's bounds may be 1.5 points apart where those of three are half a point.
    slightly = an_attack(40, succeeded=127, out_of_budget=3, accuracy_under_attack=None)
    found = attack_of([slightly, *near])
    assert found.accuracy is not None
    assert found.accuracy.n == 3
    assert found.accuracy.mean == pytest.approx((40 / 197 + 40 / 200 + 42 / 200) / 3)


def test_a_lower_bound_of_the_queries_is_of_all_seeds() -> None:
    opened = open_attack(mean_queries=None, mean_queries_at_least=8.0)
    older, unknown = an_attack(40), open_attack(mean_queries=7.0)
    unknown.pop("mean_queries_at_least", None)
    assert attack_of([opened, older]).least_queries == (8.0 + older["mean_queries"]) / 2
    assert attack_of([opened, unknown]).least_queries is None


def test_models_tested_on_different_rows_have_no_best() -> None:
    def tested(method: str, failed: int, rows: str | None) -> Card:
        data = {"train": 9, "test": 9, "words": 2.0} | ({"hashes": {"test": rows}} if rows else {})
        return attacked(method, failed, data=data)

    def some_bold(*rows: str | None) -> bool:
        methods = ("finetune", "flooding", "flooding-x")
        cards = [tested(*one) for one in zip(methods, (20, 30, 80), rows, strict=True)]
        table = table2(cards, ["sst2"], with_published=False)
        said = any("different test sets" in note for note in table.notes)
        found = any(any(bold(table, name)) for name in ("Clean%", "TextFooler Aua%"))
        assert said is not found
        return found

    assert some_bold("a" * 16, "a" * 16, None), "an older card does not tell"
    assert not some_bold("a" * 16, "b" * 16, None)


def test_a_range_stands_in_the_medians() -> None:
    cards = [a_card(seed=seed, attacks={OFFLINE: open_attack()}) for seed in range(3)]
    table = medians_table(cards)
    assert cell(table, 0, "TextFooler Aua%") == "4.2 to 62.5"


def test_bert_base_under_the_papers_profile_needs_no_excuse() -> None:
    card = a_card(encoder="google-bert/bert-base-uncased", attacks={"pso-paper": an_attack()})
    notes = " ".join(table2([card], ["sst2"]).notes)
    assert "stand-in" not in notes
    assert "offline" not in notes


@pytest.fixture
def recipes() -> list[Card]:
    """Two models; TextFooler in both profiles, of the second model by a machine with WordNet."""
    own, wordnet = (["words by a table", f"antonyms by {name}"] for name in ("a list", "WordNet"))
    return [
        a_card(
            attacks={
                OFFLINE: an_attack(20, fingerprint="f-own", replaced=own),
                "textfooler-paper": an_attack(21, fingerprint="f-paper", replaced=[]),
                "bae-offline": an_attack(22, fingerprint="f-bae", replaced=["BERT by ours"]),
            }
        ),
        a_card("pgd", attacks={OFFLINE: an_attack(23, fingerprint="f-wordnet", replaced=wordnet)}),
        a_card(task="mrpc", attacks={OFFLINE: an_attack(24, fingerprint="f-own", replaced=own)}),
    ]


RECIPES = [
    "TextFooler, offline profile, on SST-2, MRPC: fingerprint f-own; replaced: words by a table; "
    "antonyms by a list.",
    "TextFooler, offline profile, on SST-2: fingerprint f-wordnet; replaced: words by a table; "
    "antonyms by WordNet.",
    "TextFooler, paper profile, on SST-2: fingerprint f-paper; nothing replaced.",
    "BAE, offline profile, on SST-2: fingerprint f-bae; replaced: BERT by ours.",
    "Numbers of attacks compare only where the recipes' fingerprints match.",
]


def test_every_recipe_stands_below_the_table_in_every_format(recipes: list[Card]) -> None:
    table = table2(recipes, ["sst2", "mrpc"])
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(comparison_table(recipes))
    printed = [markdown(table), latex(table)]
    for line in RECIPES:
        for text, escape in zip(printed, (escape_markdown, escape_latex), strict=True):
            assert text.count(escape(line)) == 1, (line, text)
    told = " ".join(console.export_text().split())
    for line in RECIPES:  # on a terminal without what was replaced, which would fill a screen
        assert told.count(line.split("; replaced")[0]) == 1
    places = [printed[0].index(escape_markdown(line)) for line in RECIPES]
    assert places == sorted(places)


def test_the_recipes_have_columns_of_their_own_in_csv(recipes: list[Card]) -> None:
    for table in (table2(recipes, ["sst2", "mrpc"]), counts_table(recipes)):
        lines = list(csv.DictReader(io.StringIO(comma_separated(table))))
        name = "TextFooler " if table.name == "table2" else ""
        found = {
            (line["Dataset"], line["Method"], line["Profile"]): (
                line[f"{name}fingerprint"], line[f"{name}replaced"],
            )
            for line in lines
            if "ours" in line["Model"] and line.get("Attack", "TextFooler") == "TextFooler"
        }  # fmt: skip
        own = "words by a table; antonyms by a list"
        assert found == {
            ("SST-2", "Fine-tuning", "offline"): ("f-own", own),
            ("SST-2", "Fine-tuning", "paper"): ("f-paper", "nothing replaced"),
            ("SST-2", "PGD", "offline"): ("f-wordnet", "words by a table; antonyms by WordNet"),
            ("MRPC", "Fine-tuning", "offline"): ("f-own", own),
        }
        published_lines = [line for line in lines if "ours" not in line["Model"]]
        assert all(line["Profile"] == "" for line in published_lines)


def test_the_victim_s_calibration_is_no_other_recipe() -> None:
    attacks = {key: an_attack(fingerprint="f") for key in (OFFLINE, f"{OFFLINE}-calibrated")}
    (line, _) = table2([a_card(attacks=attacks)], ["sst2"]).recipes
    assert line.startswith("TextFooler, offline profile, on SST-2: fingerprint f;")


def test_a_seed_that_occurs_twice_is_flagged() -> None:
    table = table2([attacked("finetune", 20), attacked("finetune", 21)], ["sst2"])
    assert any("seed 0 occurs in more than one run" in note for note in table.notes)


def test_a_seed_that_was_run_again_for_other_texts_is_no_further_seed() -> None:
    """As a run whose every epoch is attacked, on fewer texts, beside one of the study's."""
    cards = [attacked("finetune", 20 + seed, seed) for seed in range(3)]
    again = a_card("finetune", 1, attacks={OFFLINE: an_attack(22, total=100)})
    table = table2([*cards, again, attacked("flooding", 30)], ["sst2"], with_published=False)
    assert [(cell(table, row, "Method"), cell(table, row, "Seeds")) for row in range(3)] == [
        ("Fine-tuning (textfooler-offline: 100 texts)", "1"),
        ("Fine-tuning (textfooler-offline: 200 texts)", "0, 1, 2"),
        ("Flooding", "0"),
    ]
    assert cell(table, 1, "TextFooler Aua%") == cell(
        table2(cards, ["sst2"], with_published=False), 0, "TextFooler Aua%"
    )
    assert not any("more than one run" in note for note in table.notes)
    another = {OFFLINE: an_attack(22, seed=7)}
    drawn = table2([*cards, a_card("finetune", 1, attacks=another)], ["sst2"])
    assert cell(drawn, 1, "Method") == "Fine-tuning (textfooler-offline: 200 texts of draw 7)"


def test_a_seed_that_was_run_again_parts_no_other_seeds() -> None:
    """Of the others one is not attacked yet, and some have one more attack, on fewer texts."""
    bugger = {"textbugger-offline": an_attack(22, total=50)}
    seeds = [attacked("finetune", 20, seed) for seed in range(3)]
    seeds.append(a_card("finetune", 3))
    seeds.append(a_card("finetune", 4, attacks={OFFLINE: an_attack(20), **bugger}))
    again = a_card("finetune", 1, attacks={OFFLINE: an_attack(22, total=100)})
    for cards in ([*seeds, again], [again, *reversed(seeds)]):
        found = by_setting(cards)
        assert {setting.sample: sorted(c["seed"] for c in of) for setting, of in found.items()} == {
            "textfooler-offline: 200 texts": [0, 1, 2, 3, 4],
            "textfooler-offline: 100 texts": [1],
        }


def test_samples_in_the_other_order_are_others() -> None:
    one = {OFFLINE: an_attack(22), "textbugger-offline": an_attack(22, total=100)}
    other = {OFFLINE: an_attack(22, total=100), "textbugger-offline": an_attack(22)}
    found = by_setting([a_card(attacks=one), a_card(attacks=other)])
    assert [setting.sample for setting in found] == [
        "textbugger-offline: 100 texts, textfooler-offline: 200 texts",
        "textbugger-offline: 200 texts, textfooler-offline: 100 texts",
    ]


def test_published_numbers_are_the_papers() -> None:
    table = table2([attacked("finetune", 20)], ["sst2"])
    rows = [row for row in table.rows if row.published]
    assert len(rows) == 7
    shown = [text_of(value) for value in rows[-1].cells]
    assert shown[:7] == ["SST-2", published.LABEL, "Flooding-X", "93.1", "34.9", "62.4", "149.61"]


def test_published_tables_are_whole() -> None:
    everything = published.tasks()
    assert len(table1([], everything).rows) == 5
    assert len(table2([], everything).rows) == 7 + 7 + 7 + 6 + 6
    assert len(table3([], everything).rows) == 6 * 3


def test_denominators_and_interval() -> None:
    summary = an_attack(22, errors=2, untouched=5, num_examples=207)
    cards = [a_card(attacks={OFFLINE: summary})]
    table = counts_table(cards)
    titles = ("Attacked", "Skipped", "Succeeded", "Failed", "Errors", "Out of budget", "Untouched")
    assert [cell(table, 0, title) for title in titles] == ["207", "30", "148", "22", "2", "0", "5"]
    # 22 of the 200 that are in the rate.
    table = table2(cards, ["sst2"], with_published=False)
    assert cell(table, 0, "TextFooler Aua%") == "11.0 (7.4 to 16.1)"
    for text in (markdown(table), latex(table)):
        assert "11.0 (7.4 to 16.1)" in text
    [line] = csv.DictReader(io.StringIO(comma_separated(table)))
    names = ("TextFooler Aua%", "TextFooler Aua% low", "TextFooler Aua% high")
    assert [line[name] for name in names] == ["11.0", "7.4", "16.1"]


def test_half_widths_and_ends_are_columns_of_their_own() -> None:
    cards = [attacked("finetune", 20 + 2 * seed, seed) for seed in range(3)]
    cards += [attacked("flooding", 0)]
    table = table2(cards, ["sst2"], with_published=False)
    averaged, single = csv.DictReader(io.StringIO(comma_separated(table)))
    keys = [f"TextFooler Aua%{end}" for end in ("", " low", " high")]
    assert [averaged[key] for key in keys] == ["11.0", "7.4", "16.1"]
    assert [single[key] for key in keys] == ["0.0", "0.0", "1.9"]
    # Suc%: 150, 148 and 146 of 170, by the t quantile of 2 degrees of freedom.
    half = 100 * 4.302653 * (2 / 170) / math.sqrt(3)
    assert [line["TextFooler Suc% ±"] for line in (averaged, single)] == [f"{half:.1f}", ""]
    assert "TextFooler Aua% ±" not in averaged


def wilson_by_roots(rate: float, total: int) -> tuple[float, float]:
    """The two rates p at which (rate - p)² = z²·p(1 - p)/total."""
    z = 1.959963985
    low, high = np.roots([1 + z**2 / total, -2 * rate - z**2 / total, rate**2])[::-1].real
    return float(low), float(high)


@pytest.mark.parametrize(
    ("failed", "low_from", "high_from"),
    [
        ((5, 5), "texts", "texts"),
        ((5, 5, 5), "texts", "texts"),
        ((5, 6), "seeds", "texts"),
        ((40, 41, 41), "texts", "texts"),
        ((3, 5, 7), "seeds", "texts"),
        ((20, 22, 24), "texts", "texts"),
        ((60, 80, 130), "seeds", "seeds"),
    ],
)
def test_the_interval_of_several_seeds_has_the_choice_of_texts_in_it(failed, low_from, high_from):
    mean, deviation = statistics.mean(failed) / 200, statistics.stdev(failed) / 200
    quantile = {2: 12.706205, 3: 4.302653}[len(failed)]
    half = quantile * deviation / math.sqrt(len(failed))
    low, high = zip(wilson_by_roots(mean, 200), (mean - half, mean + half), strict=True)
    names = {"texts": 0, "seeds": 1}
    expected = low[names[low_from]], high[names[high_from]]
    assert expected == (min(low), max(high)), "what the case is for"
    found = robust_interval(attack_of([an_attack(each) for each in failed]))
    assert found == pytest.approx((max(0.0, expected[0]), expected[1]), abs=1e-6)


def test_seeds_that_tie_show_the_interval_of_one() -> None:
    tied = [attacked("finetune", 5, seed) for seed in range(3)]
    table = table2([*tied, attacked("flooding", 5)], ["sst2"], with_published=False)
    shown = [cell(table, row, "TextFooler Aua%") for row in range(2)]
    assert shown == ["2.5 (1.1 to 5.7)"] * 2
    assert any("all seeds attack the same texts" in note for note in table.notes)


def test_the_interval_over_seeds_stays_within_zero_and_one() -> None:
    few = attack_of([an_attack(1), an_attack(9)])
    assert robust_interval(few) == (0.0, pytest.approx(0.025 + 12.7062 * 0.02, rel=1e-4))
    nothing = an_attack(0, skipped=0, total=1, accuracy_under_attack=None, num_examples=0)
    assert robust_interval(attack_of([nothing])) is None


def test_training_time_is_a_ratio_to_finetuning() -> None:
    cards = [a_card(seconds_per_epoch=40.0), a_card("flooding", seconds_per_epoch=41.0)]
    table = table3(cards, ["sst2"])
    assert [cell(table, row, "× fine-tuning") for row in (0, 1)] == ["1.00", "1.02"]
    assert cell(table, 3, "× fine-tuning") == "1.05", "published: 272 / 260"


def test_a_search_costs_its_candidates_too() -> None:
    card: Any = a_card("flooding-search", flood_level_source="search")
    card["search"] = {"candidates": [{"train_seconds": 100.0}, {"train_seconds": 50.0}]}
    assert cell(table3([card], ["corpus", "sst2"]), 0, "Seconds in all") == "550.0"


PROBED = {"first_pass_seconds": 200.0, "probe_seconds": 30.0}


@pytest.mark.parametrize(
    ("method", "parts", "seconds"),
    [
        ("flooding-x", {"accordance": PROBED}, "630.0"),
        ("flooding-x-online", {"accordance": {"probe_seconds": 30.0}}, "430.0"),
        (
            "flooding-search",
            {"search": {"bounds": PROBED, "candidates": [{"train_seconds": 100.0}]}},
            "730.0",
        ),
        ("flooding-search", {"search": {"bounds": {"from": "fixed"}}}, "400.0"),
        ("finetune", {"accordance": {"probe_seconds": 30.0}}, "400.0"),
        ("flooding", {"accordance": {"probe_seconds": 30.0}}, "400.0"),
    ],
)
def test_the_search_for_a_level_is_part_of_its_training_time(
    method: str, parts: dict[str, Any], seconds: str
) -> None:
    table = table3([a_card(method, **parts)], ["sst2"])
    assert cell(table, 0, "Seconds in all") == seconds


def test_other_samples_are_flagged() -> None:
    cards = [
        attacked("finetune", 20),
        a_card("flooding", attacks={OFFLINE: an_attack(10, total=100)}),
    ]
    assert any("different samples" in note for note in table2(cards, ["sst2"]).notes)
    assert not any("different samples" in note for note in table2(cards[:1], ["sst2"]).notes)


def test_sizes_come_from_the_cards() -> None:
    table = table1([a_card(data={"train": 2000, "test": 872, "words": 9.4})], ["sst2"])
    assert [text_of(value) for value in table.rows[0].cells] == [
        "SST-2", "2,000", "872", "9.4", "ours",
    ]  # fmt: skip


def test_the_terminal_table_shows_every_method_and_note() -> None:
    console = Console(width=160, file=io.StringIO())
    console.print(comparison_table([attacked("finetune", 20), attacked("flooding", 30)]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Fine-tuning" in text
    assert "15.0" in text
    assert "[bold" not in text
    assert "published (BERT" not in text


def test_a_card_without_attacks_still_has_its_row() -> None:
    table = table2([a_card()], ["sst2"], with_published=False)
    assert cell(table, 0, "Clean%") == "85.0"


# What a name may hold, control characters and markup included.
TEXT = st.text(max_size=40)


def one_cell(text: str) -> Table:
    columns = (Column("Method", numeric=False), Column("Clean%"))
    return Table("t", text, columns, (TableRow((text, Number(1.5))),), (text,))


@given(TEXT)
def test_markdown_keeps_its_columns(text: str) -> None:
    lines = markdown(one_cell(text)).split("\n")
    row = lines[4]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3
    assert "<" not in markdown(one_cell(text))


@given(TEXT)
def test_escaped_markdown_reads_as_the_text(text: str) -> None:
    plain = re.sub(r"\\([\\`*_\[\]|~$])", r"\1", escape_markdown(text))
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == visible_words(text)


@given(st.text(alphabet="=+-@\t\r\n\"',a1 ;|", max_size=12))
def test_csv_gives_the_text_back_and_no_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(comma_separated(one_cell(text)), newline="")))
    assert len(rows) == 2
    line = " ".join(text.split())
    assert rows[1][0] in (line, f"'{line}")
    assert not rows[1][0].startswith(("=", "+", "-", "@"))


def test_csv_numbers_stay_numbers() -> None:
    assert escape_csv("-1") == "'-1"
    table = Table("t", "", (Column("x"),), (TableRow((Number(-1.0, 0.25),)),))
    assert comma_separated(table) == "x,x ±\n-1.0,0.2\n"


@given(st.text(alphabet="\\{}&%$#_~^<>[]|*a ±\n\x1b\x00\u202e", max_size=20))
def test_latex_has_no_special_character_left(text: str) -> None:
    known = re.compile(
        r"\\textbackslash\{\}(?:x1b|x00|u202e)|"
        r"\\text(?:backslash|asciitilde|asciicircum|less|greater|bar)\{\}|"
        r"\\[{}&%$#_]|\$\\pm\$|\{[\[\]*]\}"
    )
    assert re.fullmatch(r"[a ]*", known.sub("", escape_latex(text)))


def test_latex_table_has_its_groups_and_rules() -> None:
    text = latex(table2([attacked("finetune", 20), attacked("flooding", 60)], ["sst2"]))
    assert r"\multicolumn{4}{c}{TextFooler}" in text
    assert r"\cmidrule(lr){3-6}" in text
    assert r"\textbf{30.0 (" in text
    lines = [line for line in text.split("\n") if re.match(r"(Fine-tuning|Flooding) &", line)]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {7}
    assert r"\multicolumn{8}{l}{\textit{SST-2, ours: MiniLM" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_and_fits_the_page(tmp_path: Path) -> None:
    cards = [
        attacked(method, 20 + seed, seed, flood_level=level, encoder="org/my_model&50%_#$~^{x}\\")
        for method, level in (("finetune", None), ("flooding", 0.05))
        for seed in (0, 1)
    ]
    tables = latex(table2(cards, ["sst2"]), counts_table(cards), table1(cards, ["sst2"]))
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "t.tex").write_text(f"{document}\n{tables}\n\\end{{document}}\n")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    too_wide = [float(points) for points in re.findall(r"Overfull .hbox \(([\d.]+)pt", done.stdout)]
    assert max(too_wide, default=0.0) < 130, "within the margin of an article, still on the sheet"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_mean_over_seeds_does_not_depend_on_their_order(values: list[float]) -> None:
    shuffled = np.random.default_rng(0).permutation(values)
    one, other = estimate(values), estimate([float(value) for value in shuffled])
    assert one is not None
    assert other is not None
    assert one.mean == pytest.approx(other.mean)
