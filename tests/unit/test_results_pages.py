"""The tables of README and docs/results say what the committed cards and records say."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from mindflood.cards.cards import find_cards, find_runs, read_card
from mindflood.report.gains import gains_table
from mindflood.report.page import report
from mindflood.report.tables.layout import text_of
from tests.conftest import ROOT
from tools import results_pages
from tools.results_pages import PAGES, filled

BLOCK = re.compile(r"<!-- table \{.*?<!-- /table -->", re.DOTALL)
FACTS = re.compile(r"<!-- facts: \w[^>]*-->\n\n?(?:\|.*\n)+")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def typed(text: str) -> list[str]:
    """The lines of tables that are neither made of results nor said to be facts."""
    rest = FACTS.sub("", BLOCK.sub("", text))
    return [line for line in rest.splitlines() if re.match(r"\s*\|.*\|\s*$", line)]


@every_page
def test_a_page_agrees_with_the_results(page: Path) -> None:
    text = page.read_text("utf-8")
    assert filled(text) == text, "run python tools/results_pages.py"


@every_page
def test_no_table_is_typed(page: Path) -> None:
    assert typed(page.read_text("utf-8")) == []


def test_a_typed_table_is_seen() -> None:
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    assert len(typed(f"Text.\n\n{table}")) == 3
    assert typed(f"<!-- facts: settings of the papers -->\n{table}") == []
    assert len(typed(f"<!-- facts: -->\n{table}")) == 3
    assert len(typed(f"<!-- facts: of the papers -->\n{table}\n{table}")) == 3
    assert typed("<!-- table {from: results} -->\n| a |\n<!-- /table -->\n") == []


def test_a_record_that_is_missing_is_one_line(tmp_path, monkeypatch, capsys) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- table {from: results/benchmarks/none.json} -->\n<!-- /table -->\n")
    monkeypatch.setattr(results_pages, "PAGES", (page,))
    monkeypatch.setattr(sys, "argv", ["results_pages.py", "--check"])
    assert results_pages.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("none.json: no such file")


def test_a_table_s_notes_stand_below_it_where_they_are_wished_for() -> None:
    page = "<!-- table {from: results/demo, name: table2, notes: [%s]} -->\n<!-- /table -->\n"
    table, notes = filled(page % "'that were read,'").strip().rsplit("\n\n", 2)[:2]
    (line,) = notes.splitlines()
    assert table.endswith("|")
    assert re.match(r"- TextFooler .* successes that were read, .* keep the label", line)
    with pytest.raises(ValueError, match="table 'table2' has no note with 'nobody said'"):
        filled(page % "nobody said")


def test_every_record_stands_on_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    for path in (ROOT / "results" / "benchmarks").glob("*.json"):
        assert path.relative_to(ROOT).as_posix() in pages


def test_another_number_on_a_page_is_seen() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (rate, *_) = re.findall(r"TextFooler \| (\d+\.\d)", text)
    changed = text.replace(f"TextFooler | {rate}", "TextFooler | 99.9")
    assert changed != text
    assert filled(changed) == text


@pytest.mark.parametrize(
    "wish",
    [
        "{from: results/benchmarks/step.json, notes: [x]}",
        "{from: results/benchmarks/step.json, trace: [x]}",
        "{from: results/attacks, name: attacks, colums: [Attack]}",
        "{from: results/demo, trace: [flooding-x-seed0], where: {}}",
    ],
)
def test_a_wish_that_is_not_known_is_refused(wish: str) -> None:
    with pytest.raises(ValueError, match="what is"):
        filled(f"<!-- table {wish} -->\n<!-- /table -->\n")


@pytest.mark.parametrize(
    "wish", ["{from: results/attacks, name: attacks, columns: [Auaa%]}", "{from: results/nothing}"]
)
def test_a_wish_that_nothing_answers_is_no_empty_table(wish: str) -> None:
    with pytest.raises(Exception, match=r"no column 'Auaa%'|no such folder"):
        filled(f"<!-- table {wish} -->\n<!-- /table -->\n")


@pytest.mark.parametrize(
    ("results", "drawn", "picture"),
    [
        ("demo", "flooding-x-seed0-accordance.svg", "accordance.svg"),
        ("flooding_family", "rows-1.svg", "flooding_family_rows.svg"),
        ("study/sst2-long", "flooding-x-seed1-accordance.svg", "study_accordance.svg"),
        ("study/sst2-long", "noise-1.svg", "study_noise.svg"),
        ("study/sst2-long", "sweep-1.svg", "study_levels.svg"),
        ("study/sst2-epochs", "epochs-1.svg", "study_epochs.svg"),
    ],
)
def test_a_picture_is_of_the_committed_results(
    tmp_path: Path, results: str, drawn: str, picture: str
) -> None:
    shutil.copytree(ROOT / "results" / results, tmp_path / "runs")
    report(tmp_path / "runs")
    found = (tmp_path / "runs" / "report" / drawn).read_text()
    assert found == (ROOT / "docs" / "pictures" / picture).read_text()


def test_the_study_s_parts_reported_together_have_the_gains_of_each() -> None:
    """Part F trains seed 1 of part A again: it is no sixth seed."""
    together, alone = (
        {
            texts[:2]: texts[3:]
            for row in gains_table(find_runs(ROOT / "results" / folder)).rows
            if (texts := tuple(text_of(cell) for cell in row.cells))
        }
        for folder in ("study", "study/sst2-long")
    )
    attack = "SST-2, TextBugger (offline), MiniLM-L6 (embedded)"
    texts = "400 texts of draw 1"
    flooding = alone[attack, "Flooding (b = 0.2)"]
    assert flooding[0] == "5"
    again = f"Flooding (b = 0.2, textbugger-offline: {texts})"
    assert together[f"{attack}, {texts}", again] == flooding
    assert together[f"{attack}, {texts}", "Flooding-X"] == alone[attack, "Flooding-X"]


def test_committed_cards_are_cards() -> None:
    cards = [read_card(path) for path in find_cards(ROOT / "results")]
    assert len(cards) >= 8
