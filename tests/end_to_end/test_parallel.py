"""Several workers on one machine, started by MindSpore's own ``msrun``."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mindflood.errors import UserError
from mindflood.training.parallel import Worker
from mindflood.training.state import checkpoints
from tests.conftest import read_lines, weights_of

TRAIN = Path(__file__).parents[2] / "tools" / "train.py"


def msrun(folder: Path, script: Path, *words: object) -> list[str]:
    """Run a script with two workers; their logs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    programs = Path(sys.executable).parent  # msrun starts the "python" that is first on PATH
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    options = ["--worker_num=2", "--local_worker_num=2", "--join=True", f"--master_port={port}"]
    command = [programs / "msrun", *options, f"--log_dir={folder}", script, *words]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=environment
    )
    logs = [path.read_text() for path in sorted(folder.glob("worker_*.log"))]
    assert done.returncode == 0, "\n".join([done.stdout[-1000:], *(log[-3000:] for log in logs)])
    return logs


@pytest.mark.parametrize(
    "changes",
    [
        {"training__max_gradient_norm": 0.5},
        pytest.param({"training__accumulation_steps": 2}, marks=pytest.mark.slow),
    ],
    ids=["clipped", "accumulated"],
)
def test_two_workers_take_the_steps_of_one(write_config, mindflood, tmp_path, changes):
    # 90 rows: the last batch of an epoch is not full, and one worker has all of its fillers.
    changes = {"method": "flooding", "flood_level": 0.69, "task__train_examples": 90, **changes}
    one = write_config("one.yaml", output=str(tmp_path / "one"), **changes)
    two = write_config("two.yaml", output=str(tmp_path / "two"), **changes)
    done = mindflood("train", one)
    assert done.returncode == 0, done.stderr
    msrun(tmp_path / "logs", TRAIN, two)
    runs = [tmp_path / name / "flooding-seed0" for name in ("one", "two")]
    traces = [read_lines(run / "trace.jsonl") for run in runs]
    losses = [[line["loss"] for line in trace] for trace in traces]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-5)
    assert {line["flooding"] for line in traces[0]} == {True, False}
    ours, theirs = (weights_of(checkpoints(run / "checkpoints")[-1][1]) for run in runs)
    for name in ours:
        if name.startswith(("bert.", "classifier.")):
            np.testing.assert_allclose(ours[name], theirs[name], atol=2e-4, err_msg=name)


def test_an_overflow_on_one_worker_skips_the_step_on_all(tmp_path):
    logs = msrun(tmp_path / "logs", Path(__file__).with_name("parallel_overflow.py"))
    lines = [line for log in logs for line in log.splitlines() if line.startswith("seen ")]
    seen = [json.loads(line.removeprefix("seen ")) for line in lines]
    for rank in (0, 1):
        first, second, third = (step for step in seen if step["rank"] == rank)
        assert [first["applied"], second["applied"], third["applied"]] == [True, False, True]
        assert [first["scale"], second["scale"], third["scale"]] == [256.0, 128.0, 128.0]
        assert first["weight"] == second["weight"] != third["weight"]
        assert first["J"] == pytest.approx((9.0 + 36.0) / 2)
    assert seen[0]["weight"] == seen[3]["weight"]


@pytest.mark.parametrize(
    ("count", "micro_batches"), [(1, 1), (2, 1), (1, 4), (4, 2)], ids=lambda value: str(value)
)
def test_the_workers_share_every_row_once(count, micro_batches):
    rows = [
        row
        for rank in range(count)
        for part in Worker(rank, count).rows(16, micro_batches)
        for row in part
    ]
    assert sorted(rows) == list(range(16))


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(UserError, match="use a multiple of 6"):
        Worker(0, 3).rows(16, 2)
