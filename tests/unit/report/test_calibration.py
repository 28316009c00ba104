"""Both numbers side by side, and a gap between them pointed out."""

import pytest

from mindflood.cards.cards import read_card, write_card
from mindflood.errors import UserError
from mindflood.report.page import report
from mindflood.report.tables.calibration import calibration_table, gap_notes
from mindflood.report.tables.layout import text_of
from mindflood.report.tables.paper import table2
from tests.unit.report_runs import a_card, a_run, an_attack, an_example, results

FITTED = {"temperature": 3.5, "source": "fitted", "held_out": "dev", "rows": 400}


def both(plain=60, calibrated=22, **changes):
    """The attacks of a card: ``plain`` and ``calibrated`` of 200 texts stay right."""
    after = an_attack(failed=calibrated, calibration=FITTED, calibration_error=0.031, **changes)
    before = an_attack(failed=plain, calibration_error=0.182)
    return {"textfooler-offline": before, "textfooler-offline-calibrated": after}


def cells(table):
    return [[text_of(cell) for cell in row.cells] for row in table.rows]


def test_both_numbers_and_the_flag_in_one_row():
    (row,) = cells(calibration_table([a_card(attacks=both())]))
    assert row[4:] == ["30.0", "18.2", "11.0", "3.1", "19.0", "3.5 fitted", "yes"]


@pytest.mark.parametrize(("calibrated", "flagged"), [(50, True), (51, False), (70, False)])
def test_from_five_points_on_a_gap_is_pointed_out(calibrated, flagged):
    cards = [a_card(attacks=both(60, calibrated))]
    assert cells(calibration_table(cards))[0][-1] == ("yes" if flagged else "no")
    notes = gap_notes(cards)
    assert len(notes) == flagged
    assert [note for note in table2(cards, ["sst2"]).notes if "illusion" in note] == notes
    assert not flagged or "takes 5.0 points" in notes[0]
    assert not flagged or "(10 of 200 texts)" in notes[0]


@pytest.mark.parametrize(
    ("failed", "verdict"), [(18, "no"), (17, "too few texts"), (16, "too few texts"), (15, "yes")]
)
def test_one_or_two_texts_of_a_small_sample_are_no_illusion(failed, verdict):
    """Of 18 texts one is 5.6 points."""
    few = {"total": 18, "skipped": 0}
    attacks = {
        "textfooler-offline": an_attack(failed=18, **few) | {"attack_success_rate": 0.0},
        "textfooler-offline-calibrated": an_attack(failed=failed, calibration=FITTED, **few),
    }
    cards = [a_card(attacks=attacks)]
    assert cells(calibration_table(cards))[0][-1] == verdict
    notes = gap_notes(cards)
    assert len(notes) == (verdict == "yes")
    assert not notes or "takes 16.7 points" in notes[0]
    assert not notes or "(3 of 18 texts)" in notes[0]


@pytest.mark.parametrize("changes", [{"seed": 3}, {"fingerprint": "another"}, {"requested": 400}])
def test_a_gap_between_other_attacks_is_none(changes):
    cards = [a_card(attacks=both(**changes))]
    assert cells(calibration_table(cards))[0][-1] == "other texts or recipe"
    assert gap_notes(cards) == []


@pytest.mark.parametrize("left_out", ["out_of_budget", "errors"])
def test_a_gap_that_undecided_texts_leave_open_is_none(left_out):
    """Of 200 texts of the calibrated victim 20 are undecided: the gap may be theirs."""
    attacks = both(60, 22, total=180, **{left_out: 20, "num_examples": 200, "requested": 200})
    cards = [a_card(attacks=attacks)]
    (row,) = cells(calibration_table(cards))
    assert row[4:9] == ["30.0", "18.2", "11.0 to 21.0", "3.1", "–"]
    assert row[-1] == "undecided texts"
    (note,) = gap_notes(cards)
    assert "0 texts of the victim as it is and 20 of the calibrated one are undecided" in note
    assert "an illusion cannot be told" in note
    attacks["textfooler-offline"] |= {left_out: 20}  # as many, but they need not be the same
    assert cells(calibration_table(cards))[0][-1] == "undecided texts"


