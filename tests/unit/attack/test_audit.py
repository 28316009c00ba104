"""Audits: a blind sheet is drawn, graded in whatever spreadsheet, and counted on the cards."""

import csv
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack.audit.draw import draw, key_path
from mindflood.attack.audit.grades import put_on_cards
from mindflood.attack.audit.sheet import COLUMNS, SheetRow, read_sheet, row_of, write_sheet
from mindflood.attack.results.finished import attacks_in
from mindflood.attack.results.identity import summary_of
from mindflood.cards.cards import merge_attack, read_card, write_card
from mindflood.cli import main
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.report.numbers.intervals import wilson
from mindflood.report.numbers.validated import Audit
from tests.unit.report_runs import a_card, lines


def a_record(index, result="succeeded", **changes):
    word = f"w{index}"
    return {
        "index": index,
        "result": result,
        "label": index % 2,
        "original_prediction": index % 2,
        "original_probability": 0.9,
        "perturbed_prediction": 1 - index % 2,
        "queries": 10,
        "seconds": 0.5,
        "original": [f"the {word} film is good , it really is"],
        "perturbed": [f"the {word} movie is fine , it really is"],
        **changes,
    }


def an_attack(folder, recipe="textfooler", model="m1", total=40, task="sst2", **changes):
    """A RUN/attacks folder with a finished attack: of every four texts two are broken."""
    kinds = ("succeeded", "failed", "succeeded", "skipped")
    records = [a_record(index, kinds[index % 4]) for index in range(total)]
    identity = {
        "model": model,
        "task": task,
        "recipe": recipe,
        "profile": "offline",
        "fingerprint": f"of {recipe}",
        "replaced": [],
        "seed": 0,
        "num_examples": total,
        "calibration": None,
        "shard": None,
    } | changes
    attacks = folder / "attacks"
    if not (folder / "card.json").exists():
        write_card(folder / "card.json", a_card(task=task))
    lines(attacks / f"{recipe}.jsonl", records)
    (attacks / f"{recipe}.meta.json").write_text(json.dumps(identity))
    if identity["shard"] is None:
        summary = summary_of(records, identity)
        merge_attack(folder / "card.json", f"{recipe}-offline", summary)
    return attacks


@pytest.fixture
def attacks(tmp_path):
    return an_attack(tmp_path / "run")


def rows_of(sheet):
    with sheet.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill(sheet, meaning=("same",), english=("yes",), **how):
    """Grade the rows one after the other, and save them as a spreadsheet might."""
    rows = rows_of(sheet)
    for number, row in enumerate(rows):
        row["meaning"] = meaning[number % len(meaning)]
        row["english"] = english[number % len(english)]
    save(sheet, rows, **how)
    return rows


def save(sheet, rows, columns=COLUMNS, encoding="utf-8", newline="\n", before="", **how):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator=newline, **how)
    writer.writeheader()
    writer.writerows(rows)
    sheet.write_bytes((before + out.getvalue()).encode(encoding))


def test_from_the_sheet_to_the_card(tmp_path, attacks, capsys):
    sheet = tmp_path / "audit.csv"
    assert main(["audit", str(attacks), "--sheet", str(sheet), "--num", "10"]) == 0
    assert "10 successes of 1 attack" in capsys.readouterr().out
    fill(sheet, ["same", "same", "changed", "same", "unclear"], ["yes", "no"])
    before = read_card(tmp_path / "run" / "card.json")
    assert main(["audit", str(attacks), "--grades", str(sheet)]) == 0
    card = read_card(tmp_path / "run" / "card.json")
    audit = card["attacks"]["textfooler-offline"].pop("audit")
    assert card == before
    counts = {key: audit[key] for key in ("graded", "same", "changed", "unclear", "english")}
    assert counts == {"graded": 10, "same": 6, "changed": 2, "unclear": 2, "english": 5}
    # 40 texts: 10 held, 20 broken, of which a fifth is no adversarial text.
    assert audit["validated_accuracy"] == pytest.approx((10 + 20 / 5) / 40)
    assert audit["keeps_label"] == pytest.approx(0.6)
    assert audit["keeps_label_interval"] == pytest.approx(
        [wilson(6, 10)[0], wilson(8, 10)[1]], abs=1e-6
    )
    found = Audit(40, 10, 20, 6, 2, 2, 5).validated()
    assert audit["validated_accuracy_interval"] == pytest.approx([found.low, found.high], abs=1e-6)
    assert audit["sheet"] == "audit.csv"
    said = capsys.readouterr().out
    assert "10 graded, 2 unclear: keep the label 60.0 %" in said
    assert "validated Aua 35.0 %" in said


