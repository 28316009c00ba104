"""Missing splits, samples, and each way in which a data source can be wrong."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mindflood.data.sources import Examples, dev_is_test, load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError


def load(task: str, split: str, data: Path, **options: int) -> Examples:
    return load_examples(get_task(task), split, str(data), **options)  # type: ignore[arg-type]


def table(path: Path, rows: int, prefix: str = "row") -> None:
    lines = [f"{prefix} {i},{i % 2}" for i in range(rows)]
    path.write_text("\n".join(["sentence,label", *lines]))


@pytest.mark.parametrize(
    ("files", "held_out"),
    [(("train", "test"), 0.1), (("train",), 0.2), (("dev",), 0.2), (("dev", "test"), 0.1)],
    ids=["train+test", "train", "dev", "dev+test"],
)
def test_dev_is_held_out_of_what_is_there(
    tmp_path: Path, files: tuple[str, ...], held_out: float
) -> None:
    for name in files:
        table(tmp_path / f"{name}.csv", 1000, name)
    train, dev, test = (load("sst2", split, tmp_path) for split in ("train", "dev", "test"))
    assert not set(train.texts) & set(dev.texts)
    assert len(train) + len(dev) == 1000
    assert len(dev) == pytest.approx(1000 * held_out, rel=0.25)
    if "test" in files:
        assert len(test) == 1000
        assert all(text.startswith("test") for (text,) in test.texts)
    else:
        assert test.texts == dev.texts
    assert dev_is_test(get_task("sst2"), str(tmp_path)) == ("test" not in files)


def test_dev_is_not_test_where_one_file_is_divided_or_the_labels_of_test_are_there(tmp_path):
    table(tmp_path / "reviews.csv", 100)
    assert not dev_is_test(get_task("sst2"), str(tmp_path / "reviews.csv"))
    assert not dev_is_test(get_task("corpus"))
    assert dev_is_test(get_task("sst2"), "hub")
    assert not dev_is_test(get_task("ag_news"), "hub")


def test_equal_rows_stay_together_and_rows_do_not_move_when_others_come(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    (few / "train.csv").write_text("sentence,label\n" + "".join(f"t {i},1\n" for i in range(50)))
    twice = "".join(f"t {i},1\n" * 2 for i in range(90))
    (many / "train.csv").write_text("sentence,label\n" + twice)
    assert set(load("sst2", "dev", few).texts) <= set(load("sst2", "dev", many).texts)
    assert not set(load("sst2", "dev", many).texts) & set(load("sst2", "train", many).texts)


def test_a_sample_depends_on_the_seed_alone_and_keeps_the_order(tmp_path: Path) -> None:
    table(tmp_path / "test.csv", 300)
    whole = load("sst2", "test", tmp_path)
    sample = load("sst2", "test", tmp_path, limit=40, seed=3)
    places = [whole.texts.index(text) for text in sample.texts]
    assert places == sorted(set(places))
    assert len(places) == 40
    assert np.array_equal(sample.labels, whole.labels[places])
    assert sample.texts == load("sst2", "test", tmp_path, limit=40, seed=3).texts
    assert sample.texts != load("sst2", "test", tmp_path, limit=40, seed=4).texts
    assert load("sst2", "test", tmp_path, limit=999).texts == whole.texts


def test_the_built_in_corpus_is_the_default_of_its_task() -> None:
    examples = load_examples(get_task("corpus"), "dev")
    assert examples.labels.dtype == np.int64
    assert load_examples(get_task("corpus"), "dev", "builtin").texts == examples.texts


BAD_FILES = {
    "missing column": ("sentense,label\na,1\n", "no column 'sentence'.*'sentense', 'label'.*mean"),
    "missing label": ("sentence\na\n", "no column 'label'.*there are 'sentence'"),
    "same column twice": ("label,sentence,label\n1,a,1\n", "two columns are named 'label'"),
    "label too large": ("sentence,label\na,1\nb,2\n", "row 3: label '2'.*0 .negative., 1 .pos"),
    "label below zero": ("sentence,label\na,-1\n", "row 2: label '-1'"),
    "label not understood": ('sentence,label\n"a\nb",1\nc,good\n', "row 4: label 'good'"),
    "no label": ("sentence,label\na,\n", "row 2: label ''"),
    "empty text": ("sentence,label\na,1\n  ,1\n", "row 3: 'sentence' is empty.*remove"),
    "too few cells": ("sentence,label\na,1\nb\n", "row 3: 1 cells where row 1 has 2"),
    "too many cells": ("sentence,label\na,b,1\n", "row 2: 3 cells"),
    "open quote": ('sentence,label\n"a,1\nb,1\n', "not CSV"),
    "header only": ("sentence,label\n", "no examples for split 'test'"),
    "nothing": ("", "no column 'sentence'.*there are none"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_table_is_named_with_its_row(tmp_path: Path, case: str) -> None:
    content, message = BAD_FILES[case]
    (tmp_path / "test.csv").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        load("sst2", "test", tmp_path / "test.csv")
    assert str(tmp_path / "test.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_bytes(b"sentence\tlabel\nok\t1\ncaf\xe9\t1\n")
    with pytest.raises(UserError, match=r"dev\.tsv, row 3: byte 0xe9 is not UTF-8.*iconv"):
        load("sst2", "dev", tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "row 2: expected a JSON object"),
        ('["sentence", "label"]', "row 2: expected a JSON object"),
        ('{"sentence": 1, "label": 0}', "row 2: 'sentence' must be a string"),
        ('{"sentence": "a\\ud800", "label": 0}', "row 2: 'sentence' must be a string of Unicode"),
        ('{"sentence": "a", "lable": 0}', "no column 'label'.*did you mean 'lable'"),
    ],
    ids=["torn", "list", "number", "surrogate", "column"],
)
def test_bad_json_lines(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "test.jsonl").write_text(f'{{"sentence": "a", "label": 0}}\n{line}\n')
    with pytest.raises(UserError, match=message):
        load("sst2", "test", tmp_path)


@pytest.mark.parametrize("kept", [0, 60, 400], ids=["empty", "head", "most"])
def test_a_zip_cut_short(tmp_path: Path, kept: int) -> None:
    archive = tmp_path / "movie_reviews.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for number in range(5):
            writer.writestr(f"movie_reviews/pos/{number}.txt", f"a review {number}")
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"movie_reviews\.zip: corrupt or incomplete zip"):
        load("imdb", "train", tmp_path)


def test_a_zip_with_a_damaged_member(tmp_path: Path) -> None:
    archive = tmp_path / "movie_reviews.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("movie_reviews/pos/1.txt", "a fine review of a film")
    archive.write_bytes(archive.read_bytes().replace(b"a fine review", b"a fire review"))
    with pytest.raises(UserError, match="corrupt"):
        load("imdb", "train", tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such file or folder"):
        load("sst2", "dev", tmp_path / "nowhere")


def test_a_folder_without_the_files_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"msr_paraphrase_test\.txt.*validation.*\.tsv .csv"):
        load("mrpc", "dev", tmp_path)


def test_half_of_a_pair_of_files(tmp_path: Path) -> None:
    (tmp_path / "rt-polarity.pos").write_text("good\n")
    with pytest.raises(UserError, match=r"rt-polarity\.neg: no such file"):
        load("mr", "train", tmp_path)


def test_a_test_file_alone_does_not_train(tmp_path: Path) -> None:
    table(tmp_path / "test.csv", 3)
    with pytest.raises(UserError, match=r"only a test part is there.*train or dev file"):
        load("sst2", "train", tmp_path)


def test_a_folder_where_a_table_should_be(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").mkdir()
    with pytest.raises(UserError, match=r"test\.tsv: cannot read"):
        load("sst2", "test", tmp_path)


def test_an_unknown_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"rows\.xlsx: unknown kind of file.*\.csv"):
        load("sst2", "train", tmp_path / "rows.xlsx")


@pytest.mark.parametrize(
    ("task", "data", "message"),
    [("sst2", "builtin", "built-in data is task 'corpus'"), ("corpus", "hub", "not on the hub")],
)
def test_a_source_that_does_not_have_the_task(task: str, data: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_examples(get_task(task), "train", data)


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_one(limit: int) -> None:
    with pytest.raises(UserError, match="expected at least 1 example"):
        load_examples(get_task("corpus"), "dev", limit=limit)


def test_an_unknown_split() -> None:
    with pytest.raises(UserError, match="expected train, dev or test"):
        load_examples(get_task("corpus"), "validation")  # type: ignore[arg-type]
