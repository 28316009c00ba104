"""The keys of a user's own data: what they mean together, and what is kept of them in a run."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mindflood.bridge.command import task_of
from mindflood.config.attack import AttackSettings, task_of_json, task_to_json
from mindflood.config.load import from_yaml, load_run_configs, load_train_config, with_labels
from mindflood.config.settings import Config, SearchSettings, to_yaml
from mindflood.data.options import add_own_data, own_data_of, strict_or_not
from mindflood.data.own import own_task
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.pipeline.grid_search import _set_aside, candidate_config
from mindflood.training.dataset import rows_of, training_rows

ROWS = "review,title,stars\n" + "".join(f"text {i},title {i},{i % 3 + 1}.0\n" for i in range(40))
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "train.csv").write_text(ROWS)

    def config(**task: object) -> Path:
        path = tmp_path / "config.yaml"
        task = {"train": str(tmp_path / "train.csv"), **task}
        task = {key: value for key, value in task.items() if value is not None}
        path.write_text(yaml.safe_dump({"encoder": "embedded", "task": task}))
        return path

    return config


def test_the_classes_are_written_into_the_run_s_config(write: Write, tmp_path: Path) -> None:
    path = write(text="review", label="stars")
    (config,) = with_labels(load_run_configs(path, []))
    assert config.task.labels == ("1", "2", "3")
    assert config.task.name == tmp_path.name.partition(".")[0]
    (tmp_path / "kept.yaml").write_text(to_yaml(config))
    assert from_yaml(tmp_path / "kept.yaml") == config

    # What the training file holds later does not change the order of a run that is there.
    (tmp_path / "train.csv").write_text(ROWS + "more,more,0\n")
    assert from_yaml(tmp_path / "kept.yaml").task.as_task.label_names == ("1", "2", "3")
    (again,) = with_labels(load_run_configs(path, []))
    assert again.kept() != config.kept()


@pytest.mark.parametrize(
    ("labels", "names"),
    [([3, 1, 2.0], ("3", "1", "2")), (["low", "mid", "high"], ("low", "mid", "high")),
     ([True, False], ("true", "false"))],
)  # fmt: skip
def test_listed_classes_keep_their_order(
    write: Write, labels: list[object], names: tuple[str, ...]
) -> None:
    config = load_train_config(write(text=["title", "review"], label="stars", labels=labels), [])
    task = config.task.as_task
    assert (task.text_columns, task.label_column) == (("title", "review"), "stars")
    assert (task.label_names, task.own, task.attacked_split) == (names, True, "test")


def test_keys_may_be_given_on_the_command_line(write: Write, tmp_path: Path) -> None:
    words = ["task.text=review", "task.label=stars", "task.labels=[1, 2, 3]", "task.name=stars"]
    config = load_train_config(write(), words)
    assert (config.task.name, config.task.labels) == ("stars", ("1", "2", "3"))
    settings = config.attack_on(tmp_path / "model", "textfooler", 5)
    assert (settings.data, settings.split, settings.task) == (None, None, config.task.as_task)
    assert AttackSettings.from_json(settings.to_json()) == settings
    assert settings.deciding()["own_data"]["labels"] == ["1", "2", "3"]


def test_a_named_task_may_have_files_of_its_own(write: Write, tmp_path: Path) -> None:
    config = load_train_config(write(name="sst2"), [])
    sst2 = get_task("sst2")
    files = {"train": str(tmp_path / "train.csv")}
    assert config.task.as_task == dataclasses.replace(sst2, own_files=files)
    assert Config().task.as_task == get_task("corpus")
    assert "own_data" not in config.attack_on(tmp_path, "textfooler", 5).deciding()


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"text": "review"}, "task.label: is missing; name the column of the classes"),
    ({"label": "stars"}, "task.label: is for your own data, whose texts task.text names"),
    ({"labels": ["a", "b"]}, "task.labels: is for your own data"),
    ({"hub": "org/name", "train": None}, "task.hub: is for your own data"),
    ({"text": "review", "label": "review"}, "task.label: column 'review' is named as a text too"),
    ({"text": ["a", "a"], "label": "b"}, "task.text: column 'a' is named twice"),
    (
        {"text": ["a", "b", "c"], "label": "d"},
        "task.text: expected the name of a column, or a list",
    ),
    ({"text": [], "label": "d"}, "task.text: expected the name of a column, or a list of two"),
    ({"text": "a", "label": ["b", "c"]}, "task.label: expected the name of one column, not"),
    (
        {"text": "a", "label": "b", "labels": ["x"]},
        r"task.labels: expected at least two classes of different names \('x' alone\), not",
    ),
    ({"text": "a", "label": "b", "labels": [1, "1"]}, "task.labels: .*'1' is there twice"),
    ({"text": "a", "label": "b", "labels": "x"}, "task.labels: expected a list"),
    ({"text": "a", "label": "b", "train": None}, "task.train: is missing"),
    ({"text": "a", "label": "b", "train": None, "dev": "d.csv"}, "task.train: is missing"),
    ({"text": "a", "label": "b", "hub": "org/n"}, "task.train: task.hub says where all rows are"),
    ({"text": "a", "label": "b", "data": "d"}, "task.train: task.data says where all rows are"),
    ({"text": "a", "label": "b", "data": "hub", "train": None}, "task.data: your own data on the"),
    ({"name": "sst2", "text": "a", "label": "b"}, "task.text: task 'sst2' has its own columns"),
    ({"name": "sst2", "train": None, "dev": "d.csv"}, "task.dev: needs task.train beside it"),
    ({"name": "sst-2"}, "task.name: unknown 'sst-2'; did you mean 'sst2'"),
    ({"name": "a/b", "text": "a", "label": "b"}, "task.name: expected the name of a task, or of"),
    ({"skip_bad_rows": "yes"}, "task.skip_bad_rows: expected true or false"),
]


@pytest.mark.parametrize(("task", "message"), FAULTS, ids=lambda value: str(value)[:40])
def test_keys_that_do_not_go_together_are_refused(
    write: Write, task: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=f"config.yaml: {message}"):
        load_train_config(write(**task), [])


def test_rows_of_one_class_train_no_classifier(write: Write, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("review,stars\n" + "".join(f"t{i},1\n" for i in range(40)))
    config = load_train_config(write(text="review", label="stars", labels=[1, 2]), [])
    with pytest.raises(UserError, match=r"train.csv: all \d+ rows to train on have the label '1'"):
        rows_of(config)
    with pytest.raises(UserError, match=r"train.csv: all 40 rows have the label '1' in column"):
        with_labels(
            [dataclasses.replace(config, task=dataclasses.replace(config.task, labels=None))]
        )


def test_a_grid_search_sets_rows_of_own_data_aside(write: Write, tmp_path: Path) -> None:
    config = load_train_config(write(text="review", label="stars", labels=["3", "1", "2"]), [])
    config = dataclasses.replace(config, output=str(tmp_path / "runs"))
    folder = _set_aside(dataclasses.replace(config, search=SearchSettings(examples=10)))
    task = candidate_config(config, 0.1, str(folder)).task
    assert (task.train, task.data, task.labels) == (None, str(folder), ("3", "1", "2"))
    whole, left = training_rows(config), load_examples(task.as_task, "train", task.data)
    aside = load_examples(task.as_task, "test", task.data)
    pairs = [{*zip(rows.texts, rows.labels.tolist(), strict=True)} for rows in (whole, left, aside)]
    assert (pairs[0], len(pairs[2])) == (pairs[1] | pairs[2], 10)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("missing.csv", r"missing.csv: no such file; give the train file \(task.train\)"),
        (".", r"a folder; give the train file \(task.train\)"),
    ],
)
def test_a_file_that_is_not_there_is_named(
    write: Write, tmp_path: Path, train: str, message: str
) -> None:
    config = load_train_config(write(text="a", label="b", train=str(tmp_path / train)), [])
    with pytest.raises(UserError, match=message):
        with_labels([config])


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task")
    parser.add_argument("--data")
    add_own_data(parser)
    return parser.parse_args(words)


OWN = ("--data", "d/reviews.csv", "--text", "review", "--label", "stars")


def test_options_describe_a_task() -> None:
    expected = own_task(("review",), "stars", name="reviews")
    assert own_data_of(options(*OWN)) == expected
    assert own_data_of(options()) is None
    labelled = own_data_of(options(*OWN, "--labels", "2.0", "1", "--skip-bad-rows"))
    assert labelled == dataclasses.replace(expected, label_names=("2", "1"), skip_bad_rows=True)
    pairs = own_data_of(options("--data", "d", "--text", "q", "a", "--label", "ok"))
    assert pairs is not None
    assert pairs.text_columns == ("q", "a")
    sst2 = get_task("sst2")
    assert strict_or_not(sst2, options()) == sst2
    assert strict_or_not(sst2, options("--skip-bad-rows")).skip_bad_rows
    assert task_of(options()) is None
    assert task_of(options(*OWN)) == expected
    assert task_of(options("--task", "sst2", "--skip-bad-rows")) == dataclasses.replace(
        sst2, skip_bad_rows=True
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--label", "b"), "--label: is for your own data; name its texts with --text"),
        (("--labels", "b", "c"), "--labels: is for your own data"),
        (("--data", "d", "--text", "a"), "--label: missing; name the column of the classes"),
        (("--text", "a", "--label", "b"), "--data: missing"),
        ((*OWN, "--label", "b"), "--label: given 2 times; name one column"),
        ((*OWN, "--task", "sst2"), "--text: task sst2 has its own columns"),
        ((*OWN, "--labels", "a"), "--labels: 'a' alone"),
        (("--data", "d", "--text", "a", "--label", "a"), "--label: column 'a' is named as a text"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        own_data_of(options(*words))


def test_a_task_goes_to_another_process_whole() -> None:
    own = own_task(("q", "a"), "ok", (False, True), files={"train": "t.csv"}, skip_bad_rows=True)
    for task in (
        get_task("mrpc"),
        own,
        dataclasses.replace(get_task("yelp"), own_files={"dev": "x"}),
    ):
        assert task_of_json(task_to_json(task)) == task
    assert task_to_json(get_task("mrpc")) == '"mrpc"'


@pytest.mark.parametrize(
    "spelt",
    [["yes", "no"], ["on", "off"], ["y", "N"], ["01", "02"], ["1:30", "2"], ["1_0", "0x1f"],
     ["2020-01-01", "<<"], ["1", "-2"], ["1e-4", "0o7"], ["01.5", "1_0.5"], ["true", "false"]],
    ids="-".join,
)  # fmt: skip
def test_classes_that_are_not_quoted_are_spelt_as_in_the_data(
    spelt: list[str], tmp_path: Path
) -> None:
    data = tmp_path / "train.csv"
    data.write_text("review,stars\n" + "".join(f"t{i},{spelt[i % 2]}\n" for i in range(40)))
    path = tmp_path / "config.yaml"
    task = f"{{text: review, label: stars, train: {data}, labels: [{', '.join(spelt)}]}}"
    path.write_text(f"encoder: embedded\ntask: {task}\n")
    config = load_train_config(path, [])
    assert config.task.labels == tuple(spelt)
    assert load_train_config(path, [f"task.labels=[{','.join(spelt)}]"]).task == config.task
    found = load_examples(config.task.as_task, "train")
    assert {
        text: spelt[label] for (text,), label in zip(found.texts, found.labels, strict=True)
    } == {f"t{i}": spelt[i % 2] for i in range(40) if (f"t{i}",) in found.texts}
    (tmp_path / "kept.yaml").write_text(to_yaml(config))
    assert from_yaml(tmp_path / "kept.yaml") == config
