"""Augmentation before training, and by itself; Apertium's place is taken by a stand-in on PATH."""

import json
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from mindflood.cli import main
from tests.conftest import read_lines
from tests.unit.attack_models import save_masked_lm

# Changes the words that end in "s", and gives every text back in its place.
PROGRAM = """#!/usr/bin/env python3
import sys
if sys.argv[1:] == ["-l"]:
    print("eng-spa spa-eng")
else:
    text = sys.stdin.read()
    sys.stdout.write(text.replace("s ", "z ") if sys.argv[2] == "eng-spa" else text)
"""
ROWS = 48


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bin" / "apertium"
    path.parent.mkdir()
    path.write_text(PROGRAM)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


CHANGES = {
    "augment": "back-translation",
    "augmentation": {"similarity": 0.0, "share": 0.5},
    "task__train_examples": ROWS,
    "training__epochs": 1,
}


@pytest.mark.slow
@pytest.mark.usefixtures("program")
def test_a_run_trains_on_the_new_rows_too(write_config, mindflood, tmp_path):
    config = write_config(**CHANGES)
    alone = tmp_path / "alone.jsonl"
    done = mindflood("augment", config, "--out", alone)
    assert done.returncode == 0, done.stderr
    rows, told = read_lines(alone), json.loads((tmp_path / "alone.meta.json").read_text())
    assert f"{alone}: {len(rows)} new rows of {ROWS} in " in done.stdout
    assert (told["rows"], told["kept"]) == (ROWS, len(rows)) == (ROWS, math.ceil(told["made"] / 2))
    assert all("z " in row["text"] and row["label"] in ("negative", "positive") for row in rows)

    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "finetune-seed0"
    assert (run / "augmented.jsonl").read_text() == alone.read_text()
    card = json.loads((run / "card.json").read_text())
    assert card["method"] == "finetune+back-translation"
    assert card["data"]["train"] == ROWS + len(rows)
    assert card["settings"]["augmentation.share"] == 0.5
    (run / "card.json").unlink()
    whole = (run / "augmented.jsonl").read_text()
    (run / "augmented.jsonl").write_text(whole[: whole.rindex("\n", 0, -1) + 1])
    again = mindflood("train", config)
    assert again.returncode == 2
    assert f"augmented.jsonl: {len(rows) - 1} rows, and augmented.meta.json tells" in again.stderr
    (run / "augmented.jsonl").write_text(whole)
    (run / "augmented.meta.json").write_text(json.dumps(told | {"examples": "other"}))
    again = mindflood("train", config)
    assert again.returncode == 2
    assert "augmented.jsonl: was made of other training rows" in again.stderr


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("augment=null",), "augment: is null; give augment=ssmba or augment=back-translation"),
        (("augment=ssbma",), "augment: unknown 'ssbma'; did you mean 'ssmba'"),
        (("augmentation.share=0",), "augmentation.share: expected above 0 and at most 1, not 0"),
        (("augmentation.pivots=[fra]",), "no translator eng-fra; install Debian's"),
        (("task.name=pos",), "augment: copies the label of a text, and task 'pos' is"),
        (
            ("augment=ssmba", "augmentation.masked_lm=nowhere"),
            "augmentation.masked_lm: nowhere: no such folder; make one with 'mindflood masked-lm",
        ),
        (("augmentation.similarity=1.0",), "not one new text was made: left out: "),
    ],
)
def test_a_mistake_is_one_clear_line(write_config, tmp_path, capsys, words, message):
    out = tmp_path / "new.jsonl"
    assert main(["augment", str(write_config(**CHANGES)), *words, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert not out.exists()


@pytest.mark.parametrize("name", ["new.jsonl", "new.meta.json"])
def test_a_file_that_is_there_stays(write_config, tmp_path, capsys, name):
    there = tmp_path / name
    there.write_text("mine\n")
    out = tmp_path / "new.jsonl"
    assert main(["augment", str(write_config(**CHANGES)), "--out", str(out)]) == 2
    assert f"{there}: exists already; choose another --out" in capsys.readouterr().err
    assert there.read_text() == "mine\n"
    assert [path.name for path in tmp_path.glob("new.*")] == [name]


def test_without_apertium_nothing_is_begun(write_config, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["train", str(write_config(**CHANGES))]) == 2
    assert "the program apertium is not there; install Debian's" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"text": "good"}, "line 1: expected texts under text and one of negative, positive"),
        ({"text": 3, "label": "positive"}, "line 1: expected texts under text"),
        ({"text": "good", "label": "fine"}, "line 1: expected texts under text"),
        ({"text": "good", "label": "positive"}, "line 1: expected a training row, 0 to 8, under"),
        ({"text": "good", "label": "positive", "row": 9}, "line 1: expected a training row"),
        ({"text": "good", "label": "positive", "row": True}, "line 1: expected a training row"),
    ],
)
def test_a_damaged_file_of_new_rows_is_told(tmp_path, line, message):
    from mindflood.data.tasks import get_task
    from mindflood.errors import UserError
    from mindflood.training.augmented_rows import read_new_rows

    path = tmp_path / "augmented.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match=message):
        read_new_rows(path, get_task("corpus"), 9)


