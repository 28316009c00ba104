"""A stage ends with the run that started it, also where that is killed."""

import signal
import subprocess
import sys
import time

import pytest

from mindflood.errors import UserError
from mindflood.process import last_line_of, run_to_its_end

STAGE = """
import os, time
from mindflood.process import end_with_starter
end_with_starter()
print("handed on" if any("LIFELINE" in name for name in os.environ) else "its own", flush=True)
time.sleep(60)
"""
RUN = "import sys; from mindflood.process import run_to_its_end as run; run(sys.argv[1:])"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_stage_ends_with_a_run_that_is_killed(end):
    command = [sys.executable, "-c", RUN, sys.executable, "-c", STAGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "its own\n"
        run.send_signal(end)
        assert run.wait(timeout=30) == -end
        run.communicate(timeout=30)  # until the stage, too, has closed its output


ASKED = """
import os, sys, time
from mindflood.process import end_with_starter
end_with_starter()
words = sys.argv[1:]
if "wait" in words:
    os.mkfifo("waiting")
    with open("waiting", "w") as told:  # open as long as this process lives
        told.write("here")
        told.flush()
        time.sleep(60)
if "fail" in words:
    raise SystemExit("first\\nlast of the message")
print("noise", flush=True)
print(sys.stdin.read(), *words)
"""
ASK = "import sys; from mindflood.process import last_line_of; last_line_of(*sys.argv[1:])"


@pytest.fixture
def asked(tmp_path, monkeypatch) -> str:
    """The name of a module that answers."""
    (tmp_path / "asked.py").write_text(ASKED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return "asked"


def test_a_module_answers_in_its_last_line(asked):
    assert last_line_of(asked, "a", "b", question="what?") == "what? a b"
    with pytest.raises(UserError, match=r"^last of the message$"):
        last_line_of(asked, "fail")


def test_no_file_of_the_working_folder_stands_in_for_a_module(asked, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "asked.py").write_text("print('another one')")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert last_line_of(asked, "a", question="what?") == "what? a"


def test_a_module_that_is_asked_ends_with_who_asked(asked, tmp_path):
    with subprocess.Popen([sys.executable, "-c", ASK, asked, "wait"]) as asking:
        while not (tmp_path / "waiting").exists():
            assert asking.poll() is None
            time.sleep(0.05)
        with (tmp_path / "waiting").open() as told:
            assert told.read(4) == "here"
            asking.kill()
            assert told.read() == "", "closed by its end, long before its minute is over"


def test_a_stage_that_nobody_ends_gives_its_status():
    code = "from mindflood.process import end_with_starter; end_with_starter(); raise {}"
    command = [sys.executable, "-c", code.format("SystemExit(3)")]
    assert run_to_its_end(command) == 3
    assert subprocess.run(command, check=False).returncode == 3  # started by somebody else
