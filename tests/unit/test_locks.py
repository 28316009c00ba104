"""One process at a time works on a folder, and its stages with it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mindflood.errors import UserError
from mindflood.locks import held

HOLDER = """
import sys, time
from pathlib import Path
from mindflood.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""
# Holds the folder, has a stage hold it too, and is killed in the middle of that.
STARTER = f"""
import sys
from pathlib import Path
from mindflood.locks import held
from mindflood.process import run_to_its_end
with held(Path(sys.argv[1])):
    sys.exit(run_to_its_end([sys.executable, "-c", {HOLDER!r}, sys.argv[1]]))
"""


@contextmanager
def process(code: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "held\n"
        try:
            yield started
        finally:
            started.kill()


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as refused, held(folder):
        pass
    return str(refused.value)


def test_the_second_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "finetune-seed0"
    with process(HOLDER, folder) as first:
        message = refusal(folder)
        assert re.match(rf"{folder}: process {first.pid} is working on it; ", message)
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "runs")
        assert str(first.pid) in refusal(link / "finetune-seed0")  # the same by another name
        with held(folder.with_name("finetune-seed1")):
            pass
        first.communicate("\n", timeout=30)
        assert first.returncode == 0
    with held(folder):
        pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path, end: int) -> None:
    folder = tmp_path / "run"
    with process(HOLDER, folder) as first:
        first.send_signal(end)
        first.communicate(timeout=30)
    with held(folder):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_behind_and_nothing_that_is_there_goes(tmp_path: Path) -> None:
    with held(tmp_path / "a" / "b" / "run"):
        pass
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "a" / "run"):
        (tmp_path / "a" / "run").mkdir()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run"]


def test_a_process_holds_its_folder_twice_and_lets_go_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with held(folder), held(folder):
        with held(folder):
            pass
        assert (tmp_path / ".run.lock").exists()
    with process(HOLDER, folder):
        pass


def test_a_stage_shares_the_lock_and_keeps_it_when_its_starter_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with process(STARTER, folder) as starter:
        assert f"process {starter.pid} " in refusal(folder)
        starter.kill()
        starter.wait(timeout=30)
        # The stage reads its starter's input and has no lifeline's main: it goes on for now.
        assert f"process {starter.pid} " in refusal(folder)
        starter.stdin.write("\n")
        starter.stdin.close()
        starter.stdout.read()  # until the stage, too, has closed its output
    with held(folder):
        pass


def test_where_no_file_can_be_made_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert re.search(r"file/run: cannot write", refusal(tmp_path / "file" / "run"))
    assert re.search(r": cannot write", refusal(tmp_path / ("n" * 300)))


def test_a_folder_of_no_name_and_a_loop_of_links_are_no_traceback(tmp_path: Path) -> None:
    with held(Path("/")):
        pass
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with held(tmp_path / "loop"):
        pass