def test_numbers_are_copied_as_numbers(tmp_path):
    from mindflood.augment.make import _line
    from mindflood.data.sources import Examples
    from mindflood.data.tasks import get_task
    from mindflood.errors import UserError
    from mindflood.training.augmented_rows import read_new_rows

    task = get_task("stsb")
    examples = Examples((("a film", "a plot"), ("a cat", "a dog")), np.array([0.8, 4.2]))
    path = tmp_path / "augmented.jsonl"
    path.write_text(_line(task, examples, 1, "a hound") + _line(task, examples, 0, "a story"))
    found, made_of = read_new_rows(path, task, 2)
    assert found.texts == (("a cat", "a hound"), ("a film", "a story"))
    assert found.labels.tolist() == [4.2, 0.8]
    assert made_of.tolist() == [1, 0]
    line = json.loads(path.read_text().splitlines()[0])
    for wrong in ("4.2", float("nan"), True, None):
        path.write_text(json.dumps(line | {"score": wrong}) + "\n")
        with pytest.raises(
            UserError, match=r"line 1: expected texts under .* a number under score"
        ):
            read_new_rows(path, task, 2)


@pytest.mark.usefixtures("program")
def test_what_was_made_of_a_row_is_held_out_with_it(write_config):
    """AdaFlood: no auxiliary model gives a level to a row of which it has seen a paraphrase."""
    from mindflood.config.load import load_train_config
    from mindflood.training.adaflood import _folds
    from mindflood.training.dataset import rows_of
    from mindflood.training.run_folder import claim

    config = load_train_config(write_config(**CHANGES), ["method=adaflood", "adaflood.folds=3"])
    claim(config.run_folder, config)
    rows = rows_of(config)
    folds, made_of = _folds(config, rows), rows.made_of
    assert len(rows.train) == len(folds) > ROWS
    assert made_of[:ROWS].tolist() == list(range(ROWS))
    for row in range(ROWS, len(folds)):
        assert rows.train.labels[row] == rows.train.labels[made_of[row]]
        assert rows.train.texts[row][0].replace("z ", "s ") == rows.train.texts[made_of[row]][0]
        assert folds[row] == folds[made_of[row]]
    assert set(folds.tolist()) == {0, 1, 2}


@pytest.mark.slow
def test_ssmba_makes_the_second_text_of_a_pair_anew(tmp_path, mindflood, write_config):
    save_masked_lm(tmp_path / "masked-lm")
    lines = [
        {"sentence1": f"the film is {a}", "sentence2": f"the plot is not very {b} .", "label": 1}
        for a in ("good", "bad", "dull", "warm") for b in ("long", "short", "good", "bad")
    ]  # fmt: skip
    for split in ("train", "dev", "test"):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{split}.jsonl").write_text(text)
    config = write_config(
        task__name="mrpc", task__data=str(tmp_path), task__train_examples=None, augment="ssmba",
        augmentation={"masked_lm": str(tmp_path / "masked-lm"), "samples": 2, "corruption": 0.5},
        training__epochs=1,
    )  # fmt: skip
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "finetune-seed0"
    rows = read_lines(run / "augmented.jsonl")
    assert len(rows) > len(lines)
    made = {row: [line for line in rows if line["row"] == row] for row in range(len(lines))}
    for row, found in made.items():
        assert len(found) <= 2
        for line in found:
            assert line["sentence1"] == lines[row]["sentence1"]
            assert line["sentence2"] != lines[row]["sentence2"]
            assert line["label"] == "equivalent"
    told = json.loads((run / "augmented.meta.json").read_text())
    assert told["kept"] == len(rows)
    assert set(told["left_out"]) == {"too_short", "too_long", "nothing_new"}
    assert json.loads((run / "card.json").read_text())["data"]["train"] == len(lines) + len(rows)


@pytest.mark.slow
@pytest.mark.usefixtures("program")
def test_the_first_pass_has_the_same_new_rows(write_config, mindflood, tmp_path):
    """They are made once, as a translator that samples makes others the second time."""
    changes = CHANGES | {"method": "flooding-x", "training__epochs": 4}
    done = mindflood("train", write_config(**changes))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("making new rows of") == 1
    run = tmp_path / "runs" / "flooding-x-seed0"
    for name in ("augmented.jsonl", "augmented.meta.json"):
        (below,) = run.glob(f"search/*/{name}")
        assert below.read_text() == (run / name).read_text()
