"""The tables of README and docs/results say what the committed cards say."""

import re
import shutil
from pathlib import Path

import pytest

from mindflood.cards.cards import find_cards, read_card
from mindflood.report.page import report
from tests.conftest import ROOT
from tools.results_pages import PAGES, filled

OF_CARDS = [page for page in PAGES if "<!-- table {" in page.read_text("utf-8")]


@pytest.mark.parametrize("page", OF_CARDS, ids=lambda page: page.name)
def test_a_page_agrees_with_the_cards(page: Path) -> None:
    text = page.read_text("utf-8")
    assert filled(text) == text, "run python tools/results_pages.py"


def test_another_number_on_a_page_is_seen() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (rate, *_) = re.findall(r"TextFooler \| (\d+\.\d)", text)
    changed = text.replace(f"TextFooler | {rate}", "TextFooler | 99.9")
    assert changed != text
    assert filled(changed) == text


@pytest.mark.parametrize(
    "wish", ["{from: results/attacks, name: attacks, columns: [Auaa%]}", "{from: results/nothing}"]
)
def test_a_wish_that_nothing_answers_is_no_empty_table(wish: str) -> None:
    with pytest.raises(Exception, match=r"no column 'Auaa%'|no such folder"):
        filled(f"<!-- table {wish} -->\n<!-- /table -->\n")


def test_the_picture_is_of_the_demo_s_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "demo", tmp_path / "demo")
    report(tmp_path / "demo")
    drawn = tmp_path / "demo" / "report" / "flooding-x-seed0-accordance.svg"
    assert drawn.read_text() == (ROOT / "docs" / "pictures" / "accordance.svg").read_text()


def test_committed_cards_are_cards() -> None:
    cards = [read_card(path) for path in find_cards(ROOT / "results")]
    assert len(cards) >= 8