def test_the_audit_stays_while_the_outcome_does(tmp_path, attacks):
    sheet, card = tmp_path / "a.csv", tmp_path / "run" / "card.json"
    draw([attacks], sheet, 5, 0)
    fill(sheet)
    put_on_cards([attacks], sheet)
    summary = read_card(card)["attacks"]["textfooler-offline"]
    bare = {key: value for key, value in summary.items() if key != "audit"}
    merge_attack(card, "textfooler-offline", bare)  # as the same command, given again
    assert read_card(card)["attacks"]["textfooler-offline"] == summary
    merge_attack(card, "textfooler-offline", bare | {"succeeded": 19, "failed": 11})
    assert "audit" not in read_card(card)["attacks"]["textfooler-offline"]


def test_the_sheet_tells_nothing_of_its_models(tmp_path):
    places = [
        an_attack(tmp_path / "finetune", model="m1"),
        an_attack(tmp_path / "flooding", model="m2"),
        an_attack(tmp_path / "flooding", recipe="bae", model="m2"),
    ]
    sheet = tmp_path / "mixed.csv"
    assert len(draw(places, sheet, 8, 0)) == 3
    rows, key = rows_of(sheet), json.loads(key_path(sheet).read_text())
    assert list(rows[0]) == list(COLUMNS)
    assert [row["row"] for row in rows] == sorted(key["rows"])
    assert all(re.fullmatch("[bcdfghjklmnpqrstvwxz]{10}", row["row"]) for row in rows)
    for word in ("m1", "m2", "textfooler", "bae", "finetune", "flooding"):
        assert word not in sheet.read_text()
    order = [key["rows"][row["row"]]["attack"] for row in rows]
    assert sorted(order) == [0] * 8 + [1] * 8 + [2] * 8
    assert order != sorted(order)
    assert str(tmp_path) not in key_path(sheet).read_text()
    for row in rows:
        entry = key["rows"][row["row"]]
        assert f"w{entry['index']} " in row["original"]
        assert row["class"] == ("negative", "positive")[entry["index"] % 2]
        assert row["original"] == (f"the w{entry['index']} [[film]] is [[good]] , it really is")
        assert row["perturbed"] == (f"the w{entry['index']} [[movie]] is [[fine]] , it really is")


def test_a_smaller_sample_of_the_seed_is_part_of_a_larger_one(tmp_path, attacks):
    found = {}
    for count, seed in ((4, 0), (12, 0), (12, 1), (99, 0)):
        sheet = tmp_path / f"{count}-{seed}.csv"
        draw([attacks], sheet, count, seed)
        found[count, seed] = {row["original"] for row in rows_of(sheet)}
        assert len(found[count, seed]) == min(count, 20)
    assert found[4, 0] < found[12, 0]
    assert found[12, 0] != found[12, 1]


