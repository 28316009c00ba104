"""``mindflood train`` as a user runs it: the RUN folder, resuming, stopping by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mindflood.training.state import checkpoints
from tests.conftest import read_lines, weights_of


def final_weights(run: Path) -> dict[str, np.ndarray]:
    return weights_of(checkpoints(run / "checkpoints")[-1][1])


def assert_identical(first: Path, second: Path) -> None:
    ours, theirs = final_weights(first), final_weights(second)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not np.array_equal(ours[name], theirs[name])]
    assert different == []


def test_a_run_folder_holds_what_the_contract_says(write_config, mindflood, tmp_path):
    config = write_config(method="flooding", flood_level=0.68)
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "flooding-seed0"
    assert done.stdout.strip() == str(run)
    trace = read_lines(run / "trace.jsonl")
    assert [line["step"] for line in trace] == list(range(1, 13))
    assert all(line["flooding"] == (line["loss"] < 0.68) for line in trace)
    assert {line["flooding"] for line in trace} == {True, False}
    assert trace[0]["learning_rate"] == 0.0
    assert trace[-1]["epoch"] == 2.0
    evaluations = read_lines(run / "evaluations.jsonl")
    assert [line["epoch"] for line in evaluations] == [1.0, 2.0]
    card = json.loads((run / "card.json").read_text())
    assert card["flood_level"] == 0.68
    assert card["flood_level_source"] == "fixed"
    assert all("training rows" not in warning for warning in card.get("warnings", ()))
    assert 0 <= card["clean_accuracy"] <= 1
    assert not list((run / "checkpoints").glob(".*"))
    again = mindflood("train", config)
    assert again.returncode == 0
    other = mindflood("train", config, "training.epochs=3")
    assert other.returncode == 2
    assert "training.epochs 2, not 3" in other.stderr


def start(config: Path, *overrides: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "mindflood", "train", str(config), *overrides]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_when(process: subprocess.Popen, condition, seconds: float = 240.0) -> None:
    """SIGKILL as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_run_ends_with_the_same_weights(write_config, mindflood, tmp_path):
    changes = {"training__checkpoint_every": 3, "method": "flooding", "flood_level": 0.69}
    changes["training__buckets"] = [8, 12, 32]  # batches of several lengths, as they come
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **changes)
    assert mindflood("train", whole).returncode == 0
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **changes)
    run = tmp_path / "killed" / "flooding-seed0"
    trace = run / "trace.jsonl"
    process = start(killed)
    kill_when(process, lambda: trace.exists() and trace.read_text().count("\n") >= 5)
    process = start(killed)  # the next one is shot in the middle of writing a checkpoint
    kill_when(process, lambda: any((run / "checkpoints").glob(".*.part/*")))
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    reference = tmp_path / "whole" / "flooding-seed0"
    assert_identical(run, reference)
    assert [line["loss"] for line in read_lines(trace)] == [
        line["loss"] for line in read_lines(reference / "trace.jsonl")
    ]


@pytest.mark.slow
def test_a_killed_run_keeps_the_weights_of_every_epoch(write_config, mindflood, tmp_path):
    changes = {"training__keep_epochs": True, "training__epochs": 3}
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **changes)
    assert mindflood("train", whole).returncode == 0
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **changes)
    run, reference = (tmp_path / name / "finetune-seed0" for name in ("killed", "whole"))
    kill_when(start(killed), lambda: (run / "epochs" / "1" / "weights.ckpt").exists())
    kill_when(start(killed), lambda: any((run / "epochs" / "2").glob(".*.part")))
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    for epoch in (1, 2, 3):
        ours, theirs = (folder / "epochs" / str(epoch) for folder in (run, reference))
        assert [path.name for path in ours.iterdir()] == ["weights.ckpt"]
        kept, expected = weights_of(ours / "weights.ckpt"), weights_of(theirs / "weights.ckpt")
        assert kept.keys() == expected.keys()
        assert all(np.array_equal(kept[name], expected[name]) for name in kept)
    final = final_weights(run)
    assert all(np.array_equal(kept[name], final[name]) for name in kept)
    assert not any("moment" in name for name in kept)


