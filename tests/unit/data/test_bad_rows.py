"""Malformed rows of every kind of task: refused with the way out, or counted once and left out."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.data.choices import question_row
from mindflood.data.json_lines import label_of
from mindflood.data.own import own_task, with_model_labels
from mindflood.data.rows import Row
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Task, get_task
from mindflood.data.understood import number_of
from mindflood.errors import UserError


def question(number: int, **changes: object) -> str:
    choices = {"label": ["A", "B", "C"], "text": ["one", "two", f"three {number}"]}
    record = {"question": f"what {number}", "choices": choices, "answerKey": "ABC"[number % 3]}
    return json.dumps(record | changes) + "\n"


def sentence(number: int, tag: str = "NN", columns: int = 10) -> str:
    return "\t".join(["1", f"word{number}", "_", "X", tag, *"_____"][:columns]) + "\n\n"


STSB = "sentence1,sentence2,score\n"
PAIRS = "question,sentence,label\n"
# Of each task: the file's ending and head, a good row, and bad ones of reading and of meaning.
BAD = {
    "stsb": ("csv", STSB, lambda n: f"a {n},b,{n / 10}\n",
             ["a,b,high\n", "a,b,1_0\n", "a,b,nan\n", "a,b,٣\n", "a,b,1e999\n", " ,b,3\n",
              "a,b\n"]),
    "sst2": ("csv", "sentence,label\n", lambda n: f"text {n},{n % 2}\n",
             ["c,awful\n", ",1\n", "c,1,2\n", "c,7\n"]),
    "arc_easy": ("jsonl", "", question,
                 [question(1, answerKey="Z"), question(1, answerKey=""), "[1]\n", "{\n",
                  question(1, question="\ud800 what 0"), question(1, choices=[])]),
    "qnli_ranking": ("csv", PAIRS,
                     lambda n: f"q{n},yes,entailment\nq{n},no,not_entailment\n",
                     ["q0,maybe,unknown\n", "q0,,entailment\n", "q0,three\n"]),
    "pos": ("conllu", "", sentence,
            [sentence(0, "NOUN"), sentence(0, "_"), sentence(0, columns=3),
             "1\ta\n2\tb\n\n"]),
}  # fmt: skip


def read(task: Task, path: Path) -> Examples:
    return Source(task, str(path)).whole()


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_of_every_kind_are_left_out_and_counted_together(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending, head, good, bad = BAD[name]
    task = get_task(name)
    skipping = dataclasses.replace(task, skip_bad_rows=True)
    rows = [good(n) for n in range(6)]
    clean = tmp_path / f"clean.{ending}"
    clean.write_text(head + "".join(rows), encoding="utf-8")
    wanted = read(task, clean)
    for number, fault in enumerate(bad):
        path = tmp_path / f"bad{number}.{ending}"
        path.write_text(head + "".join([*rows[:2], fault, *rows[2:]]), encoding="utf-8")
        with pytest.raises(UserError, match=rf"bad{number}\.{ending}, row \d+: .*--skip-bad-rows"):
            read(task, path)
        assert read(skipping, path).fingerprint() == wanted.fingerprint()
        assert f"{path}: 1 malformed row left out (first {path}, row " in capsys.readouterr().err

    path = tmp_path / f"all.{ending}"
    path.write_text(head + "".join([*bad, *rows, *bad]), encoding="utf-8")
    assert read(skipping, path).fingerprint() == wanted.fingerprint()
    said = capsys.readouterr().err
    assert f"{path}: {2 * len(bad)} malformed rows left out (first " in said
    assert said.count("\n") == 1


def test_the_division_counts_the_rows_that_are_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "badlabel.csv"
    rows = [f"text {n},{'xy'[n % 2]}\n" for n in range(40)]
    path.write_text("review,stars\n" + "".join(rows) + "more,awful\nless,\n,x\nshort\n")
    task = own_task(("review",), "stars", ("x", "y"), skip_bad_rows=True)
    source = Source(task, str(path))
    sizes = [len(source.examples(split)) for split in ("train", "dev", "test")]
    train, dev, test = sizes
    assert sum(sizes) == 40
    assert source.division() == (
        f"40 rows of {path}: {train} train, {dev} dev, {test} test, by a hash of the text"
    )
    assert capsys.readouterr().err.count(f"{path}: 4 malformed rows left out") == 1


LONE = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)
SPOILED = st.tuples(st.text(max_size=3), LONE, st.text(max_size=3)).map("".join)


@given(SPOILED, st.sampled_from(["stem", "choice", "key", "answer", "label"]))
@settings(deadline=None)
def test_half_of_a_surrogate_pair_is_no_text_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, spoiled: str, place: str
) -> None:
    path = tmp_path_factory.mktemp("half") / "half.jsonl"
    record = json.loads(question(0))
    if place == "label":
        task = own_task(("question",), "stars", ("x", "y"))
        record |= {"stars": spoiled}
        good = json.dumps({"question": "fine", "stars": "x"}) + "\n"
        with pytest.raises(UserError, match="row 1: 'stars' must be the name or the number"):
            label_of(spoiled, task, "here, row 1")
    else:
        task, good = get_task("arc_easy"), question(1)
        if place == "stem":
            record["question"] = spoiled
        elif place == "answer":
            record["answerKey"] = spoiled
        else:
            record["choices"][{"choice": "text", "key": "label"}[place]][1] = spoiled
    path.write_text(good + json.dumps(record) + "\n")
    with pytest.raises(UserError, match=r"half.jsonl, row 2: ") as error:
        read(task, path)
    str(error.value).encode()
    assert len(read(dataclasses.replace(task, skip_bad_rows=True), path)) == 1


def test_a_label_may_have_more_digits_than_a_float_holds() -> None:
    huge = 10**400
    record = {"question": "q", "choices": {"label": [1, huge], "text": ["a", "b"]}}
    assert question_row(record | {"answerKey": str(huge)}, 1, "here").label == "1"
    own = own_task(("review",), "stars", ("x", "y"))
    assert label_of(huge, own, "here") == str(huge)
    assert label_of(True, own, "here") == "true"


@pytest.mark.parametrize("answer", [2, 2.0, "2", "2.0", " 2 "])
@pytest.mark.parametrize("labels", [[1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"]])
def test_a_number_is_one_label_of_a_choice_however_it_is_written(
    answer: object, labels: list[object]
) -> None:
    record = {
        "question": "q",
        "choices": {"label": labels, "text": ["a", "b", "c"]},
        "answerKey": answer,
    }
    assert question_row(record, 1, "here").label == "1"


@pytest.mark.parametrize("label", [True, None, "", " ", float("nan"), ["A"]])
def test_what_is_no_label_of_a_choice_is_refused(label: object) -> None:
    record = {"question": "q", "choices": {"label": ["A", label], "text": ["a", "b"]}}
    with pytest.raises(UserError, match="here: expected a text or number as label of a choice"):
        question_row(record | {"answerKey": "A"}, 1, "here")


@pytest.mark.parametrize("own_layout", [False, True])
def test_questions_in_parquet_are_those_in_json_lines(
    own_layout: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [json.loads(question(n, id=str(n))) for n in range(30)]
    if own_layout:
        records = [
            {"answerKey": one["answerKey"], "question": {"stem": one["question"], "choices": [
                {"label": key, "text": text}
                for key, text in zip(*one["choices"].values(), strict=True)]}}
            for one in records
        ]  # fmt: skip
    lines, table = tmp_path / "rows.jsonl", tmp_path / "rows.parquet"
    lines.write_text("".join(json.dumps(one) + "\n" for one in records))
    pandas.DataFrame(records).to_parquet(table)
    task = get_task("arc_easy")
    assert read(task, table).fingerprint() == read(task, lines).fingerprint()
    for split in ("train", "dev"):  # and as files of a folder
        pandas.DataFrame(records).to_parquet(tmp_path / f"{split}.parquet")
    hidden = [one | {"answerKey": ""} for one in records]
    pandas.DataFrame(hidden).to_parquet(tmp_path / "test.parquet")
    source = Source(task, str(tmp_path))
    assert not source.has_test
    assert len(source.examples("train")) == 30

    pandas.DataFrame([*records, hidden[0]]).to_parquet(table)
    with pytest.raises(UserError, match=r"rows.parquet, row 31: no 'answerKey'; .*--skip-bad-rows"):
        read(task, table)
    assert len(read(dataclasses.replace(task, skip_bad_rows=True), table)) == 30
    assert "rows.parquet: 1 malformed row left out" in capsys.readouterr().err


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_target_is_read_as_it_is_written(value: float) -> None:
    assert number_of(get_task("stsb"), Row(1, ("a", "b"), f" {value!r} "), "here") == value


def test_labels_of_another_model_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("review,stars\na,good\nb,fine\nc,bad\n")
    task = own_task(("review",), "stars", skip_bad_rows=True)
    task = with_model_labels(task, "M", ("bad", "good"), str(path))
    np.testing.assert_array_equal(read(task, path).labels, [1, 0])