def test_every_success_is_as_likely_as_any_other(tmp_path, attacks):
    (attack,) = attacks_in([attacks])
    from mindflood.attack.audit.draw import _chosen

    counts = np.zeros(40)
    for seed in range(2000):
        counts[_chosen(attack, 5, seed)] += 1
    drawn = counts[list(attack.successes)]
    assert counts.sum() == drawn.sum() == 10000
    assert abs(drawn - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


SPREADSHEETS = {
    "byte order mark": {"encoding": "utf-8-sig"},
    "line ends of Windows": {"newline": "\r\n"},
    "everything quoted": {"quoting": csv.QUOTE_ALL},
    "European Excel": {"encoding": "cp1252", "newline": "\r\n", "delimiter": ";"},
    "Excel's separator line": {"before": "sep=;\r\n", "newline": "\r\n", "delimiter": ";"},
    "Unicode text": {"encoding": "utf-16", "delimiter": "\t"},
    "other columns": {"columns": ("english", "perturbed", "remarks", *COLUMNS[:3], "meaning")},
}


@pytest.mark.parametrize("how", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_a_spreadsheet_s_file_is_read(tmp_path, how):
    attacks, sheet = tmp_path / "run" / "attacks", tmp_path / "s.csv"
    an_attack(tmp_path / "run")
    path = attacks / "textfooler.jsonl"
    path.write_text(path.read_text().replace("really", 'caf\\u00e9 ; \\"so\\", l\\u2019eau'))
    draw([attacks], sheet, 10, 0)
    rows = fill(sheet, ["same", "changed"], ["yes", "no"])
    wanted = put_on_cards([attacks], sheet)[0][1]
    for row in rows:
        row["meaning"] = f" {row['meaning'].upper()} "
        if "remarks" in how.get("columns", ()):
            row["remarks"] = "a thought"
    empty = dict.fromkeys(COLUMNS, "")
    save(sheet, [*reversed(rows), empty], **how)
    assert put_on_cards([attacks], sheet)[0][1] == wanted


def test_formulas_are_neutralised_and_read_with_or_without(tmp_path):
    texts = ["=1+1 is bad", "+ a good film", "-- an awful mess", "@home is great"]
    records = [
        a_record(index, original=[text], perturbed=[text.replace("a", "o")])
        for index, text in enumerate(texts)
    ]
    attacks, sheet = an_attack(tmp_path / "run", total=4), tmp_path / "s.csv"
    lines(attacks / "textfooler.jsonl", records)
    summary = summary_of(records, json.loads((attacks / "textfooler.meta.json").read_text()))
    merge_attack(tmp_path / "run" / "card.json", "textfooler-offline", summary)
    draw([attacks], sheet, 4, 0)
    for row in fill(sheet):
        for column in ("original", "perturbed"):
            assert row[column][0] not in "=+-@"
    assert put_on_cards([attacks], sheet)[0][1]["same"] == 4
    bare = [{k: v.removeprefix("'") for k, v in row.items()} for row in rows_of(sheet)]
    save(sheet, bare)
    assert put_on_cards([attacks], sheet)[0][1]["same"] == 4


def test_a_pair_has_its_columns_names(tmp_path):
    record = a_record(0, original=["a b", "=c d"], perturbed=["a b", "=c e"], label=1)
    row = row_of("x", record, get_task("mrpc"))
    assert row.original == "sentence1: a b\nsentence2: =c [[d]]"
    assert row.perturbed == "sentence1: a b\nsentence2: =c [[e]]"
    assert row.label == "equivalent"


def test_a_word_that_became_two_is_marked():
    record = a_record(0, original=["a good film"], perturbed=["a go od film"])
    row = row_of("x", record, get_task("sst2"))
    assert row.original == "a [[good]] film"
    assert row.perturbed == "a [[go od]] film"


cells = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=40)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(",;\t"))
@settings(max_examples=60)
def test_whatever_the_texts_the_sheet_is_read_back(tmp_path_factory, texts, delimiter):
    sheet = tmp_path_factory.mktemp("sheets") / "s.csv"
    rows = [
        row_of(f"row{number}", a_record(0, original=[one], perturbed=[other]), get_task("sst2"))
        for number, (one, other) in enumerate(texts)
    ]
    write_sheet(sheet, rows)
    save(sheet, rows_of(sheet), delimiter=delimiter)
    found = read_sheet(sheet)
    assert [(row.name, row.words) for row in found] == [(row.name, row.words) for row in rows]
    assert [(row.original, row.perturbed) for row in found] == [
        (row.original, row.perturbed) for row in rows
    ]