def test_a_model_of_one_class_is_told_at_the_start_and_on_the_card(
    write_config, mindflood, tmp_path
):
    data = tmp_path / "data"
    data.mkdir()
    rows = {"train": ["good\t1"] * 32, "dev": ["good\t1", "bad\t0", "fine\t1", "poor\t0"]}
    for split, lines in rows.items():
        (data / f"{split}.tsv").write_text("\n".join(["sentence\tlabel", *lines, ""]))
    config = write_config(
        task__name="sst2", task__data=str(data), task__train_examples=None, training__epochs=6,
        training__learning_rate=1e-2,
    )  # fmt: skip
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "finetune-seed0"
    warnings = [
        "training rows: all 32 rows have the label 'positive'",
        "dev rows: the model answers 'positive' to every row",
    ]
    assert json.loads((run / "card.json").read_text())["warnings"] == warnings
    said = [line for line in done.stderr.splitlines() if "warning" in line]
    assert said == [f"mindflood: warning: {run}: {warning}" for warning in warnings]


def test_a_loss_that_is_not_finite_stops_the_run(write_config, mindflood, tmp_path):
    config = write_config(
        training__learning_rate=1e25, training__checkpoint_every=1, training__warmup=2
    )
    stopped = mindflood("train", config)
    assert stopped.returncode == 2
    message = stopped.stderr.strip().splitlines()[-1]
    assert "is no longer finite; the last good checkpoint is" in message
    _, last = checkpoints(tmp_path / "runs" / "finetune-seed0" / "checkpoints")[-1]
    weights = {k: v for k, v in weights_of(last).items() if k != "flood_level"}
    assert all(np.isfinite(value).all() for value in weights.values())


def test_a_truncated_checkpoint_is_refused(write_config, mindflood, tmp_path):
    config = write_config(training__checkpoint_every=2)
    run = tmp_path / "runs" / "finetune-seed0"
    kill_when(start(config), lambda: any((run / "checkpoints").glob("step-*.ckpt")))
    _, last = checkpoints(run / "checkpoints")[-1]
    last.write_bytes(last.read_bytes()[:-1000])
    refused = mindflood("train", config)
    assert refused.returncode == 2
    assert str(last) in refused.stderr.splitlines()[-1]
    assert "truncated or corrupt" in refused.stderr.splitlines()[-1]


@pytest.mark.slow
def test_accumulated_micro_batches_take_the_step_of_the_whole_batch(
    write_config, mindflood, tmp_path
):
    changes = {"method": "flooding", "flood_level": 0.69, "task__train_examples": 90}
    one = write_config("one.yaml", output=str(tmp_path / "one"), **changes)
    four = write_config(
        "four.yaml", output=str(tmp_path / "four"), training__accumulation_steps=4, **changes
    )
    assert mindflood("train", one).returncode == 0
    assert mindflood("train", four).returncode == 0
    runs = [tmp_path / name / "flooding-seed0" for name in ("one", "four")]
    losses = [[line["loss"] for line in read_lines(run / "trace.jsonl")] for run in runs]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["flooding", "pgd", "freelb", "yopo", "tavat", "infobert", "pgd-at"]
)
def test_float16_trains_as_float32_does(write_config, mindflood, tmp_path, method):
    losses = []
    for precision in ("float32", "float16"):
        output = str(tmp_path / precision)
        config = write_config(
            f"{precision}.yaml", output=output, training__precision=precision,
            method=method, flood_level=0.69, defence__steps=2,
        )  # fmt: skip
        done = mindflood("train", config)
        assert done.returncode == 0, done.stderr
        trace = read_lines(Path(output) / f"{method}-seed0" / "trace.jsonl")
        losses.append([line["loss"] for line in trace])
    np.testing.assert_allclose(losses[0], losses[1], atol=5e-3)


@pytest.mark.slow
def test_pynative_and_graph_mode_train_alike(write_config, mindflood, tmp_path):
    losses = []
    for mode in ("graph", "pynative"):
        output = str(tmp_path / mode)
        config = write_config(
            f"{mode}.yaml", output=output, training__mode=mode, training__epochs=1,
            method="flooding", flood_level=0.69,
        )  # fmt: skip
        done = mindflood("train", config)
        assert done.returncode == 0, done.stderr
        trace = read_lines(Path(output) / "flooding-seed0" / "trace.jsonl")
        losses.append([line["loss"] for line in trace])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_the_mindspore_half_never_imports_torch(write_config):
    code = (
        "import sys; from mindflood.cli import main; "
        f"assert main(['train', {str(write_config(training__epochs=1))!r}]) == 0; "
        "assert not {'torch', 'transformers', 'textattack'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stderr
