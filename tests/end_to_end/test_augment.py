"""Augmentation before training, and by itself; Apertium's place is taken by a stand-in on PATH."""

import json
import os
import stat
from pathlib import Path

import pytest

from mindflood.cli import main
from tests.conftest import read_lines

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
    assert (told["rows"], told["kept"]) == (ROWS, len(rows)) == (ROWS, round(told["made"] / 2))
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
        (("augmentation.similarity=1.0",), "not one new text was made: left out: "),
    ],
)
def test_a_mistake_is_one_clear_line(write_config, tmp_path, capsys, words, message):
    out = tmp_path / "new.jsonl"
    assert main(["augment", str(write_config(**CHANGES)), *words, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert not out.exists()


def test_a_file_that_is_there_stays(write_config, tmp_path, capsys):
    out = tmp_path / "new.jsonl"
    out.write_text("mine\n")
    assert main(["augment", str(write_config(**CHANGES)), "--out", str(out)]) == 2
    assert f"{out}: exists already; choose another --out" in capsys.readouterr().err
    assert out.read_text() == "mine\n"


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
    ],
)
def test_a_damaged_file_of_new_rows_is_told(tmp_path, line, message):
    from mindflood.data.tasks import get_task
    from mindflood.errors import UserError
    from mindflood.training.augmented_rows import read_new_rows

    path = tmp_path / "augmented.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match=message):
        read_new_rows(path, get_task("corpus"))
