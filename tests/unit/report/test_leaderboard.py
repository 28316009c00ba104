"""The leaderboard: what its rows say, and that nothing which a card says can run in it."""

import html.parser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mindflood.cards.cards import write_card
from mindflood.errors import UserError
from mindflood.report.page import report
from tests.unit.report_runs import a_card, an_attack, an_audit

KEY = "textfooler-offline"
HOSTILE = (
    "</td><script>document.documentElement.dataset.ran = 1</script><img src=x onerror=alert()>"
)


class Page(html.parser.HTMLParser):
    """Rows of cells, links, choices of each filter, and every tag that was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.options: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "a":
            self.links.append(dict(attributes)["href"])
        if tag == "option":
            self.options.append(dict(attributes)["value"])
        self.inside = tag

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.inside in ("td", "th", "a"):
            self.rows[-1][-1] += data.strip()


def leaderboard(folder: Path) -> Page:
    assert report(folder) == folder / "report.html"
    return Page((folder / "leaderboard.html").read_text(encoding="utf-8"))


def put(place: Path, **changes: object) -> None:
    place.mkdir(parents=True)
    write_card(place / "card.json", a_card(**changes))


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Three models; the successes of one attack were read."""
    put(tmp_path / "weak", attacks={KEY: an_attack(failed=20)})
    audited = an_attack(
        failed=30, audit=an_audit(validated_accuracy=0.4, validated_accuracy_interval=[0.35, 0.45])
    )
    put(tmp_path / "study" / "read", method="flooding", attacks={KEY: audited})
    undecided = an_attack(failed=50, out_of_budget=40, succeeded=80)
    undecided |= {"accuracy_under_attack": None, "attack_success_rate": None, "mean_queries": None}
    put(tmp_path / "pso", method="pgd", attacks={"pso-offline": undecided})
    return tmp_path


def test_a_row_says_what_its_card_says(cards):
    head, *rows = leaderboard(cards).rows
    found = {row[-1]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(found) == ["study/read/card.json", "weak/card.json", "pso/card.json"]
    best = found["study/read/card.json"]
    assert (best["Method"], best["Data set"], best["b"]) == ("Flooding", "SST-2", "0.050")
    assert (best["Attack"], best["Texts"]) == ("TextFooler (offline)", "200")
    assert best["Aua%"] == "15.0 (10.7 to 20.6)"  # Wilson's 95 % interval of 30 of 200
    assert best["Valid%"] == "40.0 (35.0 to 45.0)"
    assert best["Fingerprint"] == "3f2a9c11"
    assert found["weak/card.json"]["Valid%"] == "–"
    assert found["pso/card.json"]["Aua%"] == "25.0 to 45.0"  # 40 of 200 are undecided
    assert found["pso/card.json"]["#Query"] == "–"


def test_what_speaks_against_a_row_stands_above_all(cards):
    """An attack that misses, a model that warns, and no validated rate where Aua is a range."""
    misses = an_audit(same=6, changed=4, unclear=0, english=5)
    undecided = an_attack(failed=50, out_of_budget=40, succeeded=80, audit=misses)
    undecided |= {"accuracy_under_attack": None, "attack_success_rate": None, "mean_queries": None}
    put(cards / "missed", method="lds", attacks={"pso-offline": undecided})
    put(cards / "constant", attacks={}, warnings=["it says 1 of every text"])
    page = leaderboard(cards)
    head, *rows = page.rows
    found = {row[-1]: dict(zip(head, row, strict=True)) for row in rows}
    assert found["missed/card.json"]["Valid%"] == "–"
    assert "constant/card.json" not in found
    text = (cards / "leaderboard.html").read_text("utf-8")
    assert "4 attacks on the models of 4 cards" in text
    said = re.findall("<li>(.*?)</li>", text.partition('id="warnings"')[2])
    assert "it says 1 of every text" in said[0]
    assert "PSO (offline) on SST-2: of 10 successes that were read, 60 %" in said[1]
    assert "That is under 70 %" in said[1]
    assert len(said) == 2


def test_it_links_every_card_and_filters_by_what_there_is(cards):
    put(cards / "javascript:alert(1)", attacks={KEY: an_attack()})
    page = leaderboard(cards)
    assert all(link.startswith("./") and ":" not in link for link in page.links)
    assert "./javascript%3Aalert%281%29/card.json" in page.links
    assert sorted(page.options) == sorted(
        ["", "SST-2", "", "MiniLM-L6 (embedded)", "", "PSO (offline)", "TextFooler (offline)", "",
         "3f2a9c11"]
    )  # fmt: skip


def a_hostile_one(folder: Path) -> Path:
    put(
        folder / "hostile",
        method=HOSTILE,
        task=HOSTILE,
        encoder=HOSTILE,
        attacks={f"{HOSTILE}-offline": an_attack(fingerprint=f'"{HOSTILE}\x1b[2J\u202e')},
    )
    return folder


def test_a_hostile_card_is_shown_and_runs_nothing(tmp_path):
    page = leaderboard(a_hostile_one(tmp_path))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    text = (tmp_path / "leaderboard.html").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_a_file_of_somebody_else_is_not_replaced(cards):
    (cards / "leaderboard.html").write_text("mine")
    with pytest.raises(UserError, match=r"leaderboard\.html: is there, and is no report of ours"):
        report(cards)
    assert (cards / "leaderboard.html").read_text() == "mine"
    assert not (cards / "report.html").exists()


def test_cards_without_attacks_make_an_empty_page(tmp_path):
    put(tmp_path / "run")
    assert leaderboard(tmp_path).rows == []


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def in_a_browser(page: Path) -> str:
    """The document after its scripts ran."""
    words = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={page.parent}/profile",
    ]
    done = subprocess.run(
        [CHROMIUM, *words, "--virtual-time-budget=2000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_runs_the_pages_own_script_alone(tmp_path):
    report(a_hostile_one(tmp_path))
    document = in_a_browser(tmp_path / "leaderboard.html")
    assert "1 of 1 rows" in document  # the script ran, and its hash is the page's
    assert "data-ran" not in document


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize(
    ("column", "clicks", "expected"),
    [("Aua%", 1, "pso read weak"), ("Aua%", 2, "weak read pso"), ("Valid%", 1, "read weak pso"),
     ("Method", 1, "weak read pso")],
)  # fmt: skip
def test_a_click_sorts_and_a_choice_filters(cards, column, clicks, expected):
    report(cards)
    page = cards / "leaderboard.html"
    acts = f"""<script>
const button = [...document.querySelectorAll("th button")].find(b => b.textContent === "{column}");
for (let i = 0; i < {clicks}; i++) button.click();
const order = [...document.querySelectorAll("td a")].map(a => a.textContent.split("/").at(-2));
const select = document.querySelectorAll("select")[2];
select.value = "PSO (offline)";
select.dispatchEvent(new Event("change"));
const left = [...document.querySelectorAll("tbody tr")].filter(row => !row.hidden).length;
document.body.dataset.found = order.join(" ") + " / " + left;
</script></body>"""
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text(encoding="utf-8"))
    page.write_text(text.replace("</body>", acts), encoding="utf-8")
    assert f'data-found="{expected} / 1"' in in_a_browser(page)
