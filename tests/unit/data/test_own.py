"""A user's own data: its columns, its classes and its files, against pandas on the same files."""

import dataclasses
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.data.own import (
    checked_labels,
    data_name,
    own_record,
    own_task,
    recorded_task,
    texts_of,
    training_labels,
    with_model_labels,
)
from mindflood.data.sources import Source, load_examples
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
KINDS: dict[str, st.SearchStrategy[object]] = {
    "words": st.sampled_from(["bad", "mixed", "good", "très bien", "好"]),
    "whole": st.integers(-2, 12),
    "floats": st.sampled_from([1.0, 2.0, 3.5]),
    "booleans": st.booleans(),
}


def written(frame: pandas.DataFrame, path: Path) -> None:
    """The frame in the format of the path's ending, by pandas."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        plain = path.with_name("plain.parquet")
        frame.to_parquet(plain)
        content = plain.read_bytes()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        frame.to_csv(path, index=False, sep={"csv": ",", "tsv": "\t"}[kind])


def plain(label: object) -> str:
    if isinstance(label, bool):
        return str(label).lower()
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_holds_the_same_rows(
    tmp_path: Path, kind: str, ending: str, packed: str
) -> None:
    path = tmp_path / f"rows.{ending}{packed}"

    @given(st.lists(st.tuples(TEXTS, TEXTS, KINDS[kind]), min_size=2, max_size=8))
    @settings(max_examples=25)
    def same(rows: list[tuple[str, str, object]]) -> None:
        named = {plain(label).casefold() for _, _, label in rows}
        if len(named) < 2:
            return
        frame = pandas.DataFrame(rows, columns=["first", "second", "class"])
        written(frame, path)
        task = own_task(("second", "first"), "class")
        task = dataclasses.replace(task, label_names=training_labels(task, str(path)))
        found = load_examples(task, "test", str(path), whole_file=True)
        assert found.texts == tuple((b.strip(), a.strip()) for a, b, _ in rows)
        names = [task.label_names[label].casefold() for label in found.labels]
        assert names == [plain(label).casefold() for _, _, label in rows]

    same()


def lines(path: Path, header: str, *rows: str) -> str:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


OWN = own_task(("review",), "stars")


@pytest.mark.parametrize(
    ("column", "classes"),
    [
        (["good", "bad", "good", "mixed"], ("bad", "good", "mixed")),
        (["10", "9", "-1", "2.0"], ("-1", "2", "9", "10")),
        (["3.5", "1", "1.0", "+1"], ("1", "3.5")),
        (["True", "False", "True", "true"], None),
        (["007", "7", "07", "7"], ("007", "07", "7")),
        (["none", "2", "1", "nan"], ("1", "2", "nan", "none")),
    ],
    ids=str,
)
def test_the_classes_are_those_of_the_training_rows_sorted(
    tmp_path: Path, column: list[str], classes: tuple[str, ...] | None
) -> None:
    rows = [f"text {number},{label}" for number, label in enumerate(column)]
    data = lines(tmp_path / "train.csv", "review,stars", *rows)
    if classes is None:
        with pytest.raises(UserError, match="'True' and 'true' differ in capitals alone"):
            training_labels(OWN, data)
    else:
        assert training_labels(OWN, data) == classes


@pytest.mark.parametrize(
    ("labels", "cells", "values"),
    [
        (("bad", "mixed", "good"), ["good", "Bad", "mixed"], [2, 0, 1]),
        (("bad", "mixed", "good"), ["1", "3", "2"], [0, 2, 1]),
        (("bad", "mixed", "good"), ["0", "2", "1"], [0, 2, 1]),
        (("3", "1", "2"), ["1", "3.0", "2"], [1, 0, 2]),
        (("Good", "good"), ["good", "Good"], [1, 0]),
        (("false", "true"), ["True", "FALSE"], [1, 0]),
    ],
    ids=str,
)
def test_the_order_is_that_of_the_list(
    tmp_path: Path, labels: tuple[str, ...], cells: list[str], values: list[int]
) -> None:
    data = lines(tmp_path / "r.csv", "stars,review", *(f"{cell},t{cell}" for cell in cells))
    task = dataclasses.replace(OWN, label_names=labels)
    assert load_examples(task, "test", data, whole_file=True).labels.tolist() == values


def of_files(folder: Path, **files: list[str]) -> Task:
    """A task on a CSV a split, of rows "text,label"."""
    paths = {
        split: lines(folder / f"{split}.csv", "review,stars", *rows)
        for split, rows in files.items()
    }
    task = own_task(("review",), "stars", files=paths)  # type: ignore[arg-type]
    return dataclasses.replace(task, label_names=training_labels(task))


def test_the_files_are_the_splits_and_what_is_left_out_is_a_share_of_train(
    tmp_path: Path,
) -> None:
    rows = [f"text {number},{'ab'[number % 2]}" for number in range(200)]
    three = of_files(tmp_path, train=rows[:100], dev=rows[100:150], test=rows[150:])
    sizes = [len(load_examples(three, split)) for split in ("train", "dev", "test")]  # type: ignore
    assert sizes == [100, 50, 50]
    assert Source(three).division() is None

    without_dev = dataclasses.replace(
        three, own_files={split: three.own_files[split] for split in ("train", "test")}
    )
    train, dev, test = (load_examples(without_dev, s) for s in ("train", "dev", "test"))  # type: ignore
    assert (len(train) + len(dev), len(test)) == (100, 50)
    assert 0 < len(dev) < 25
    assert not set(train.texts) & set(dev.texts)
    said = f"100 rows of {tmp_path / 'train.csv'}: {len(train)} train, {len(dev)} dev, by a hash"
    assert str(Source(without_dev).division()).startswith(said)

    alone = dataclasses.replace(three, own_files={"train": three.own_files["train"]})
    parts = [load_examples(alone, split) for split in ("train", "dev", "test")]  # type: ignore
    assert sum(map(len, parts)) == 100
    assert len({text for part in parts for text in part.texts}) == 100


@given(
    st.lists(TEXTS, min_size=1, max_size=60, unique_by=str.strip),
    st.sampled_from([("train",), ("train", "test"), ("train", "dev"), ("train", "dev", "test")]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_no_row_is_lost_or_in_two_splits_in_whatever_order_the_file_has_them(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], given_files: tuple[str, ...], random
) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("splits")
    frame = pandas.DataFrame({"review": texts, "stars": ["ab"[len(t) % 2] for t in texts]})
    elsewhere = pandas.DataFrame({"review": ["elsewhere", "far"], "stars": ["a", "b"]})

    def divided(rows: pandas.DataFrame) -> dict[str, set[str]]:
        for split in given_files:
            written(rows if split == "train" else elsewhere, folder / f"{split}.csv")
        files = {split: str(folder / f"{split}.csv") for split in given_files}
        task = own_task(("review",), "stars", ("a", "b"), files=files)  # type: ignore[arg-type]
        found = {}
        for split in ("train", "dev", "test"):
            try:
                examples = load_examples(task, split)  # type: ignore[arg-type]
            except UserError:  # a share of few rows may be empty
                found[split] = set()
            else:
                found[split] = {text for (text,) in examples.texts} - {"elsewhere", "far"}
                assert len(set(examples.texts)) == len(examples)
        return found

    found = divided(frame)
    assert found["train"] | found["dev"] | found["test"] == {text.strip() for text in texts}
    if "test" not in given_files and "dev" in given_files:
        assert found["test"] == found["dev"]
    else:
        assert sum(map(len, found.values())) == len(texts)
    order = list(range(len(texts)))
    random.shuffle(order)
    assert divided(frame.iloc[order]) == found


MANY = [f"text {number},{number}" for number in range(30)]
CSV_FAULTS = [
    ("review,class\na,1\n", r"no column 'stars'; there are 'review', 'class'; name one of these"),
    ("Review,star\na,1\n", r"no column 'review'; .*; name one of these; did you mean 'Review'\?"),
    ("review,stars,stars\na,1,2\n", r"row 1: two columns are named 'stars'; rename one"),
    ("review,stars\na,x\nb,x\n", r"all 2 rows have the label 'x' in column 'stars'; .*two classes"),
    ("review,stars\n", r"no examples of .*; add some"),
    ("", r"no column 'review'; there are none at all; give a file with columns$"),
    (
        "review,stars\na,x\nb,\n",
        r"row 3: the label is empty; name a class; or leave such rows out with --skip",
    ),
    ("review,stars\na,x\nb,y,z\n", r"row 3: 3 cells where row 1 has 2; .*--skip-bad-rows"),
    ("review,stars\na,x\nb\n", r"row 3: 1 cells where row 1 has 2"),
    ("review,stars\na,x\n,y\n", r"row 3: 'review' is empty; remove the row; or leave such rows"),
    ('review,stars\na,x\n"b,y\nc,x\n', r"row 4: not CSV \(unexpected end of data\)"),
    ('review,stars\na,x\n"b"c,y\nc,x\n', r"row 3: not CSV .*; or leave such rows out"),
    ("review;stars\na;x\n", r"is separated by semicolons"),
    ("\n".join(["review,stars", *MANY]), r"'stars' has 30 different labels in 30 rows"),
]


def read(path: Path, task: Task = OWN) -> list[tuple[str, str]]:
    """Texts and labels of a file that nobody has described but by its columns."""
    task = dataclasses.replace(task, label_names=training_labels(task, str(path)))
    found = load_examples(task, "test", str(path), whole_file=True)
    pairs = zip(found.texts, found.labels.tolist(), strict=True)
    return [(text, task.label_names[label]) for (text,), label in pairs]


@pytest.mark.parametrize(("content", "message"), CSV_FAULTS, ids=str)
def test_a_bad_table_is_refused_with_its_row(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(UserError, match=f"mine.csv.*{message}"):
        read(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"review": 7, "stars": "x"},
            "row 3: 'review' must be a string of Unicode text, found '7'",
        ),
        ({"review": None, "stars": "x"}, "row 3: 'review' must be a string"),
        ({"review": "c", "stars": None}, "row 3: 'stars' must be the name or the number"),
        ({"review": "c", "stars": ["x"]}, "row 3: 'stars' must be .* found a list"),
        ({"review": "c"}, "row 3: no column 'stars'.*there are 'review'"),
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_refused_or_left_out(
    tmp_path: Path, row: dict[str, object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"review": "a", "stars": "x"}, {"review": "b", "stars": "y"}, row]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    with pytest.raises(UserError, match=f"mine.jsonl, {message}.*; or leave such rows out"):
        read(path)
    skipping = dataclasses.replace(OWN, skip_bad_rows=True)
    assert read(path, skipping) == [("a", "x"), ("b", "y")]
    assert "mine.jsonl: 1 malformed row left out (first " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"review": ["a", None], "stars": ["x", "y"]}, "row 2: 'review' must be a string"),
        ({"review": [1, 2], "stars": ["x", "y"]}, "row 1: 'review' must be a string"),
        ({"review": ["a", "b"], "stars": [1.0, None]}, "row 2: 'stars' must be"),
        ({"review": ["a", "b"], "star": [1, 2]}, "no column 'stars'.*did you mean 'star'"),
    ],
    ids=str,
)
def test_a_bad_parquet_is_refused(
    tmp_path: Path, values: dict[str, list[object]], message: str
) -> None:
    pandas.DataFrame(values).to_parquet(tmp_path / "mine.parquet")
    with pytest.raises(UserError, match=message):
        read(tmp_path / "mine.parquet")


@given(st.lists(st.tuples(st.integers(0), st.binary(max_size=3)), max_size=5), st.floats(0.5, 1))
@settings(max_examples=200, deadline=None)
def test_a_damaged_parquet_is_rows_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]], keep: float
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "mine.parquet"
    pandas.DataFrame({"review": ["a", "b"] * 5, "stars": ["x", "y"] * 5}).to_parquet(path)
    content = bytearray(path.read_bytes())
    for place, spoiled in changes:
        place %= len(content)
        content[place : place + len(spoiled)] = spoiled
    path.write_bytes(content[: int(keep * len(content)) + 1])
    said = ""
    try:
        read(path)
    except UserError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"PAR1 and nothing else", "corrupt or no Parquet"),
        ("a.parquet", b"", "corrupt or no Parquet"),
        ("a.csv.gz", b"review,stars\n", "corrupt or incomplete gzip .*take .gz off"),
        (
            "a.csv.gz",
            gzip.compress(b"review,stars\na,b\n", mtime=0)[:-9],
            "corrupt or incomplete gzip",
        ),
        (
            "a.csv",
            gzip.compress(b"review,stars\n", mtime=0),
            "is gzip, not text; let its name end in .gz",
        ),
        ("a.csv", "review,stars\nné,x\n".encode("latin1"), "row 2: byte 0xe9 is not UTF-8.*latin1"),
        ("a.csv", "review,stars\nn,x\n".encode("utf-16"), "is UTF-16, not UTF-8; convert the file"),
        ("a.xlsx", b"PK\x03\x04", "is a zip archive, not text; .*save a spreadsheet as CSV"),
        ("a.txt", b"a\n", r"unknown kind of file; expected one of .tsv .csv .*, each also .gz"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name}.*{message}"):
        read(tmp_path / name)


def test_a_label_that_the_list_lacks_is_refused_with_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = of_files(tmp_path, train=["a,good", "b,bad"], test=["c,bad", "d,fine", "e,good"])
    with pytest.raises(
        UserError,
        match=r"test.csv, row 3: label 'fine' is not one of task .*'s: bad, good; correct it; or",
    ):
        load_examples(task, "test")
    found = load_examples(dataclasses.replace(task, skip_bad_rows=True), "test")
    assert found.texts == (("c",), ("e",))
    assert "test.csv: 1 malformed row left out" in capsys.readouterr().err


def test_bad_rows_are_counted_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('review,stars\na,x\nb,y,z\n,x\n"c"d,x\ne\nf,y\n')
    assert read(path, dataclasses.replace(OWN, skip_bad_rows=True)) == [("a", "x"), ("f", "y")]
    said = capsys.readouterr().err
    assert f"{path}: 4 malformed rows left out (first {path}, row 3: 3 cells" in said


@given(st.lists(st.tuples(TEXTS, st.sampled_from("xy"), st.integers(0, 3)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_exactly_the_bad_rows_are_left_out(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]
) -> None:
    rows = [("first", "x", 0), ("second", "y", 0), *rows]
    path = tmp_path_factory.mktemp("rows") / "mine.csv"
    made: dict[int, Callable[[str, str], list[str]]] = {
        0: lambda text, label: [text, label],
        1: lambda text, label: [text, label, "more"],
        2: lambda text, label: [text],
        3: lambda text, label: [" ", label],
    }
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["review", "stars"], *(made[k](t, c) for t, c, k in rows)])
    found = read(path, dataclasses.replace(OWN, skip_bad_rows=True))
    assert found == [(text.strip(), label) for text, label, kind in rows if kind == 0]


NUMBERS = ["t1,1", "t2,2", "t3,3"]


@pytest.mark.parametrize(
    ("own_names", "rows", "names", "values"),
    [
        (("good", "bad"), ["a,bad", "b,good"], ("good", "bad"), [1, 0]),
        (("NEGATIVE", "POSITIVE"), ["a,pos", "b,neg"], ("neg", "pos"), [1, 0]),
        (("NEG", "NEU", "POS"), ["a,positive", "b,neg"], ("neg", "NEU", "positive"), [2, 0]),
        (("LABEL_0", "LABEL_1", "LABEL_2"), NUMBERS, ("LABEL_0", "LABEL_1", "LABEL_2"), [0, 1, 2]),
        (("LABEL_0", "LABEL_1"), ["a,1", "b,0"], ("LABEL_0", "LABEL_1"), [1, 0]),
        (("3", "1", "2"), NUMBERS, ("3", "1", "2"), [1, 2, 0]),
    ],
    ids=str,
)
def test_the_order_is_the_model_s_where_its_names_fit(
    tmp_path: Path,
    own_names: tuple[str, ...],
    rows: list[str],
    names: tuple[str, ...],
    values: list[int],
) -> None:
    data = lines(tmp_path / "test.csv", "review,stars", *rows)
    task = with_model_labels(OWN, "M", own_names, data)
    assert task.label_names == names
    assert load_examples(task, "test", data, whole_file=True).labels.tolist() == values


@pytest.mark.parametrize(
    ("own_names", "row", "message"),
    [
        (("LABEL_0", "LABEL_1"), "a,good", r"row 2: label 'good' is none of the classes of M"),
        (("good", "bad"), "a,fine", r"label 'fine' is none of .*\(good, bad\); .*--labels"),
        (("1", "2"), "a,3", "label '3' is none"),
        ((), "a,good", "M: does not say what it calls its classes; .*--labels"),
    ],
    ids=str,
)
def test_classes_that_the_model_has_not_are_refused(
    tmp_path: Path, own_names: tuple[str, ...], row: str, message: str
) -> None:
    data = lines(tmp_path / "test.csv", "review,stars", row)
    with pytest.raises(UserError, match=message):
        with_model_labels(OWN, "M", own_names, data)


def test_numbers_that_may_count_from_0_or_1_are_refused(tmp_path: Path) -> None:
    data = lines(tmp_path / "test.csv", "review,stars", "a,1", "b,2")
    task = with_model_labels(OWN, "M", ("LABEL_0", "LABEL_1", "LABEL_2"), data)
    with pytest.raises(UserError, match=r"the labels may count from 0 .* or from 1"):
        load_examples(task, "test", data, whole_file=True)


@pytest.mark.parametrize(
    ("text", "label", "labels", "message"),
    [
        (("a", "a"), "b", (), "text: column 'a' is named twice"),
        (("a",), "a", (), "label: column 'a' is named as a text too"),
        (("a", "b", "c"), "d", (), "text: expected one column or two"),
        (("a",), "b", ("x",), "labels: 'x' alone; .*at least two"),
        (("a",), "b", (1, 1.0), "labels: '1' is there twice"),
        (("a",), "b", ("x", " "), "labels: one of them is empty"),
    ],
)
def test_columns_and_classes_are_different_ones(
    text: tuple[str, ...], label: str, labels: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        own_task(text, label, labels)


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (("data/reviews/train.csv",), "reviews"),
        (("reviews.v2.csv.gz",), "reviews"),
        (("stanfordnlp/imdb",), "imdb"),
        (("org/name:config",), "name"),
        ((None, "hotels/data/train.csv"), "own data"),
        ((), "own data"),
    ],
    ids=str,
)
def test_data_is_called_after_where_it_lies(places: tuple[str | None, ...], name: str) -> None:
    assert data_name(*places) == name


def test_a_result_keeps_what_its_task_was() -> None:
    task = own_task(("q", "a"), "ok", (False, True), name="answers")
    assert recorded_task({"task": "answers", "own_data": own_record(task)}) == task
    assert own_record(get_task("sst2")) is None
    assert recorded_task({"task": "sst2"}) == get_task("sst2")
    for damaged in ({}, {"text": 3, "label": "a", "labels": []}, []):
        with pytest.raises(UserError, match="own_data of task 'answers' is damaged"):
            recorded_task({"task": "answers", "own_data": damaged})


def test_texts_are_read_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text('q,a\n"one, two",three\nfour,five\n')
    assert texts_of(path, ["a", "q"]) == [("three", "one, two"), ("five", "four")]
    with pytest.raises(UserError, match="no column 'text'"):
        texts_of(path, ["text"])


@given(st.lists(st.one_of(st.booleans(), st.integers(), st.text(max_size=5)), max_size=6))
def test_names_of_classes_are_different_and_stay_as_they_are(labels: list[object]) -> None:
    try:
        names = checked_labels(labels)
    except UserError:
        return
    assert len(set(names)) == len(names) != 1
    assert checked_labels(names) == names
