"""Flooding-X end to end on a tiny network: probe, level, flooded training, resume."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mindflood.flooding import choose_flood_level
from mindflood.training.state import checkpoints
from tests.conftest import read_lines, weights_of

PROBED = {"training__epochs": 3, "accordance__sub_epochs": 2, "accordance__batches": 3}


def card_of(run: Path) -> dict:
    return json.loads((run / "card.json").read_text())


def losses_of(run: Path) -> list[float]:
    return [line["loss"] for line in read_lines(run / "trace.jsonl")]


def test_two_passes_find_the_level_and_flood_at_it(write_config, mindflood, tmp_path):
    plain = write_config("plain.yaml", **PROBED)
    assert mindflood("train", plain).returncode == 0
    done = mindflood("train", write_config(method="flooding-x", **PROBED))
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "flooding-x-seed0"
    trace = read_lines(run / "accordance.jsonl")
    assert [line["step"] for line in trace] == [3, 6, 9, 12, 15, 18]
    losses = losses_of(run / "search" / "probe-seed0")
    for line in trace:
        assert line["train_loss"] == pytest.approx(np.mean(losses[line["step"] - 3 : line["step"]]))
    # The probe leaves the weights and the random state alone.
    assert losses == losses_of(tmp_path / "runs" / "finetune-seed0")
    found = choose_flood_level(trace)
    card = card_of(run)
    assert card["flood_level"] == found.level
    assert card["flood_level_source"] == found.source
    assert card["accordance"]["rule"] == found.rule
    flooding = [line["flooding"] for line in read_lines(run / "trace.jsonl")]
    assert flooding == [loss < found.level for loss in losses_of(run)]


@pytest.mark.slow
def test_online_floods_from_the_crossing_on_and_resumes(write_config, mindflood, tmp_path):
    # Few rows and a high rate: the network learns them by heart, and the accordance rises past 0.
    online = {
        "method": "flooding-x-online",
        "task__train_examples": 48,
        "training__epochs": 14,
        "training__batch_size": 8,
        "training__learning_rate": 3e-3,
        "training__checkpoint_every": 2,
        "accordance__batches": 3,
        "accordance__persistence": 1,
    }
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **online)
    done = mindflood("train", whole)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "whole" / "flooding-x-online-seed0"
    card = card_of(run)
    assert card["flood_level_source"] == "accordance", card["accordance"]
    found = choose_flood_level(read_lines(run / "accordance.jsonl"), persistence=1)
    assert card["flood_level"] == found.level
    _, last = checkpoints(run / "checkpoints")[-1]
    assert weights_of(last)["flood_level"] == np.float32(found.level)

    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **online)
    again = tmp_path / "killed" / "flooding-x-online-seed0"
    process = subprocess.Popen(
        [sys.executable, "-m", "mindflood", "train", str(killed)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    trace = again / "trace.jsonl"
    while not (trace.exists() and trace.read_text().count("\n") >= 45):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    ours = weights_of(checkpoints(again / "checkpoints")[-1][1])
    theirs = weights_of(last)
    assert [name for name in ours if not np.array_equal(ours[name], theirs[name])] == []
    accordances = [
        [line["accordance"] for line in read_lines(folder / "accordance.jsonl")]
        for folder in (run, again)
    ]
    assert accordances[0] == accordances[1]
