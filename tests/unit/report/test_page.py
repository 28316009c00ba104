"""The page, its figures and its examples, from run folders as a run leaves them."""

import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.cards.cards import Run, write_card
from mindflood.errors import UserError
from mindflood.report.examples import differences, examples
from mindflood.report.figures.losses import loss_curves
from mindflood.report.figures.training import read_series, smoothed, thinned
from mindflood.report.page import figures, report
from tests.unit.report_runs import a_card, a_run, an_attack, an_example, lines, results

HOSTILE = "<script>alert('x')</script> & \"quoted\" {{ 7 * 7 }}"


class Page(HTMLParser):
    """Tags, attributes and text of a page, as a browser would take them apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.marked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags and self.tags[-1] == "mark" and self.lasttag == "mark":
            self.marked.append(data)


def make_runs(folder: Path) -> Path:
    """Fine-tuning and flooding on SST-2 with two seeds, attacked, with traces and examples."""
    for method, failed in (("finetune", 22), ("flooding", 31)):
        for seed in range(2):
            replaced = ["neighbours: the vocabulary's", HOSTILE]
            attacks = {"textfooler-offline": an_attack(failed + seed, replaced=replaced)}
            run = a_run(folder / f"{method}-{seed}", a_card(method, seed, attacks=attacks))
            records = [
                an_example(f"{HOSTILE} a boring film", f"{HOSTILE} a tedious film"),
                an_example("not shown", "not shown", result="failed"),
            ]
            results(run / "attacks" / "textfooler.jsonl", records)
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs that a test may change."""
    return make_runs(tmp_path)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with their report, for the tests that only read."""
    folder = make_runs(tmp_path_factory.mktemp("runs"))
    assert report(folder) == folder / "report.html"
    return folder


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def page_of(folder: Path) -> Page:
    return Page(report(folder).read_text(encoding="utf-8"))


def test_the_page_holds_what_the_cards_hold(reported: Path) -> None:
    page = read_page(reported)
    for words in (
        "Fine-tuning",
        "Flooding",
        "11.2 (7.6 to 16.4)",
        "MiniLM-L6 (embedded)",
        "offline",
    ):
        assert words in page.text
    assert "published (BERT-base, paper profile)" in page.text
    assert page.tags.count("figure") == 6, "losses and rows below b of all, and the losses of each"
    assert "not shown" not in page.text


def test_text_from_the_data_shows_literally(reported: Path) -> None:
    page = read_page(reported)
    assert "script" not in page.tags
    assert HOSTILE in page.text


def test_hostile_names_show_literally(tmp_path: Path) -> None:
    hostile = {
        "task": HOSTILE,
        "method": HOSTILE,
        "encoder": HOSTILE,
        "attacks": {f"{HOSTILE}-offline": an_attack(fingerprint=HOSTILE)},
        "versions": {HOSTILE: HOSTILE},
    }
    a_run(tmp_path / "run", a_card(**hostile))
    page = page_of(tmp_path)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) >= 5


def test_every_card_s_recipe_is_among_the_conditions(tmp_path: Path) -> None:
    attacks = {
        "bae-offline": an_attack(fingerprint="f-offline", replaced=["BERT by ours"]),
        "bae-paper": an_attack(fingerprint="f-paper"),
    }
    a_run(tmp_path / "one", a_card(attacks=attacks))
    other = {"bae-offline": an_attack(fingerprint="f-other", replaced=["BERT by theirs"])}
    a_run(tmp_path / "two", a_card("pgd", attacks=other))
    page = " ".join(page_of(tmp_path).text.split())
    where = "BAE, {} profile, on SST-2: fingerprint {}; {}."
    for line in (
        where.format("offline", "f-offline", "replaced: BERT by ours"),
        where.format("offline", "f-other", "replaced: BERT by theirs"),
        where.format("paper", "f-paper", "nothing replaced"),
    ):
        assert page.count(line) == 1
    assert page.count("Recipes") == 1


def test_the_page_is_self_contained(reported: Path) -> None:
    page = read_page(reported)
    assert not {"link", "img", "iframe", "object", "script"} & set(page.tags)
    for name, value in page.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("#", "report/")), value
    style = (reported / "report.html").read_text(encoding="utf-8")
    assert "@import" not in style
    assert not re.search(r"url\((?!#)", style)


def test_links_lead_to_files(reported: Path) -> None:
    page = read_page(reported)
    links = [value for name, value in page.attributes if name == "href" and value[0] != "#"]
    assert len(links) == 9
    assert all((reported / link).is_file() for link in links)


def test_every_table_and_figure_is_a_file_too(reported: Path) -> None:
    written = {path.name for path in (reported / "report").iterdir()}
    for name in ("table1", "table2", "table3"):
        assert {f"{name}.md", f"{name}.csv", f"{name}.tex"} <= written
    assert "table2_counts.csv" in written
    drawn = [name for name in written if name.endswith(".svg")]
    assert len(drawn) == 6
    for name in drawn:
        ElementTree.parse(reported / "report" / name)


def test_the_same_runs_give_the_same_bytes(reported: Path) -> None:
    first = (reported / "report.html").read_bytes()
    assert report(reported).read_bytes() == first


def test_a_figure_keeps_its_name_when_runs_come_before_it(runs: Path) -> None:
    def drawn() -> set[str]:
        report(runs)
        return {path.name for path in (runs / "report").glob("*.svg")}

    before = drawn()
    a_run(runs / "finetune-0" / "a", a_card("finetune", 2))
    a_run(runs / "finetune-0-a", a_card("finetune", 3))
    assert drawn() - before == {f"finetune-0-a{number}-training.svg" for number in ("", "-2")}
    assert before <= drawn()


def test_ids_on_the_page_are_unique(reported: Path) -> None:
    ids = [value for name, value in read_page(reported).attributes if name == "id"]
    assert ids
    assert len(ids) == len(set(ids))


def test_runs_without_trace_or_attack_are_reported_too(tmp_path: Path) -> None:
    write_card(tmp_path / "card.json", a_card(clean_accuracy=None, seconds_per_epoch=None))
    page = page_of(tmp_path)
    assert "figure" not in page.tags
    assert "Fine-tuning" in page.text


@pytest.mark.parametrize(
    ("name", "record", "words"),
    [
        ("trace.jsonl", {"step": 1, "epoch": 0.1}, "'loss'"),
        ("evaluations.jsonl", {"epoch": 1, "step": 1, "eval_loss": "low"}, "'eval_loss'"),
        ("attacks/textfooler.jsonl", {"result": "succeeded"}, "'index'"),
        ("attacks/textfooler.jsonl", {"index": 1, "result": "succeeded"}, "'original'"),
        ("attacks/textfooler.jsonl", [], "expected an object"),
    ],
)
def test_a_broken_record_is_named_and_nothing_written(
    runs: Path, name: str, record: dict[str, Any], words: str
) -> None:
    lines(runs / "finetune-0" / name, [record])
    with pytest.raises(UserError) as raised:
        report(runs)
    assert name.rsplit("/", 1)[-1] in str(raised.value)
    assert words in str(raised.value)
    assert not (runs / "report.html").exists()


def test_a_report_takes_the_place_of_a_report_only(tmp_path: Path) -> None:
    write_card(tmp_path / "card.json", a_card())
    page, table = report(tmp_path), tmp_path / "report" / "table2.md"
    page.write_text(
        page.read_text().replace('<meta name="generator"', "<meta name")
    )  # an older one
    report(tmp_path)
    page.write_text("<h1>My report</h1>")
    with pytest.raises(UserError, match=r"report\.html: is there, and is no report of ours"):
        report(tmp_path)
    assert page.read_text() == "<h1>My report</h1>"
    page.unlink()
    table.write_text("my table")
    with pytest.raises(UserError, match=r"report: is not empty, and no report of ours is beside"):
        report(tmp_path)
    assert table.read_text() == "my table"
    assert not page.exists()


def test_a_folder_without_cards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no card\.json"):
        report(tmp_path)


def test_what_is_wide_scrolls_in_a_box_of_its_own(reported: Path) -> None:
    """The page itself never does: no table or command outside a box, every figure as wide as it."""

    class Boxes(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[tuple[str, str]] = []
            self.loose: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.open.append((tag, dict(attrs).get("class") or ""))
            if tag in ("table", "pre") and not any("scroll" in name for _, name in self.open):
                self.loose.append(tag)

        def handle_endtag(self, tag: str) -> None:
            while self.open and self.open.pop()[0] != tag:
                pass

    text, boxes = (reported / "report.html").read_text(encoding="utf-8"), Boxes()
    boxes.feed(text)
    assert "<table>" in text
    assert not boxes.loose
    assert 'content="width=device-width, initial-scale=1"' in text
    for rule in (".scroll { overflow-x: auto;", "figure svg { width: 100%;", "break-word"):
        assert rule in text


def test_labels_are_explained_where_they_stand(tmp_path: Path) -> None:
    found = {"level": 0.3, "lower": 0.1, "upper": 0.3, "epoch": 1.0, "source": "fallback"}
    attacks = {"textfooler-offline": an_attack(), "textfooler-offline-calibrated": an_attack()}
    for method, source in (("flooding-x", "fallback"), ("flooding-search", "search")):
        card = a_card(method, flood_level=0.3, flood_level_source=source, attacks=attacks)
        a_run(tmp_path / method, card | ({"accordance": found} if source == "fallback" else {}))
    said = [text.strip() for text in re.findall(r"<li>(.*?)</li>", report(tmp_path).read_text())]
    for words in ("b (fallback): gradient", "b (search): the best", "Calibrated profile:"):
        assert sum(text.startswith(words) for text in said) == 1
    assert any(
        text.startswith("Fallback: gradient accordance crossed zero nowhere") for text in said
    )


def test_changed_words_are_marked(reported: Path) -> None:
    text = (reported / "report.html").read_text(encoding="utf-8")
    assert "<mark>boring</mark>" in text
    assert "<mark>tedious</mark>" in text
    assert text.count("<mark>") == 4, "one example of each method"


def test_both_texts_of_a_pair_are_shown(tmp_path: Path) -> None:
    pair = an_example("one two | three", "one too | three")
    results(tmp_path / "attacks" / "textfooler.jsonl", [pair])
    (example,) = examples([Run(tmp_path, a_card(task="mrpc"))])
    assert [[piece.text for piece in text] for text in example.original] == [
        ["one ", "two"],
        ["three"],
    ]
    assert example.label == "not_equivalent"


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_joined_are_the_texts(first: str, second: str) -> None:
    before, after = differences(first, second)
    assert "".join(piece.text for piece in before) == first
    assert "".join(piece.text for piece in after) == second
    kept = ["".join(p.text for p in side if not p.changed) for side in (before, after)]
    assert kept[0] == kept[1]


@given(
    st.lists(st.floats(0, 9) | st.just(math.nan), min_size=1, max_size=400),
    st.integers(2, 50),
)
def test_thinning_keeps_the_extremes(values: list[float], most: int) -> None:
    steps = [float(step) for step in range(len(values))]
    kept_steps, kept = thinned(steps, values, most)
    assert len(kept) <= max(most, 2)
    assert kept_steps == sorted(set(kept_steps))
    finite = [value for value in values if not math.isnan(value)]
    if finite:
        shown = [value for value in kept if not math.isnan(value)]
        assert (min(shown), max(shown)) == (min(finite), max(finite))


def test_smoothing_is_an_exponential_average() -> None:
    decay = 1 - 2 / (5 + 1)
    expected = (1.0 * decay + 4.0) / (decay + 1)
    assert smoothed([1.0, 4.0]) == pytest.approx([1.0, expected])


def test_a_loss_that_is_not_finite_is_left_out_of_the_curve(tmp_path: Path) -> None:
    folder = a_run(tmp_path, a_card("flooding"), steps=10)
    record = {"step": 10, "loss": math.nan, "flooding": False}
    with (folder / "trace.jsonl").open("a") as trace:
        trace.write(json.dumps(record) + "\n")
    assert math.isnan(read_series(folder / "trace.jsonl", ["loss"])["loss"][-1])
    (drawn,) = figures(Run(folder, a_card("flooding")), "run")
    assert "nan" not in re.sub(r"<text.*?</text>", "", drawn.svg, flags=re.S).lower()


@pytest.mark.parametrize("steps", [1, 2, 5000], ids=str)
def test_runs_of_any_length_are_drawn(tmp_path: Path, steps: int) -> None:
    run = Run(a_run(tmp_path, a_card("flooding"), steps=steps), a_card("flooding"))
    (drawn,) = figures(run, "run")
    root = ElementTree.fromstring(drawn.svg)
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"loss (nats)", "accuracy (%)", "training step", "flood level b = 0.05"} <= words
    assert len(drawn.svg) < 400_000


def test_the_command_prints_the_table_and_where_the_page_is(tmp_path: Path) -> None:
    write_card(tmp_path / "card.json", a_card())
    code = (
        "import argparse; from mindflood.report import command; import sys;"
        "parser = argparse.ArgumentParser(); command.add_arguments(parser);"
        "status = command.run(parser.parse_args(sys.argv[1:]));"
        "heavy = {'torch', 'mindspore', 'textattack'} & set(sys.modules);"
        "sys.exit(status or bool(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Fine-tuning" in done.stdout
    assert done.stdout.rstrip().endswith("report.html")


def test_the_losses_of_all_methods_are_one_figure_with_the_level(tmp_path: Path) -> None:
    cards = [a_card("finetune", seed) for seed in (0, 1)] + [a_card("flooding"), a_card("pgd")]
    runs = [Run(a_run(tmp_path / str(at), card), card) for at, card in enumerate(cards)]
    [(title, svg)] = loss_curves(runs, "losses")
    assert title == "SST-2, MiniLM-L6 (embedded)"
    root = ElementTree.fromstring(svg)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for label in ("Fine-tuning", "Flooding, b = 0.05", "PGD", "flood level b", "epoch"):
        assert words.count(label) == 1, "a method once, whatever its seeds"
    for label in ("training loss J (nats)", "evaluation loss (nats)"):
        assert label in words
    lines_of = {colour: svg.lower().count(f"stroke: {colour}") for colour in ("#0072b2", "#d55e00")}
    assert min(lines_of.values()) > 0
    assert list(loss_curves(runs[:1], "losses")) == [], "one run has its own figure"
