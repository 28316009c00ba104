"""Questions with choices: both layouts, what is refused, and rankings made of labelled pairs."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.data.bad_rows import BadRows
from mindflood.data.choices import question_row, ranked_pairs, read_questions
from mindflood.data.rows import Row
from mindflood.data.sources import Source
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError

KEYS = {3: "ABC", 4: "1234", 5: "ABCDE"}


def own_layout(stem: str, choices: list[str], answer: int | None, keys: str) -> dict:
    listed = [{"text": text, "label": key} for text, key in zip(choices, keys, strict=True)]
    record: dict = {"id": "1", "question": {"stem": stem, "choices": listed}}
    return record if answer is None else record | {"answerKey": keys[answer]}


def hub_layout(stem: str, choices: list[str], answer: int | None, keys: str) -> dict:
    record: dict = {"question": stem, "choices": {"label": list(keys), "text": choices}}
    return record if answer is None else record | {"answerKey": keys[answer]}


@pytest.mark.parametrize("layout", [own_layout, hub_layout])
@settings(deadline=None)
@given(st.integers(3, 5).flatmap(lambda k: st.tuples(st.just(k), st.integers(0, k - 1))))
def test_both_layouts_are_read(layout, drawn):
    count, answer = drawn
    choices = [f"choice {place}" for place in range(count)]
    row = question_row(layout("why?", choices, answer, KEYS[count]), 7, "here")
    assert row == Row(7, ("why?", *choices), str(answer))


def test_a_file_is_read_and_divided(tmp_path: Path):
    lines = [json.dumps(hub_layout(f"q{n}?", ["a", "b", "c"], n % 3, "ABC")) for n in range(60)]
    (tmp_path / "dev_rand_split.jsonl").write_text("\n".join(lines) + "\n\n")
    source = Source(get_task("commonsense_qa"), str(tmp_path))
    train, dev = source.examples("train"), source.examples("dev")
    assert len(train) + len(dev) == 60
    number = int(train.texts[0][0][1:-1])
    assert train.texts[0] == (f"q{number}?", "a", "b", "c")
    assert train.labels[0] == number % 3


def test_a_test_file_without_answers_is_left_out(tmp_path: Path):
    for name, answer in (("train", 0), ("dev", 1), ("test", None)):
        record = own_layout("q?", ["a", "b"], answer, "12")
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    assert not Source(get_task("arc_easy"), str(tmp_path)).has_test


def fault(record: object, tmp_path: Path) -> str:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(own_layout("fine?", ["a", "b"], 0, "AB")) + "\n")
    with path.open("a") as file:
        file.write(record if isinstance(record, str) else json.dumps(record))
    with pytest.raises(UserError) as error:
        read_questions(path, "jsonl", BadRows(get_task("arc_easy"), path))
    message = str(error.value)
    assert message.startswith(f"{path}, row 2: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (own_layout("q?", ["a", "b"], None, "AB"), "no 'answerKey'"),
        (hub_layout("q?", ["a", "b"], 0, "AB") | {"answerKey": ""}, "no 'answerKey'"),
        (own_layout("q?", ["a", "b"], 0, "AB") | {"answerKey": "F"}, "'F' is the label of no ch"),
        (own_layout("q?", ["a", "b"], 0, "AA"), "two choices have the same label"),
        (own_layout("q?", ["a"], 0, "A"), "a question with 1 choice(s)"),
        (hub_layout("q?", ["a", " "], 0, "AB"), "expected texts"),
        (hub_layout("q?", ["a", 3], 0, "AB"), "expected texts"),  # type: ignore[list-item]
        ({"question": "q?", "choices": {"label": ["A"], "text": ["a", "b"]}}, "as many labels"),
        ({"text": "no question"}, "expected 'question'"),
        ('{"question": "q?", "question": "r?"}', "'question' twice"),
        ("[1]", "expected a JSON object"),
    ],
)
def test_what_is_no_question_is_refused(record, says, tmp_path):
    assert says in fault(record, tmp_path)


def pairs(*rows: tuple[str, str, str]) -> list[Row]:
    return [Row(n, (first, second), label) for n, (first, second, label) in enumerate(rows, 1)]


def ranked(task: Task, rows: list[Row]) -> list[Row]:
    return ranked_pairs(task, rows, "here", BadRows(task, "here"))


def test_entailed_and_not_entailed_rows_of_a_question_are_zipped():
    task = get_task("qnli_ranking")
    rows = pairs(
        ("q1", "yes 1", "entailment"), ("q1", "no 1", "not_entailment"),
        ("q2", "yes 2", "entailment"), ("q1", "no 2", "not_entailment"),
        ("q1", "yes 3", "entailment"), ("q3", "no 3", "not_entailment"),
    )  # fmt: skip
    found = ranked(task, rows)
    assert [(row.texts[0], set(row.texts[1:])) for row in found] == [
        ("q1", {"yes 1", "no 1"}), ("q1", {"yes 3", "no 2"}),
    ]  # fmt: skip
    assert [row.texts[1 + int(row.label)] for row in found] == ["yes 1", "yes 3"]


def test_wnli_ranks_an_entailed_text_against_all_others_of_its_question():
    rows = pairs(("s", "a", "0"), ("s", "b", "1"), ("s", "c", "0"), ("t", "d", "1"))
    (found,) = ranked(get_task("wnli_ranking"), rows)
    assert set(found.texts[1:]) == {"a", "b", "c"}
    assert found.texts[1 + int(found.label)] == "b"


def test_the_answer_is_not_always_first():
    rows = pairs(
        *((f"q{n}", text, label) for n in range(200)
          for text, label in (("yes", "entailment"), ("no", "not_entailment")))
    )  # fmt: skip
    found = ranked(get_task("qnli_ranking"), rows)
    assert 70 < sum(row.label == "0" for row in found) < 130


def test_a_ranking_refuses_a_label_that_is_neither():
    with pytest.raises(UserError, match=r"here, row 1: label 'maybe', expected entailment"):
        ranked(get_task("qnli_ranking"), pairs(("q", "s", "maybe")))
