"""One nasty text through every place where it is shown: written out, it does nothing."""

import csv
import io
import json
import unicodedata
import xml.etree.ElementTree
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mindflood.cards.cards import find_runs, read_card
from mindflood.cli import main
from mindflood.errors import UserError
from mindflood.progress import Display
from mindflood.report.page import report
from mindflood.report.tables.paper import comparison_table
from mindflood.visible import spreadsheet_cell, visible, visible_line, visible_words
from tests.unit.report_runs import a_card, a_run, an_attack, an_example, lines

# A terminal's title and colour, a bell, reading turned round, half a surrogate pair, the one-byte
# escape, markup of rich, HTML and TeX.
NASTY = "=cmd|' /C calc'!A0\x1b]0;owned\x07\x1b[31m\u202edaor\ud800\x9b1m\x00[bold]<b>$&_\\input{x}"
ALLOWED = {"\n", "\t"}


def commands(text: str) -> set[str]:
    """The characters of ``text`` that would command what shows it, by Unicode's own tables."""
    turned = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return {
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in turned
    } - ALLOWED


@given(st.text())
def test_what_is_shown_commands_nothing(text: str) -> None:
    for shown in (visible(text), visible_line(text), visible_words(text), spreadsheet_cell(text)):
        assert not commands(shown)
    assert "\n" not in visible_line(text)


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_letters_signs_and_emoji_are_shown_as_they_are(text: str) -> None:
    assert visible(text) == visible_line(text) == text


@given(st.text(alphabet="=+-@\t\r\n ＝a1", max_size=8))
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not spreadsheet_cell(text).lstrip(" \n").startswith(tuple("=+-@\t＝"))


def nasty_runs(folder: Path) -> None:
    """Two runs whose names, labels, versions and texts are all nasty."""
    for seed in (0, 1):
        card = a_card(
            task=NASTY,
            method=NASTY,
            encoder=NASTY,
            seed=seed,
            attacks={
                f"{NASTY}-offline": an_attack(fingerprint=NASTY, replaced=[NASTY], columns=NASTY)
            },
            versions={NASTY: NASTY},
            settings={"training." + NASTY: NASTY},
            analyses={"noise": {
                "alpha": [0, 0.1], "loss": [0.2, 0.3], "accuracy": [0.9, 0.8],
                "num_examples": 3, "draws": 1, "seed": 0,
            }, "generalisation": {
                "in": {"task": NASTY, "accuracy": 0.5, "num_examples": 3},
                "out": [{"task": NASTY, "accuracy": 0.5, "num_examples": 3}],
            }},
        )  # fmt: skip
        run = a_run(folder / f"run-{seed}", card)
        lines(run / "attacks" / "textfooler.jsonl", [
            an_example(NASTY, NASTY + " bad", label=NASTY, original_prediction=NASTY)
        ])  # fmt: skip


class Texts(HTMLParser):
    """What a browser reads: the texts, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self.tags = "", set()

    def handle_data(self, data: str) -> None:
        self.found += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def test_every_file_of_a_report_is_free_of_commands(tmp_path: Path) -> None:
    nasty_runs(tmp_path)
    page = report(tmp_path)
    written = [page, *(tmp_path / "report").iterdir()]
    kinds = {path.suffix for path in written}
    assert kinds == {".html", ".md", ".csv", ".tex", ".svg"}
    shown = {path: path.read_text(encoding="utf-8") for path in written}
    for path, text in shown.items():
        assert not commands(text), path
    for kind in (".html", ".md", ".csv", ".svg"):
        assert any("owned" in text for path, text in shown.items() if path.suffix == kind)
    read = Texts()
    read.feed(shown[page])
    assert "b" not in read.tags
    assert r"\x1b]0;owned\x07\x1b[31m\u202edaor\ud800\x9b1m\x00[bold]<b>" in read.found
    for path, text in shown.items():
        if path.suffix == ".svg":
            xml.etree.ElementTree.fromstring(text)
        if path.suffix == ".csv":
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not any(cell.startswith(("=", "@")) for cell in cells)
        if path.suffix == ".tex":
            assert r"\input" not in text


def test_the_card_of_an_exported_model_shows_it_written_out(tmp_path: Path) -> None:
    from mindflood.bridge.model_card import model_card

    nasty_runs(tmp_path)
    card = read_card(tmp_path / "run-0" / "card.json")
    text = model_card(card, NASTY, SimpleNamespace(largest_difference=0.0, rows=1))
    assert not commands(text)
    assert "<b>" not in text
    assert text.count(r"\\x1b\]0;owned\\x07") == 6


def test_the_terminal_s_table_shows_it_written_out(tmp_path: Path) -> None:
    nasty_runs(tmp_path)
    out = io.StringIO()
    console = Console(file=out, width=2000, force_terminal=False)
    console.print(comparison_table([run.card for run in find_runs(tmp_path)]))
    assert not commands(out.getvalue())
    assert r"\x1b]0;owned\x07" in out.getvalue()
    assert "[bold]" in out.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_has_no_command_of_a_title(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, width=300, force_terminal=terminal)
    with Display(NASTY, 1, 0, 0, console=console) as display:
        display.advance("")
    assert r"\x1b]0;owned" in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_a_message_is_one_line_without_commands(tmp_path: Path, capsys) -> None:
    assert not commands(str(UserError(NASTY)))
    folder = tmp_path / "evil\x1b[31m\nmindflood: done\udc80"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(NASTY))
    assert main(["report", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not commands(said)
    assert r"evil\x1b[31m mindflood: done\udc80/card.json" in said
