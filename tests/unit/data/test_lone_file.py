"""A file by itself: how training divides it, and that an attack has all of it."""

from pathlib import Path

import numpy as np
import pytest

from mindflood.analyse.generalisation import other_data
from mindflood.attack.chosen import chosen_rows, is_share_of_training
from mindflood.attack.held_out import held_out_rows
from mindflood.config.settings import Config, TaskSettings
from mindflood.data.class_names import own_label_names
from mindflood.data.sources import Source, load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.files import write_json
from mindflood.training.dataset import rows_of
from mindflood.training.row_record import claim_rows

SST2, AG, IMDB = get_task("sst2"), get_task("ag_news"), get_task("imdb")


def table(path: Path, rows: int, column: str = "sentence") -> Path:
    lines = [f"row {i},{i % 2}" for i in range(rows)]
    path.write_text("\n".join([f"{column},label", *lines]))
    return path


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return table(tmp_path / "reviews.csv", 200)


def test_the_division_of_a_lone_file_is_told_with_its_counts(reviews: Path) -> None:
    source = Source(SST2, str(reviews))
    sizes = [len(source.examples(split)) for split in ("train", "dev", "test")]
    assert sum(sizes) == 200
    train, dev, test = sizes
    assert source.division() == (
        f"200 rows of {reviews}: {train} train, {dev} dev, {test} test, by a hash of the text"
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("train", "dev", "test"), None),
        (("train", "dev"), None),
        (("train", "test"), "100 rows of {}/train.csv: {} train, {} dev, by a hash of the text"),
        (("train",), "100 rows of {}/train.csv: {} train, {} dev and test, by a hash of the text"),
        (("dev",), "100 rows of {}/dev.csv: {} train, {} dev and test, by a hash of the text"),
    ],
)
def test_what_is_held_out_of_another_part_is_told_as_well(
    tmp_path: Path, names: tuple[str, ...], expected: str | None
) -> None:
    for name in names:
        table(tmp_path / f"{name}.csv", 100)
    source = Source(SST2, str(tmp_path))
    sizes = [len(source.examples(split)) for split in ("train", "dev")]
    said = None if expected is None else expected.format(tmp_path, *sizes)
    assert source.division() == said


def test_a_file_too_small_to_divide_is_refused_with_the_counts(tmp_path: Path) -> None:
    file = table(tmp_path / "few.csv", 1)
    message = r"no examples for split '\w+' .*; 1 rows of .*few\.csv: \d train, \d dev, \d test, "
    with pytest.raises(UserError, match=message + "by a hash .*with a train, a dev and a test"):
        rows_of(Config(task=TaskSettings(name="sst2", data=str(file))))


