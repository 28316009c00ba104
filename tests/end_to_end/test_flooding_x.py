"""Flooding-X end to end on a tiny network: probe, level, flooded training, resume."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mindflood.cards.cards import new_card, write_card
from mindflood.cli import main
from mindflood.config.load import load_train_config
from mindflood.config.settings import Config
from mindflood.flooding import choose_flood_level
from mindflood.training.probe_pass import probe_config
from mindflood.training.run_folder import claim
from mindflood.training.state import checkpoints
from tests.conftest import read_lines, weights_of
from tests.end_to_end.test_train import assert_identical, kill_when, start

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
    share = card["accordance"]["share_of_training"]
    assert f"probed in {card['accordance']['probe_seconds']:.1f} s, {share:.1%} of" in done.stderr
    spent = sum(line["evaluation_seconds"] for line in trace)
    assert card["accordance"]["evaluation_seconds"] == pytest.approx(spent)
    # An epoch's end is also a sub-epoch's: one evaluation serves both.
    evaluations = read_lines(run / "search" / "probe-seed0" / "evaluations.jsonl")
    assert [line["eval_loss"] for line in trace[1::2]] == [e["eval_loss"] for e in evaluations]
    flooding = [line["flooding"] for line in read_lines(run / "trace.jsonl")]
    assert flooding == [loss < found.level for loss in losses_of(run)]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["freelb", "freeat", "tavat", "infobert"])
def test_a_defence_floods_at_the_level_of_its_own_first_pass(
    write_config, mindflood, tmp_path, method
):
    changes = PROBED | {"method": method, "defence__steps": 2}
    plain = write_config("plain.yaml", output=str(tmp_path / "plain"), **changes)
    assert mindflood("train", plain).returncode == 0
    done = mindflood("train", write_config(flood_level="flooding-x", **changes))
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / f"{method}-seed0"
    # The first pass is the defence without flooding; its own J gives the level.
    losses = losses_of(run / "search" / "probe-seed0")
    assert losses == losses_of(tmp_path / "plain" / f"{method}-seed0")
    found = choose_flood_level(read_lines(run / "accordance.jsonl"))
    card = card_of(run)
    assert (card["flood_level"], card["flood_level_source"]) == (found.level, found.source)
    flooding = [line["flooding"] for line in read_lines(run / "trace.jsonl")]
    assert flooding == [loss < found.level for loss in losses_of(run)]


# What a kill right after the card leaves is what a run leaves whose card was written.
KILLED_AT_THE_CARD = """
import os, signal, sys
from mindflood.cli import main
from mindflood.training import loop

write = loop.write_card
def write_and_die(path, card):
    write(path, card)
    if path.parent.name != "probe-seed0":
        os.kill(os.getpid(), signal.SIGKILL)
loop.write_card = write_and_die
main(["train", sys.argv[1]])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "part"), [("flooding-x", "accordance"), ("flooding-search", "search")]
)
def test_a_kill_at_the_card_loses_no_part_of_it(write_config, mindflood, tmp_path, method, part):
    probed = {"training__epochs": 2, "accordance__batches": 3}
    path = write_config(method=method, **probed)
    config = load_train_config(path, [])
    if method == "flooding-search":  # its candidates are done
        claim(config.run_folder, config)
        outcome = {"flood_level": 0.5, "choose_on": "held-out", "candidates": []}
        (config.run_folder / "search.json").write_text(json.dumps(outcome))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT_THE_CARD, str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = mindflood("train", path)
    assert finished.returncode == 0, finished.stderr
    card = card_of(config.run_folder)
    assert card[part]["level" if part == "accordance" else "flood_level"] == card["flood_level"]


def write_probe_pass(config: Config, trace: list[str]) -> Path:
    """The files of a finished first pass of 2 epochs of 6 steps; its trace."""
    claim(config.run_folder, config)
    probe = probe_config(config)
    claim(probe.run_folder, probe)
    card = new_card(task="corpus", method="finetune", seed=0, encoder="x")
    card["accordance"] = {"steps_per_epoch": 6}
    write_card(probe.run_folder / "card.json", card)
    path = probe.run_folder / "accordance.jsonl"
    path.write_text("".join(line + "\n" for line in trace))
    return path


TRACE = [
    json.dumps({"step": step, "epoch": step / 6, "accordance": -0.4, "train_loss": 0.6})
    for step in (3, 6, 9, 12)
]


