"""Data that changes between one command and the next, and a file by itself, in real commands."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mindflood.data.corpus import builtin_corpus

Mindflood = Callable[..., subprocess.CompletedProcess[str]]


def table(path: Path, split: str, rows: int, flipped: bool = False) -> None:
    texts, labels = builtin_corpus(split)  # type: ignore[arg-type]
    lines = [f'"{texts[i]}",{1 - labels[i] if flipped else labels[i]}' for i in range(rows)]
    path.write_text("\n".join(["text,label", *lines]))


def told(done: subprocess.CompletedProcess[str], status: int = 0) -> str:
    assert done.returncode == status, done.stderr
    return done.stderr


@pytest.mark.slow
def test_a_run_keeps_to_its_rows_from_training_to_attack(
    tmp_path: Path, write_config: Callable[..., Path], mindflood: Mindflood
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for split in ("train", "dev", "test"):
        table(data / f"{split}.csv", split, 48)
    config = write_config(task__name="mr", task__data=str(data), task__train_examples=None)
    run = Path(mindflood("train", str(config)).stdout.strip())
    card = json.loads((run / "card.json").read_text())
    record = json.loads((run / "data.json").read_text())
    assert card["data"]["hashes"] == {part: entry["hash"] for part, entry in record.items()}

    # As a kill before the card leaves it; then the labels are flipped.
    written = (run / "card.json").read_bytes()
    (run / "card.json").unlink()
    table(data / "train.csv", "train", 48, flipped=True)
    refused = told(mindflood("train", str(config)), 2)
    assert "data.json: the run began with other train rows: 48 rows of split train" in refused
    assert not (run / "card.json").exists()
    table(data / "train.csv", "train", 48)
    told(mindflood("train", str(config)))
    again = json.loads((run / "card.json").read_text())
    assert again["data"] == card["data"]
    assert again["clean_accuracy"] == json.loads(written)["clean_accuracy"]

    told(mindflood("export", str(run), str(run / "model")))
    words = ["attack", str(run), "--task", "mr", "--recipe", "textfooler", "--data", str(data)]
    words += ["--num-examples", "2", "--max-queries", "5"]
    table(data / "test.csv", "test", 40)
    refused = told(mindflood(*words, "--out", str(run / "attacks")), 2)
    assert "the model was tested on 48 rows of split test" in refused
    assert "choose another --out" in refused
    assert json.loads((run / "card.json").read_text())["attacks"] == {}
    said = told(mindflood(*words, "--out", str(tmp_path / "elsewhere")))
    assert "attacking 2 of 40 rows of split test" in said
    elsewhere = json.loads((tmp_path / "elsewhere" / "card.json").read_text())
    assert elsewhere["data"]["test"] == 40


@pytest.mark.slow
def test_a_lone_file_is_divided_for_training_and_attacked_whole_by_others(
    tmp_path: Path, write_config: Callable[..., Path], mindflood: Mindflood
) -> None:
    table(tmp_path / "reviews.csv", "train", 96)
    table(tmp_path / "others.csv", "test", 12)
    file = str(tmp_path / "reviews.csv")
    config = write_config(task__name="mr", task__data=file, task__train_examples=None)
    done = mindflood("train", str(config))
    assert told(done).count(f"96 rows of {file}: ") == 1
    run = Path(done.stdout.strip())
    sizes = json.loads((run / "card.json").read_text())["data"]
    told(mindflood("export", str(run), str(run / "model")))
    words = ["attack", str(run), "--task", "mr", "--recipe", "textfooler", "--max-queries", "3"]
    said = told(mindflood(*words, "--data", file, "--out", str(run / "attacks")))
    assert f"attacking all {sizes['test']} rows of split test, 96 rows of {file}: " in said
    others = [*words, "--data", str(tmp_path / "others.csv")]
    said = told(mindflood(*others, "--out", str(tmp_path / "out")))
    assert f"attacking all 12 rows of {tmp_path / 'others.csv'}" in said
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["attacks"]["textfooler-offline"]["num_examples"] == 12