def test_training_says_once_how_the_file_was_divided(
    tmp_path: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(Config(task=TaskSettings(name="sst2", data=str(reviews))))
    claim_rows(tmp_path / "run", rows)
    claim_rows(tmp_path / "probe", rows)
    assert capsys.readouterr().err == f"{rows.division}\n"


@pytest.mark.parametrize("name", ["reviews.csv", "train.csv", "dev.csv", "test.csv", "R.CSV"])
@pytest.mark.parametrize("count", [1, 11, 200])
def test_a_file_handed_to_an_attack_is_attacked_whole(
    tmp_path: Path, name: str, count: int
) -> None:
    file = str(table(tmp_path / name, count))
    sample = chosen_rows(SST2, None, file, None, 0, whole_file=True)
    assert sample.rows.tolist() == list(range(count))
    assert [texts for _, texts, _ in sample.attacked_here] == [(f"row {n}",) for n in range(count)]
    assert sample.origin == f"all {count} rows of {file}"


def test_a_task_with_a_sample_of_its_own_is_also_attacked_on_all_of_a_file(tmp_path: Path) -> None:
    file = str(table(tmp_path / "reviews.csv", 900, "text"))
    assert len(chosen_rows(IMDB, None, file, None, 0, whole_file=True).rows) == 900
    table(tmp_path / "test.csv", 900, "text")
    assert len(chosen_rows(IMDB, None, str(tmp_path), None, 0, whole_file=True).rows) == 800


def test_a_share_of_the_rows_is_told_with_its_seed(tmp_path: Path, reviews: Path) -> None:
    sample = chosen_rows(SST2, None, str(reviews), 20, 7, whole_file=True)
    assert sample.origin == f"20 of 200 rows of {reviews} (seed 7)"
    assert len(sample.rows) == 20
    divided = chosen_rows(SST2, "test", str(reviews), 5, 0, whole_file=False)
    said = Source(SST2, str(reviews)).division()
    count = len(divided.whole)
    assert divided.origin == f"5 of {count} rows of split test, {said} (seed 0)"
    with pytest.raises(UserError, match="num-examples 0"):
        chosen_rows(SST2, None, str(reviews), 0, 0, whole_file=True)


def test_the_file_that_a_run_was_trained_on_is_attacked_in_its_test_rows(
    tmp_path: Path, reviews: Path
) -> None:
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    assert not is_share_of_training(str(model), str(reviews))
    claim_rows(model.parent, rows_of(Config(task=TaskSettings(name="sst2", data=str(reviews)))))
    assert is_share_of_training(str(model), str(reviews))
    assert is_share_of_training(str(model.parent), str(reviews.parent / "." / reviews.name))
    assert not is_share_of_training(str(model), str(table(tmp_path / "others.csv", 30)))
    assert not is_share_of_training(str(model), None)
    assert not is_share_of_training("owner/name", str(reviews))


def test_held_out_rows_of_a_whole_file_are_those_that_are_not_attacked(reviews: Path) -> None:
    attacked = chosen_rows(SST2, None, str(reviews), 60, 0, whole_file=True).examples
    found = held_out_rows(SST2, None, str(reviews), attacked, 0, whole_file=True)
    assert len(found.rows) == 140
    assert not set(found.rows.texts) & set(attacked.texts)


def test_other_data_of_an_analysis_is_a_whole_file_and_a_share_is_told(
    reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (_, rows) = other_data([f"sst2={reviews}"], SST2, 200, 0)[0]
    assert len(rows) == 200
    assert capsys.readouterr().err == ""
    (_, rows) = other_data([f"sst2={reviews}"], SST2, 30, 4)[0]
    assert len(rows) == 30
    assert capsys.readouterr().err == f"analysing 30 of 200 rows of {reviews} (seed 4)\n"


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ({"id2label": {"1": "POS", "0": "NEG"}}, ("NEG", "POS")),
        ({"id2label": {"0": 0, "1": 1}}, ("0", "1")),
        ({"id2label": {"0": "a", "2": "b"}}, ()),
        ({"id2label": ["a", "b"]}, ()),
        ({}, ()),
        ([], ()),
    ],
)
def test_the_names_that_a_model_gives_its_classes(
    tmp_path: Path, stated: object, names: tuple[str, ...]
) -> None:
    write_json(tmp_path / "config.json", stated)
    assert own_label_names(str(tmp_path)) == names
    assert own_label_names("owner/name") == ()


def test_a_models_numbers_tell_what_an_incomplete_file_counts_from(tmp_path: Path) -> None:
    file = tmp_path / "news.csv"
    file.write_text("text,label\na,1\nb,2\n")
    sample = chosen_rows(
        AG, None, str(file), None, 0, whole_file=True, own_names=["0", "1", "2", "3"]
    )
    assert np.array_equal(sample.whole.labels, [1, 2])
    with pytest.raises(UserError, match="may count from 0"):
        chosen_rows(AG, None, str(file), None, 0, whole_file=True)


def test_a_limit_of_a_whole_file(reviews: Path) -> None:
    found = load_examples(SST2, "dev", str(reviews), limit=64, whole_file=True)
    assert len(found) == 64
