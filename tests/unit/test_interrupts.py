"""Ctrl-C ends with 130 and a line, whatever a library does with the signal."""

import os
import signal
import subprocess
import sys
import time

import pytest

# As MindSpore does: a handler of the library's own takes the place of Python's.
LIBRARY = """
import ctypes, signal, time
from mindflood.interrupts import stoppable
libc = ctypes.CDLL(None)
with stoppable() as work:
    libc.signal(signal.SIGINT, ctypes.c_void_p(0))  # SIG_DFL: the process ends in silence
    work.where = "runs/x"
    print("ready", flush=True)
    {work}
"""
STAGE = """
import sys, time
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("the stage stops", flush=True)
    sys.exit(130)
"""
RUN = f"""
import sys
from mindflood.process import run_to_its_end
try:
    run_to_its_end([sys.executable, "-c", {STAGE!r}])
except KeyboardInterrupt:
    print("the run stops", flush=True)
    sys.exit(130)
"""


def interrupted(code: str, *, group: bool, times: int = 1) -> tuple[int, str, str, float]:
    """Exit status, output, errors and seconds after Ctrl-C in a terminal, or to the process alone.

    The processes ignore no signal and block none, whatever those of the tests do.
    """
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        for number in range(times):
            time.sleep(0.5 * number)
            (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors, time.monotonic() - started


LINE = "mindflood: stopped; what is done is in runs/x; the same command continues\n"


@pytest.mark.parametrize(
    "work",
    [
        ["while True:", "    time.sleep(0.01)"],
        ["try:", "    while True: time.sleep(0.01)", "except KeyboardInterrupt: raise ValueError"],
    ],
    ids=["as it is", "as another error"],
)
def test_a_library_s_handler_does_not_end_the_process_in_silence(work):
    status, _, errors, _ = interrupted(LIBRARY.format(work="\n    ".join(work)), group=True)
    assert (status, errors) == (130, LINE)


@pytest.mark.parametrize("times", [1, 2])
def test_a_call_that_does_not_return_is_not_waited_for(times):
    status, _, errors, seconds = interrupted(
        LIBRARY.format(work="libc.sleep(60)"), group=False, times=times
    )
    assert status == 130
    assert errors == LINE
    assert seconds < (20 if times == 1 else 5)  # a second Ctrl-C does not wait for the call


def test_stopping_and_continuing_a_process_is_no_ctrl_c():
    code = LIBRARY.format(work="time.sleep(3)") + "print('done')"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.4)
            process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=60)[0] == "done\n"
        assert process.returncode == 0


def test_a_block_without_an_interrupt_is_left_as_any():
    code = LIBRARY.format(work="raise SystemExit(3)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"")


@pytest.mark.parametrize("group", [True, False], ids=["terminal", "process alone"])
def test_a_stage_stops_with_its_run(group):
    status, output, errors, _ = interrupted(RUN, group=group)
    assert status == 130
    assert output == "the stage stops\nthe run stops\n"
    assert not errors
