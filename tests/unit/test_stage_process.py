"""A stage ends with the run that started it, also where that is killed."""

import signal
import subprocess
import sys

import pytest

from mindflood.stage_process import run_to_its_end

STAGE = """
import os, time
from mindflood.stage_process import end_with_starter
end_with_starter()
print("handed on" if any("LIFELINE" in name for name in os.environ) else "its own", flush=True)
time.sleep(60)
"""
RUN = "import sys; from mindflood.stage_process import run_to_its_end as run; run(sys.argv[1:])"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_stage_ends_with_a_run_that_is_killed(end):
    command = [sys.executable, "-c", RUN, sys.executable, "-c", STAGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "its own\n"
        run.send_signal(end)
        assert run.wait(timeout=30) == -end
        run.communicate(timeout=30)  # until the stage, too, has closed its output


def test_a_stage_that_nobody_ends_gives_its_status():
    code = "from mindflood.stage_process import end_with_starter; end_with_starter(); raise {}"
    command = [sys.executable, "-c", code.format("SystemExit(3)")]
    assert run_to_its_end(command) == 3
    assert subprocess.run(command, check=False).returncode == 3  # started by somebody else
