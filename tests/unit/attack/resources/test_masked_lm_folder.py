"""The masked language model that an attack has made ends with the attack, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAKING = """
from mindflood.attack.resources.masked_lm_folder import masked_lm_folder
from mindflood.data.tasks import get_task
masked_lm_folder(get_task("corpus"), None, None)
"""


def is_alive(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def making(children: Path) -> list[int]:
    """The children that train: a fork that is not yet another program is none."""
    found = map(int, children.read_text().split())
    return [one for one in found if b"masked-lm" in Path(f"/proc/{one}/cmdline").read_bytes()]


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="asks /proc for its children")
def test_the_making_ends_with_an_attack_that_is_killed(tmp_path):
    environment = os.environ | {
        "MINDFLOOD_CACHE": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", MAKING]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as attack:
        assert "training a masked language model" in attack.stderr.readline()
        children = Path(f"/proc/{attack.pid}/task/{attack.pid}/children")
        deadline = time.monotonic() + 60
        while not (found := making(children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        attack.send_signal(signal.SIGKILL)  # first: the test must not wait for the training's end
        (child,) = found
        assert attack.wait(timeout=30) == -signal.SIGKILL
        deadline = time.monotonic() + 60
        while is_alive(child) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not is_alive(child)
