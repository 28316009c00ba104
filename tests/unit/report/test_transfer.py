"""Transfers in the report: matrix, heat map, and the models whose own attack was too weak."""

import re

import numpy as np
import pytest

from mindflood.cards.cards import write_card
from mindflood.errors import UserError
from mindflood.report.figures.transfer import transfer_maps
from mindflood.report.numbers.intervals import wilson
from mindflood.report.page import report
from mindflood.report.tables.paper import table2
from mindflood.report.tables.transfer import transfer_tables, transferred
from tests.unit.report.test_audits import an_audit
from tests.unit.report_runs import a_card, a_run, an_attack

KEY = "textfooler-offline"


def tried(method, fell=0, failed=100, fooled=20, others=("finetune", "pgd", "flooding"), **changes):
    """A card of 200 texts whose model was tried with the texts of others, 80 each."""
    attack = an_attack(failed=failed, **changes)
    found = {
        "fingerprint": attack["fingerprint"],
        "num_examples": 200,
        "held": failed,
        "fell": fell,
        "from": {
            f"sst2/{other}-seed0": {"tried": 80, "fooled": fooled}
            for other in others
            if other != method
        },
    }
    transfer = {"name": f"sst2/{method}-seed0", "attacks": {KEY: found}}
    return a_card(method, attacks={KEY: attack}, analyses={"transfer": transfer})


def verdict(card):
    return transfer_tables([card])[0].rows[0].cells[-1]


@pytest.mark.parametrize(
    ("fell", "said"),
    [(0, "no"), (9, "no"), (10, "too few texts"), (16, "too few texts"), (17, "yes"), (60, "yes")],
)
def test_a_model_is_flagged_where_the_interval_is_above_5_points(fell, said):
    low = wilson(fell, 200)[0]
    assert (low > 0.05) == (said == "yes")
    assert verdict(tried("pgd", fell)) == said
    notes = table2([tried("pgd", fell)], ["sst2"]).notes
    assert any("its own attack left" in note for note in notes) == (said == "yes")


def test_the_flag_is_seldom_wrong():
    """Where 5 points are the truth, one in 40 samples or so is flagged."""
    generator = np.random.default_rng(0)
    lost = generator.binomial(200, 0.05, size=4000)
    flagged = np.array([wilson(int(fell), 200)[0] > 0.05 for fell in lost])
    assert flagged.mean() < 0.04


def test_the_note_has_the_numbers():
    (note,) = [n for n in table2([tried("pgd", 40)], ["sst2"]).notes if "own attack left" in n]
    low, high = wilson(40, 200)
    assert note == (
        "PGD, seed 0, TextFooler (offline) on SST-2: of 100 texts that its own attack left, 40 "
        f"fall to other models' adversarial texts: at least 20.0 points ({100 * low:.1f} to "
        f"{100 * high:.1f}) of its accuracy under attack are its own attack's weakness."
    )


def test_what_is_lost_stands_beside_the_own_attack():
    (row,) = transfer_tables([tried("pgd", 40)])[0].rows
    own, joint, lost, share = row.cells[5:9]
    assert (own.value, joint.value, lost.value, share.value) == (50, 30, 20, 40)
    assert joint.ends == pytest.approx(tuple(100 * end for end in wilson(60, 200)))


def test_a_transfer_that_is_older_than_the_attack_says_nothing():
    card = tried("pgd", 60)
    card["attacks"][KEY] |= {"failed": 99, "succeeded": 71}
    assert verdict(card) == "of an earlier attack: analyse again"
    assert not transferred([card])[0].flagged


def test_the_matrix_and_its_map():
    cards = [tried("finetune", fooled=8), tried("pgd", fooled=40), tried("flooding", fooled=80)]
    _, matrix = transfer_tables(cards)
    assert [column.name for column in matrix.columns[1:]] == [
        "Fine-tuning, seed 0", "PGD, seed 0", "Flooding, b = 0.05, seed 0",
    ]  # fmt: skip
    shown = [[cell and cell.value for cell in row.cells[1:]] for row in matrix.rows]
    assert shown == [[None, 50, 100], [10, None, 100], [10, 50, None]]
    ((title, svg),) = transfer_maps(cards, "map")
    assert title == "TextFooler (offline) on SST-2"
    numbers = re.findall(r"<text[^>]*>(\d+)</text>", svg)
    assert all(numbers.count(value) >= 2 for value in ("10", "50"))
    assert transfer_maps(cards, "map").__next__()[1] == svg


def test_a_model_whose_card_is_elsewhere_goes_by_its_folder():
    matrix = transfer_tables([tried("pgd")])[1]
    assert [row.cells[0] for row in matrix.rows] == ["sst2/finetune-seed0", "sst2/flooding-seed0"]


def test_it_is_on_the_page_and_doubtful_attacks_are_named(tmp_path):
    for method in ("finetune", "pgd", "flooding"):
        card = tried(method, 40, audit=an_audit(same=20, changed=30, unclear=0))
        a_run(tmp_path / f"{method}-seed0", card)
    page = report(tmp_path).read_text()
    assert "Is the model robust, or the search weak?" in page
    assert "Adversarial texts of one model that fool another" in page
    assert (tmp_path / "report" / "transfer-1.svg").exists()
    written = (tmp_path / "report" / "transfer.md").read_text()
    assert "That is under 70 %" in written
    assert "own attack left" in written
    assert (tmp_path / "report" / "transfer_1.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fell": 101}, "fell': expected at most 100 held"),
        ({"held": 201}, "held': expected at most 200"),
        ({"from": {"a": {"tried": 2, "fooled": 3}}}, "from.a.fooled': expected at most 2"),
        ({"from": {"a": {"tried": 2}}}, "from.a.fooled' is missing"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(tmp_path, changes, message):
    card = tried("pgd")
    card["analyses"]["transfer"]["attacks"][KEY] |= changes
    with pytest.raises(UserError, match=message):
        write_card(tmp_path / "card.json", card)
