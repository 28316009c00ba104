"""Two workers of a script, started by MindSpore's own ``msrun``."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def free_port() -> int:
    """A free port that no system hands out by itself.

    The workers' own servers and everybody's outgoing connections take ports from the ephemeral
    range (on Linux 32768 and above, elsewhere 49152) between this question and the scheduler's
    start, the longer the busier the machine is.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port from 20,000 to 32,000")


def start(folder: Path, script: Path, *words: object) -> subprocess.Popen[str]:
    """A script with two workers, its logs in ``folder``; all of it is one process group."""
    programs = Path(sys.executable).parent  # msrun starts the "python" that is first on PATH
    environment = {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        # Seconds. On a busy machine a worker is silent for longer than MindSpore's own 30; one that
        # really died is msrun's to notice.
        "MS_NODE_TIMEOUT": "300",
        "MS_RECEIVE_MSG_TIMEOUT": "300",
    }
    options = ["--worker_num=2", "--local_worker_num=2", "--join=True"]
    options.append(f"--master_port={free_port()}")
    command = [programs / "msrun", *options, f"--log_dir={folder}", script, *words]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | environment, start_new_session=True,
    )  # fmt: skip


def kill(process: subprocess.Popen[str], config: Path) -> None:
    """SIGKILL for all that :func:`start` began: the workers on ``config`` are in no group of its.

    One that were left would hold the RUN folder until it misses the other.
    """
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(config) in (entry / "cmdline").read_text():
                os.kill(int(entry.name), signal.SIGKILL)


def msrun(folder: Path, script: Path, *words: object) -> list[str]:
    """Run a script with two workers, its logs in ``folder``; the workers' logs."""
    process = start(folder, script, *words)
    said, _ = process.communicate()
    logs = {path.stem: path.read_text() for path in sorted(folder.glob("*.log"))}
    ends = [f"{name}: {log[-3000:]}" for name, log in logs.items()]
    assert process.returncode == 0, "\n".join([said[-2000:], *ends])
    return [log for name, log in logs.items() if name.startswith("worker_")]
