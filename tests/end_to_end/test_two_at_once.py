"""Two processes on one RUN folder, and Ctrl-C: what a user does with a terminal too many."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mindflood.cli import main
from tests.conftest import read_lines


def start(verb: str, config: Path, *overrides: str) -> subprocess.Popen:
    """One verb in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "mindflood", verb, str(config), *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_steps(process: subprocess.Popen, run: Path, steps: int = 2) -> None:
    trace = run / "trace.jsonl"
    deadline = time.monotonic() + 240
    while not trace.exists() or trace.read_text().count("\n") < steps:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stop(process: subprocess.Popen) -> None:
    """Suspend a process; none of its threads writes any more when this returns.

    The signal alone returns earlier, in the middle of a checkpoint at times.
    """
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@pytest.fixture
def long_config(write_config) -> Path:
    """Of a run that is not over before the test is."""
    return write_config(training__epochs=200, training__checkpoint_every=2)


def test_the_second_on_a_folder_is_refused_and_the_first_goes_on(long_config, capsys, tmp_path):
    run = tmp_path / "runs" / "finetune-seed0"
    first = start("train", long_config)
    wait_for_steps(first, run)
    stop(first)  # it holds its folder, however long the others take
    there = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for verb in ("train", "run"):
        started = time.monotonic()
        assert main([verb, str(long_config), "attack.profile=offline"]) == 2
        assert time.monotonic() - started < 10  # before MindSpore is imported
        assert (
            capsys.readouterr()
            .err.splitlines()[-1]
            .startswith(f"mindflood: error: {run}: process {first.pid} is working on it; ")
        )
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == there
    first.send_signal(signal.SIGCONT)
    wait_for_steps(first, run, steps=len(read_lines(run / "trace.jsonl")) + 2)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    # The lock is gone with it: the same command continues, a step a line.
    again = start("train", long_config)
    wait_for_steps(again, run, steps=len(read_lines(run / "trace.jsonl")) + 2)
    os.killpg(again.pid, signal.SIGKILL)
    again.communicate()
    steps = [line["step"] for line in read_lines(run / "trace.jsonl")]
    assert steps == list(range(1, len(steps) + 1))


def test_another_setting_is_named_at_once(long_config, capsys, tmp_path):
    run = tmp_path / "runs" / "finetune-seed0"
    first = start("train", long_config)
    wait_for_steps(first, run)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    for verb in ("train", "run"):
        started = time.monotonic()
        words = ["training.batch_size=8", "attack.profile=offline"]
        assert main([verb, str(long_config), *words]) == 2
        assert time.monotonic() - started < 10
        message = capsys.readouterr().err
        assert f"{run}: holds a run with training.batch_size 16, not 8; " in message


@pytest.mark.parametrize(
    ("verb", "group"),
    [
        pytest.param("train", True, marks=pytest.mark.slow, id="train in a terminal"),
        pytest.param("train", False, id="train alone"),
        pytest.param("run", True, marks=pytest.mark.slow, id="run in a terminal"),
        pytest.param("run", False, marks=pytest.mark.slow, id="run alone"),
    ],
)
def test_ctrl_c_says_where_the_work_is_and_the_same_command_continues(
    long_config, tmp_path, verb, group
):
    run = tmp_path / "runs" / "finetune-seed0"
    process = start(verb, long_config, "attack.profile=offline")
    wait_for_steps(process, run, steps=3)
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    where = run if verb == "train" else tmp_path / "runs"
    assert errors.splitlines()[-1] == (
        f"mindflood: stopped; what is done is in {where}; the same command continues"
    )
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):  # its stage has ended with it
        os.killpg(process.pid, 0)
    done = len(read_lines(run / "trace.jsonl"))
    if verb == "train":
        again = start(verb, long_config)
        wait_for_steps(again, run, steps=done + 1)
        os.killpg(again.pid, signal.SIGKILL)
        again.communicate()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_ctrl_c_in_the_middle_of_an_import_is_no_crash(long_config, tmp_path):
    process = start("train", long_config)
    deadline = time.monotonic() + 240
    while "_c_expression" not in Path(f"/proc/{process.pid}/maps").read_text():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    run = tmp_path / "runs" / "finetune-seed0"
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == (
        f"mindflood: stopped; what is done is in {run}; the same command continues"
    )
    assert "Fatal" not in errors
    assert not list((tmp_path / "runs").glob(".*"))
