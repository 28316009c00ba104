"""Audits in the report: validated Aua beside Aua, and a warning wherever an attack is doubtful."""

import numpy as np
import pytest

from mindflood.cards.cards import write_card
from mindflood.errors import UserError
from mindflood.report.figures.sweep import sweeps
from mindflood.report.numbers.aggregate import rows
from mindflood.report.numbers.validated import Audit, validated
from mindflood.report.page import report
from mindflood.report.tables.audits import audit_notes, audits_table, doubt_notes
from mindflood.report.tables.calibration import calibration_table
from mindflood.report.tables.layout import Number
from mindflood.report.tables.medians import medians_table
from mindflood.report.tables.paper import counts_table, table2
from mindflood.report.tables.render import comma_separated, markdown
from tests.unit.report_runs import a_card, a_run, an_attack, an_audit


def carded(method="finetune", seed=0, attack="textfooler-offline", **changes):
    return a_card(method, seed, attacks={attack: an_attack(**changes)})


def column(table, name, method="Fine-tuning"):
    at = [one.title for one in table.columns].index(name)
    return next(row.cells[at] for row in table.rows if row.cells[2].startswith(method))


def test_validated_stands_beside_aua_with_its_interval():
    card = carded(audit=an_audit())
    table = table2([card], ["sst2"])
    titles = [one.title for one in table.columns]
    assert titles.index("TextFooler Valid%") == titles.index("TextFooler Aua%") + 1
    cell = column(table, "TextFooler Valid%")
    found = Audit(200, 22, 148, 45, 4, 1, 40).validated()
    assert cell.value == pytest.approx(100 * (22 + 148 * 4 / 50) / 200)
    assert cell.ends == pytest.approx((100 * found.low, 100 * found.high))


def test_without_audits_there_is_no_column_and_the_notes_say_so():
    table = table2([carded()], ["sst2"])
    assert "TextFooler Valid%" not in [one.title for one in table.columns]
    assert any(
        note.startswith("Never audited: TextFooler (offline) on SST-2.") for note in table.notes
    )
    assert not audits_table([carded()]).rows


def test_only_the_recipe_that_was_never_audited_is_named():
    card = carded(audit=an_audit())
    card["attacks"]["bae-offline"] = an_attack(fingerprint="other")
    notes = audit_notes(rows([card]))
    assert any(note.startswith("Never audited: BAE (offline) on SST-2.") for note in notes)
    assert notes[0] == (
        "TextFooler (offline) on SST-2: of 50 successes that were read, 90 % (79 to 97) keep the "
        "label and 80 % (67 to 89) are still English."
    )


def test_an_audit_is_of_the_exact_recipe_and_task():
    cards = [
        carded(audit=an_audit()),
        carded("flooding", fingerprint="changed since"),
    ]
    other = carded(audit=an_audit())
    mrpc = a_card(task="mrpc", attacks=carded()["attacks"])
    for table in (rows(cards), rows([other, mrpc])):
        assert any(note.startswith("Never audited") for note in audit_notes(table))


def test_another_row_of_an_audited_recipe_counts_as_audited():
    cards = [carded(audit=an_audit()), carded("freelb")]
    assert not any(note.startswith("Never audited") for note in audit_notes(rows(cards)))
    assert column(table2(cards, ["sst2"]), "TextFooler Valid%", "FreeLB") is None


DOUBT = (
    "TextFooler (offline) on SST-2: of 50 successes that were read, 52 % (39 to 65) keep the label "
    "and 80 % (67 to 89) are still English. That is under 70 %: much of what counts as broken is "
    "not, and only Valid% may be compared."
)


def test_under_70_percent_is_said_under_every_table_and_over_every_figure(tmp_path):
    doubtful = an_audit(same=26, changed=24, unclear=0)
    cards = [
        carded("flooding", 0, audit=doubtful) | {"flood_level": 0.05},
        carded("flooding", 0) | {"flood_level": 0.1},
        *(carded(seed=seed) for seed in (0, 1, 2)),
    ]
    for table in (table2(cards, ["sst2"]), counts_table(cards), medians_table(cards)):
        assert DOUBT in table.notes
        assert "That is under 70 %" in markdown(table)
    (drawn,) = sweeps(cards, "sweep")
    assert drawn[0].endswith("; only 52 % of its successes keep the label")
    for number, card in enumerate(cards):
        a_run(tmp_path / f"run{number}", card)
    page = report(tmp_path).read_text().replace("\u00a0", " ")
    assert page.count("That is under 70 %") >= 3  # table 2, its denominators, the audits
    assert "Valid%: Aua% in which a success" in page
    assert "That is under 70 %" in (tmp_path / "report" / "table2.md").read_text()
    assert (tmp_path / "report" / "audits.csv").exists()