@pytest.mark.parametrize(
    ("trace", "line", "message"),
    [
        ([TRACE[0], TRACE[1].replace("-0.4", "NaN"), *TRACE[2:]], 2, "NaN, expected finite"),
        ([TRACE[0], *TRACE[2:]], 2, "step 9, expected the sub-epoch that ends at step 6"),
        (TRACE[1:], 1, "step 6, expected the sub-epoch that ends at step 3"),
        (TRACE[:3], 4, "no line, expected the sub-epoch that ends at step 12"),
        ([*TRACE[:3], "{" + TRACE[3]], 4, "not JSON"),
        ([*TRACE[:3], TRACE[3].replace("0.6", "null")], 4, "train_loss: None"),
        ([], 1, "no line, expected the sub-epoch that ends at step 3"),
    ],
    ids=["NaN", "gap", "no first", "no last", "not JSON", "no loss", "empty"],
)
def test_a_damaged_trace_is_named(write_config, tmp_path, capsys, trace, line, message):
    path = write_config(method="flooding-x")
    config = load_train_config(path, [])
    damaged = write_probe_pass(config, trace)
    assert main(["train", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    (error,) = [line for line in lines if line.startswith("mindflood: error")]
    assert f"{damaged}, line {line}: " in error
    assert message in error
    assert not (config.run_folder / "card.json").exists()
    assert not (config.run_folder / "checkpoints").exists()


@pytest.mark.slow
def test_a_first_pass_that_is_killed_continues(write_config, mindflood, tmp_path):
    changes = PROBED | {"method": "flooding-x", "training__checkpoint_every": 2}
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **changes)
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **changes)
    done = mindflood("train", whole)
    assert done.returncode == 0, done.stderr
    runs = [tmp_path / name / "flooding-x-seed0" for name in ("whole", "killed")]
    trace = runs[1] / "search" / "probe-seed0" / "trace.jsonl"
    kill_when(start(killed), lambda: has_lines(trace, 9))
    assert not (runs[1] / "checkpoints").exists()
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    assert_identical(*(run / "search" / "probe-seed0" for run in runs))
    assert_identical(*runs)
    assert accordances_of(runs[0]) == accordances_of(runs[1])
    assert card_of(runs[0])["flood_level"] == card_of(runs[1])["flood_level"]


@pytest.mark.slow
def test_the_probe_sees_the_same_in_float16_and_of_micro_batches(write_config, mindflood, tmp_path):
    """After the same few steps, to what the precision of the weights allows."""
    common = {"accordance__record": True, "accordance__batches": 3, "training__epochs": 1}
    ways = {
        "plain": {},
        "float16": {"training__precision": "float16"},
        "accumulated": {"training__accumulation_steps": 2},
    }
    found = {}
    for name, changes in ways.items():
        path = write_config(f"{name}.yaml", output=str(tmp_path / name), **common, **changes)
        done = mindflood("train", path)
        assert done.returncode == 0, done.stderr
        found[name] = accordances_of(tmp_path / name / "finetune-seed0")
    assert len(found["plain"]) == 2
    np.testing.assert_allclose(found["accumulated"], found["plain"], atol=1e-3)
    np.testing.assert_allclose(found["float16"], found["plain"], atol=2e-2)


def has_lines(trace: Path, count: int) -> bool:
    return trace.exists() and trace.read_text().count("\n") >= count


def accordances_of(run: Path) -> list[float]:
    return [line["accordance"] for line in read_lines(run / "accordance.jsonl")]


# Few rows and a high rate: the network learns them by heart, and the accordance rises past 0.
ONLINE = {
    "method": "flooding-x-online",
    "task__train_examples": 48,
    "training__epochs": 14,
    "training__batch_size": 8,
    "training__learning_rate": 3e-3,
    "training__checkpoint_every": 2,
    "accordance__batches": 3,
    "accordance__persistence": 1,
}


@pytest.fixture
def online(write_config, mindflood, tmp_path) -> Path:
    """The RUN folder of a whole one-pass run, which has crossed."""
    path = write_config("whole.yaml", output=str(tmp_path / "whole"), **ONLINE)
    done = mindflood("train", path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "whole" / "flooding-x-online-seed0"
    assert card_of(run)["flood_level_source"] == "accordance", card_of(run)["accordance"]
    return run


def confirmed_at(run: Path) -> int:
    """The step whose probe confirmed the crossing, with ``persistence`` 1 the next sub-epoch's."""
    steps = [line["step"] for line in read_lines(run / "accordance.jsonl")]
    return next(step for step in steps if step > card_of(run)["accordance"]["step"])


def test_online_floods_from_the_confirmed_crossing_on(online):
    found = choose_flood_level(read_lines(online / "accordance.jsonl"), persistence=1)
    assert card_of(online)["flood_level"] == found.level
    _, last = checkpoints(online / "checkpoints")[-1]
    assert weights_of(last)["flood_level"] == np.float32(found.level)
    trace = read_lines(online / "trace.jsonl")
    before = [line for line in trace if line["step"] <= confirmed_at(online)]
    after = trace[len(before) :]
    assert any(line["loss"] < found.level for line in before)
    assert not any(line["flooding"] for line in before)
    assert any(line["flooding"] for line in after)
    for line in after:
        assert line["flooding"] == (line["loss"] < found.level)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [-6, 4], ids=["before-the-crossing", "after-the-crossing"])
def test_online_resumes(write_config, mindflood, tmp_path, online, lines):
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **ONLINE)
    again = tmp_path / "killed" / "flooding-x-online-seed0"
    kill_when(start(killed), lambda: has_lines(again / "trace.jsonl", confirmed_at(online) + lines))
    step, at_kill = checkpoints(again / "checkpoints")[-1]
    assert (step < confirmed_at(online)) == (lines < 0)
    assert np.isfinite(weights_of(at_kill)["flood_level"]) == (lines > 0)
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    assert_identical(online, again)
    assert accordances_of(online) == accordances_of(again)