def spoiled(rows, change):
    """The rows after a change, and the message that it brings."""
    kind, _, value = change.partition(":")
    if kind == "missing":
        return rows[1:]
    if kind == "doubled":
        return [*rows, rows[0]]
    if kind == "unknown":
        return [*rows, rows[0] | {"row": "zzzzzzzz"}]
    if kind == "shifted":
        originals = [row["original"] for row in rows]
        return [
            row | {"original": o}
            for row, o in zip(rows, originals[1:] + originals[:1], strict=True)
        ]
    return [rows[0] | {kind: value}, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"1 of 6 rows are missing \(\w{10}, ...\)"),
        ("doubled", r"lines 2 and 8: row \w{10} is there twice"),
        ("unknown", r"line 8: row 'zzzzzzzz' is none of this sheet's: its key \(s.key.json\)"),
        (
            "meaning:smae",
            r"line 2, row \w{10}: meaning 'smae': expected one of same, changed, uncl",
        ),
        ("meaning:", r"line 2, row \w{10}: no grade in column 'meaning' \(1 of 6 rows lack it\)"),
        ("english:", r"no grade in column 'english'"),
        ("english:perhaps", r"english 'perhaps': expected one of yes, no"),
        ("shifted", r"texts are not those that were drawn: perhaps a column was sorted by itself"),
    ],
)
def test_a_bad_row_or_grade_is_one_line_and_writes_nothing(
    tmp_path, attacks, change, message, capsys
):
    sheet, card = tmp_path / "s.csv", tmp_path / "run" / "card.json"
    draw([attacks], sheet, 6, 0)
    save(sheet, spoiled(fill(sheet), change))
    before = [path.read_bytes() for path in (card, sheet, key_path(sheet))]
    assert main(["audit", str(attacks), "--grades", str(sheet)]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1
    assert [path.read_bytes() for path in (card, sheet, key_path(sheet))] == before


def test_grades_of_another_attack_are_refused(tmp_path, attacks, capsys):
    sheet = tmp_path / "s.csv"
    draw([attacks], sheet, 6, 0)
    fill(sheet)
    other = an_attack(tmp_path / "other", model="m2")
    with pytest.raises(UserError, match=r"grades are of another attack: textfooler \(offline\) on"):
        put_on_cards([other], sheet)
    path = attacks / "textfooler.jsonl"
    path.write_text(path.read_text().replace("movie", "picture"))
    with pytest.raises(UserError, match="records are not those that the sheet was drawn from"):
        put_on_cards([attacks], sheet)
    for folder in ("run", "other"):
        card = read_card(tmp_path / folder / "card.json")
        assert "audit" not in card["attacks"]["textfooler-offline"]


def test_one_bad_card_of_several_leaves_all_as_they_were(tmp_path):
    places = [an_attack(tmp_path / name, model=name) for name in ("one", "two")]
    sheet = tmp_path / "s.csv"
    draw(places, sheet, 6, 0)
    fill(sheet)
    write_card(tmp_path / "two" / "card.json", a_card())
    with pytest.raises(UserError, match="there is no attack textfooler-offline"):
        put_on_cards(places, sheet)
    assert "audit" not in read_card(tmp_path / "one" / "card.json")["attacks"]["textfooler-offline"]


def test_further_attacks_of_a_folder_are_left_alone(tmp_path, attacks):
    sheet = tmp_path / "s.csv"
    draw([attacks / "textfooler.jsonl"], sheet, 6, 0)
    fill(sheet)
    an_attack(tmp_path / "run", recipe="bae")
    put_on_cards([tmp_path / "run"], sheet)
    found = read_card(tmp_path / "run" / "card.json")["attacks"]
    assert "audit" in found["textfooler-offline"]
    assert "audit" not in found["bae-offline"]


@pytest.mark.parametrize("which", ["sheet", "key"])
def test_a_sheet_is_never_written_over(tmp_path, attacks, which):
    sheet = tmp_path / "s.csv"
    there = sheet if which == "sheet" else key_path(sheet)
    there.write_text("graded")
    with pytest.raises(UserError, match="a sheet that may be graded is never written over"):
        draw([attacks], sheet, 6, 0)
    assert there.read_text() == "graded"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_sheet_that_cannot_be_written_leaves_no_key(tmp_path, attacks, monkeypatch):
    def full(path, rows):
        raise UserError(f"{path}: cannot write: the disk is full")

    monkeypatch.setattr("mindflood.attack.audit.draw.write_sheet", full)
    with pytest.raises(UserError, match="disk is full"):
        draw([attacks], tmp_path / "s.csv", 6, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_attacks_that_cannot_be_audited(tmp_path):
    attacks = an_attack(tmp_path / "run")
    path, meta = attacks / "textfooler.jsonl", attacks / "textfooler.meta.json"
    whole, described = path.read_text(), json.loads(meta.read_text())

    def refused(message, *places):
        with pytest.raises(UserError, match=message):
            draw(places or [attacks], tmp_path / "s.csv", 6, 0)
        assert not (tmp_path / "s.csv").exists()
        assert not (tmp_path / "s.key.json").exists()

    path.write_text("".join(whole.splitlines(True)[:30]))
    refused(r"the attack is unfinished \(30 of 40 texts\)")
    path.write_text(whole.replace('"succeeded"', '"failed"'))
    refused("no attack succeeded")
    path.write_text(whole.replace('["the w0 movie is fine , it really is"]', "null"))
    refused("line 1: expected the texts of an attack that succeeded under 'perturbed'")
    path.unlink()
    refused("no such file, though textfooler.meta.json tells")
    path.write_text(whole)
    meta.write_text(json.dumps(described | {"shard": "1/2"}))
    refused("share 1/2 of an attack; join the shares")
    meta.write_text("{}")
    refused("key 'task' is missing")
    meta.unlink()
    refused("no attack there")
    refused("not the records of an attack", path)
    refused("no such file or folder", tmp_path / "nothing")
    meta.write_text(json.dumps(described))
    twin = an_attack(tmp_path / "copy")
    refused("the same attack as", attacks, twin)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04...", "a workbook, not CSV; save it as CSV"),
        (b"", "expected one column 'row' in its first line"),
        (b"row,class,original,perturbed,meaning,meaning\n", "expected one column 'meaning'"),
        (b'row,class,original,perturbed,meaning,english\na,"b"c,d,e,same,yes\n', "line 2: not CSV"),
        (b'row,class,original,perturbed,meaning,english\na,"b', "not CSV"),
    ],
    ids=["workbook", "empty", "a column twice", "a quote inside", "cut short"],
)
def test_what_is_no_sheet_is_said_to_be_none(tmp_path, content, message):
    sheet = tmp_path / "s.csv"
    sheet.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_sheet(sheet)


def test_a_sheet_without_its_key(tmp_path, attacks):
    sheet = tmp_path / "s.csv"
    with pytest.raises(UserError, match="no such file: the sheet's key"):
        put_on_cards([attacks], sheet)
    key_path(sheet).write_text('{"attacks": [], "rows": {"a": {"attack": 3}}}')
    with pytest.raises(UserError, match="not a sheet's key"):
        put_on_cards([attacks], sheet)
    with pytest.raises(UserError, match="no such file; draw a sheet"):
        read_sheet(sheet)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--num", "0"], "--num 0, --seed 0: expected 1 or more"),
        (["--sheet", "audit.txt"], "expected a name that ends in .csv"),
        (["--grades", "s.csv", "--num", "3"], "--num: is of a sheet that is drawn"),
    ],
)
def test_options_that_make_no_sense(attacks, words, message, capsys):
    assert main(["audit", str(attacks), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_row_is_compared_by_letters_and_digits_only():
    one = SheetRow("a", "x", "It’s [[good]] — 9/10", "'=It's [[fine]]")
    other = SheetRow("a", "x", "It?s [[good]] - 9/10", "=It's [[fine]]")
    assert one.words == other.words