@pytest.mark.parametrize(("same", "doubtful"), [(34, True), (35, False)])
def test_the_line_is_at_70_percent_and_unclear_ones_do_not_keep(same, doubtful):
    card = carded(audit=an_audit(same=same, changed=0, unclear=50 - same))
    assert bool(doubt_notes(rows([card]), rows([card]))) == doubtful


def validated_of_seeds(*changed):
    audits = [an_audit(same=50 - some, changed=some, unclear=0) for some in changed]
    cards = [carded(seed=seed, audit=audit) for seed, audit in enumerate(audits)]
    found = validated([Audit(200, 22, 148, 50 - some, some, 0, 40) for some in changed])
    return cards, found, column(table2(cards, ["sst2"]), "TextFooler Valid%")


def test_several_seeds_have_the_interval_of_their_audits_and_of_their_mean():
    _, found, cell = validated_of_seeds(10, 10, 10)  # no spread
    assert cell.value == pytest.approx(100 * found.value)
    assert cell.ends == pytest.approx((100 * found.low, 100 * found.high))
    _, found, cell = validated_of_seeds(4, 10, 16)
    values = [(22 + 148 * some / 50) / 200 for some in (4, 10, 16)]
    half = 4.302652729911275 * np.std(values, ddof=1) / 3**0.5  # t of two degrees of freedom
    assert half > found.high - found.value
    assert cell.ends == pytest.approx((100 * (found.value - half), 100 * (found.value + half)))


def test_several_seeds_need_an_audit_each():
    cards, *_ = validated_of_seeds(5, 20)
    table = table2([*cards, carded(seed=2)], ["sst2"])
    assert "TextFooler Valid%" not in [one.title for one in table.columns]
    assert any("successes of 2 of 3 seeds were read; Valid% needs all" in n for n in table.notes)


def test_a_calibrated_victim_s_rows_know_the_recipe_s_audit():
    card = carded(audit=an_audit())
    card["attacks"]["textfooler-offline-calibrated"] = an_attack()
    assert not any(note.startswith("Never audited") for note in audit_notes(rows([card])))


def test_an_attack_without_a_success_has_nothing_to_be_read():
    card = carded()
    assert any(note.startswith("Never audited") for note in audit_notes(rows([card])))
    card["attacks"]["textfooler-offline"] |= {"succeeded": 0}
    assert not any(note.startswith("Never audited") for note in audit_notes(rows([card])))


def test_the_calibrated_victim_s_table_warns_too():
    card = carded(audit=an_audit(same=26, changed=24, unclear=0))
    calibration = {"temperature": 3.5, "source": "fitted"}
    card["attacks"]["textfooler-offline-calibrated"] = an_attack(calibration=calibration)
    assert DOUBT in calibration_table([card]).notes
    sound = carded(audit=an_audit())
    sound["attacks"]["textfooler-offline-calibrated"] = an_attack(calibration=calibration)
    assert not any("under 70 %" in note for note in calibration_table([sound]).notes)


def test_the_table_of_audits():
    table = audits_table([carded(audit=an_audit())])
    (row,) = table.rows
    found = dict(zip([one.name for one in table.columns], row.cells, strict=True))
    assert found["Keep the label%"].value == pytest.approx(90)
    assert found["Sheet"] == "a.csv"
    assert isinstance(found["Valid%"], Number)
    assert "Keep the label% low" in comma_separated(table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"graded": 49}, "audit.graded': expected same"),
        ({"same": 445, "graded": 450}, "at most 148 succeeded"),
        ({"english": 51}, "at most 50 graded"),
        ({"changed": -1}, "audit.changed': expected a count"),
        ({"keeps_label": 1.2}, "audit.keeps_label': expected a fraction"),
    ],
)
def test_an_audit_that_cannot_be_is_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        write_card(tmp_path / "card.json", carded(audit=an_audit(**{}) | changes))
