"""What the labels of a source mean, whichever rows are missing: the right reading or a refusal."""

import contextlib
import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.data.hub import _class_names
from mindflood.data.labels import Labelled, is_label, label_values
from mindflood.data.rows import Row
from mindflood.data.sources import load_examples
from mindflood.data.tasks import TASKS, Task, get_task
from mindflood.errors import UserError

AG, SST2 = get_task("ag_news"), get_task("sst2")
ANY_TASK = st.sampled_from([TASKS[name] for name in ("sst2", "ag_news", "yelp", "mrpc", "qnli")])


def part(origin: str, *labels: str) -> Labelled:
    return Labelled(origin, [Row(n, ("a",), label) for n, label in enumerate(labels, start=2)])


def spelled(task: Task, label: int, way: str) -> str:
    if way == "names":
        return task.label_names[label]
    if way == "own names":
        return f"class_{'abcd'[label]}"
    first, decimals = way.split(":")
    return f"{label + int(first)}{decimals}"


# Counting from 1 is no reading of a task whose table counts from 0: there it has to be refused.
WAYS = ("names", "own names", "0:", "1:", "0:.0", "1:.0")


@given(
    task=ANY_TASK,
    way=st.sampled_from(WAYS),
    classes=st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=3),
    wanted=st.integers(0, 2),
)
def test_whatever_rows_are_missing_labels_are_right_or_refused(
    task: Task, way: str, classes: list[list[int]], wanted: int
) -> None:
    parts = [[label % task.num_labels for label in labels] for labels in classes]
    there = {label for labels in parts for label in labels}
    if way.startswith("1:") and not task.first_label and task.num_labels - 1 not in there:
        return  # the table says that these numbers count from 0
    sources = [
        part(f"{number}.csv", *(spelled(task, label, way) for label in labels))
        for number, labels in enumerate(parts)
    ]
    chosen = sources.pop(wanted % len(sources))
    truth = parts[wanted % len(parts)]
    own = [f"class_{'abcd'[label]}" for label in range(task.num_labels)]
    clear = {
        "n": True,
        "o": True,
        "0": task.first_label == 0 or 0 in there,
        "1": task.first_label == 1 and task.num_labels - 1 in there,
    }
    values = None
    with contextlib.suppress(UserError):
        values = label_values(task, chosen, sources, own)
    assert values is not None or not clear[way[0]]
    assert values is None or [values[row.label] for row in chosen.rows] == truth


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_test_file_that_lacks_a_class_is_read_as_its_folder_counts(
    tmp_path: Path, first: int, kind: str
) -> None:
    def write(name: str, classes: range) -> None:
        rows = [(f"{name} {c} {n}", c + first) for c, n in product(classes, range(3))]
        if kind == "csv":
            lines = ["text,label", *(f"{text},{label}" for text, label in rows)]
        else:
            lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        (tmp_path / f"{name}.{kind}").write_text("\n".join(lines))

    write("train", range(4))
    write("test", range(1, 3))
    for data in (tmp_path, tmp_path / f"train.{kind}"):
        found = load_examples(AG, "train", str(data))
        for (text,), label in zip(found.texts, found.labels, strict=True):
            assert text.split()[1] == str(label)
    assert load_examples(AG, "test", str(tmp_path)).labels.tolist() == [1] * 3 + [2] * 3
    with pytest.raises(UserError, match=r"may count from 0 .* or from 1 .*write names"):
        load_examples(AG, "test", str(tmp_path / f"test.{kind}"))


def test_a_lone_file_is_judged_as_a_whole_whatever_part_of_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "news.csv"
    rows = "".join(f"row {n},{1 + n % 3}\n" for n in range(300))  # of class 0 there is one row
    file.write_text(f"text,label\n{rows}the only one,0\n")
    for split in ("train", "dev", "test"):
        found = load_examples(AG, split, str(file))
        for (text,), label in zip(found.texts, found.labels, strict=True):
            expected = 0 if text == "the only one" else 1 + int(text.split()[1]) % 3
            assert label == expected