def test_a_gap_over_other_texts_is_none():
    cards = [a_card(attacks=both(60, 22, total=199, errors=1, num_examples=200))]
    assert cells(calibration_table(cards))[0][-1] == "other texts left out"
    assert "an illusion cannot be told" in gap_notes(cards)[0]


def test_seeds_are_averaged_and_every_temperature_is_shown():
    cards = [a_card(seed=seed, attacks=both(60 + 20 * seed)) for seed in (0, 1)]
    (row,) = cells(calibration_table(cards))
    assert (row[4], row[9]) == ("35.0", "3.5 fitted, 3.5 fitted")


def test_a_seed_that_was_not_calibrated_makes_no_gap():
    """Five points between the seeds are none between the victims."""
    cards = [a_card(seed=seed, attacks=both(40, 40)) for seed in (0, 1)]
    third = both(100)
    del third["textfooler-offline-calibrated"]
    cards.append(a_card(seed=2, attacks=third))
    (row,) = cells(calibration_table(cards))
    assert (row[4], row[6], row[8], row[-1]) == ("20.0", "20.0", "0.0", "no")
    assert gap_notes(cards) == []
    fallen = [*cards[:2], a_card(seed=2, attacks=both(40, 0))]
    assert cells(calibration_table(fallen))[0][-1] == "yes"


def test_an_attack_on_one_victim_only_has_no_row():
    attacks = both()
    del attacks["textfooler-offline"]
    assert calibration_table([a_card(attacks=attacks)]).rows == ()


def test_numbers_of_other_columns_are_not_mixed():
    """A best is marked within a block; the blocks' rows stand under headings of their own."""
    second = {"textfooler-offline": an_attack(failed=150, columns="second")}
    cards = [
        a_card(task="mrpc", attacks={"textfooler-offline": an_attack(columns="both")}),
        a_card("flooding", task="mrpc", attacks=second),
    ]
    table = table2(cards, ["mrpc"], with_published=False)
    headings = {text_of(row.cells[1]) for row in table.rows}
    assert len(headings) == 2
    assert any(heading.endswith("offline profile, second text only") for heading in headings)
    assert not any(getattr(cell, "best", False) for row in table.rows for cell in row.cells)


def test_the_page_shows_it_all(tmp_path):
    run = a_run(tmp_path / "run", a_card(attacks=both()))
    results(run / "attacks" / "textfooler-calibrated.jsonl", [an_example("good", "bad")])
    mrpc = {"textfooler-offline": an_attack(columns="second")}
    a_run(tmp_path / "mrpc", a_card(task="mrpc", attacks=mrpc))
    page = report(tmp_path).read_text()
    assert "Accuracy under attack of the victim as it is and calibrated" in page
    assert "an illusion (Raina et al. 2024)" in page
    assert "TextFooler, calibrated" in page
    assert "textfooler-offline: second" in page
    assert "3.5 fitted" in (tmp_path / "report" / "calibration.csv").read_text()


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"calibration": {"temperature": 1.0}}, "calibration.source"),
        ({"calibration": 2}, "calibration"),
        ({"calibration_error": 1.5}, "calibration_error"),
        ({"columns": ""}, "columns"),
    ],
)
def test_a_card_that_is_none_names_the_key(tmp_path, changed, key):
    path = tmp_path / "card.json"
    attack = an_attack(**changed)
    with pytest.raises(UserError, match=f"card.json: key 'attacks.textfooler-offline.{key}'"):
        write_card(path, a_card(attacks={"textfooler-offline": attack}))
    write_card(path, a_card(attacks=both()))
    assert read_card(path)["attacks"]["textfooler-offline-calibrated"]["calibration"] == FITTED