def test_an_open_reading_names_both_and_what_to_do() -> None:
    with pytest.raises(UserError) as caught:
        label_values(AG, part("test.csv", "1", "2", "3"), [part("train.csv", "2")])
    assert str(caught.value) == (
        "test.csv, row 2: the labels may count from 0 (1 = Sports, 2 = Business, 3 = Sci/Tech) or "
        "from 1 (1 = World, 2 = Sports, 3 = Business): no row has 0 or 4, which would tell; write "
        "names in place of the numbers (World, Sports, Business, Sci/Tech), or give a folder in "
        "whose files every class occurs"
    )


def test_a_split_of_one_class_is_told_by_the_others_or_refused() -> None:
    yelp = get_task("yelp")
    assert label_values(yelp, part("test", "1"), [part("train", "0", "1")]) == {"1": 1}
    assert label_values(yelp, part("test", "1"), [part("train", "1", "2")]) == {"1": 0}
    with pytest.raises(UserError, match=r"from 0 \(1 = positive\) or from 1 \(1 = negative\)"):
        label_values(yelp, part("test", "1"), [part("train", "1")])
    assert label_values(SST2, part("test", "1")) == {"1": 1}  # its table counts from 0 only
    with pytest.raises(UserError, match=r"train, row 3: label '2' is not one of task sst2's"):
        label_values(SST2, part("test", "1"), [part("train", "1", "2")])


def test_parts_that_count_differently_are_refused_with_a_row_of_each() -> None:
    with pytest.raises(UserError, match=r"a\.csv, row 3: label 4, and b\.csv, row 2: label 0: .*"):
        label_values(AG, part("a.csv", "1", "4"), [part("b.csv", "0", "1")])


def test_a_models_own_names_are_labels_and_where_numbers_tell_the_count() -> None:
    own = ["NEG", "POS"]
    assert label_values(SST2, part("f", "pos", "NEG"), own_names=own) == {"pos": 1, "NEG": 0}
    with pytest.raises(UserError, match="label 'pos' is not one of"):
        label_values(SST2, part("f", "pos"), own_names=["a", "b", "pos"])  # of other classes
    with pytest.raises(UserError, match="label 'pos' is not one of"):
        label_values(SST2, part("f", "pos"), own_names=["pos", "POS"])
    swapped = ["positive", "negative"]
    assert label_values(SST2, part("f", "negative"), own_names=swapped) == {"negative": 0}
    some = part("f", "1", "2")
    assert label_values(AG, some, own_names=["0", "1", "2", "3"]) == {"1": 1, "2": 2}
    assert label_values(AG, some, own_names=["1", "2", "3", "4"]) == {"1": 0, "2": 1}
    all_four = part("f", "1", "4")
    assert label_values(AG, all_four, own_names=["0", "1", "2", "3"]) == {"1": 0, "4": 3}
    for own in (["3", "2", "1", "0"], [f"LABEL_{label}" for label in range(4)]):
        with pytest.raises(UserError, match="may count from 0"):
            label_values(AG, some, own_names=own)


@pytest.mark.parametrize(
    "label", ["", " ", "-1", "+1", "01", "1.5", "1e0", "9" * 5000, "١", "²", "nan", "None", "true"]
)
def test_what_is_no_label_is_refused_with_its_row(label: str) -> None:
    with pytest.raises(UserError, match=r"f\.csv, row 3: label '.*' is not one of task sst2's: 0 "):
        label_values(SST2, part("f.csv", "1", label))


def test_a_hidden_label_of_another_part_is_no_evidence() -> None:
    assert label_values(SST2, part("dev", "1"), [part("test", "-1", "?")]) == {"1": 1}


def test_what_reads_as_a_label() -> None:
    assert all(is_label(cell, AG) for cell in ("3", " -1 ", "2.0", "sci/tech", "World", "99999"))
    assert not any(is_label(cell, AG) for cell in ("", "label", "Class Index", "1 star"))
    assert is_label("good", AG, ["good"])


class Feature:
    def __init__(self, *names: str) -> None:
        self.names = names


def test_a_data_set_of_the_hub_says_what_its_numbers_mean() -> None:
    assert _class_names(SST2, Feature("pos", "neg")) == ("positive", "negative")
    assert _class_names(get_task("yelp"), Feature("1", "2")) == ("negative", "positive")
    assert _class_names(AG, object()) == AG.label_names
