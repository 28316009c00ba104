"""The standard streams under faults: a reader that has gone, a full disk, an old terminal."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.report_runs import a_card, a_run, an_attack

# Enough lines that a pipe is full, and a file after them: the work.
WORK = """
import sys
from pathlib import Path
from mindflood.terminal import check_delivered, guard_streams, say, tell
guard_streams()
for _ in range(20_000):
    say("line of the result")
    tell("line of the progress")
Path("work").write_text("done")
check_delivered()
"""


@pytest.fixture
def work(tmp_path: Path) -> Callable[..., int]:
    """Run ``WORK`` with its streams as a shell would connect them; its exit status."""

    def run(connected: str) -> int:
        command = f'set -o pipefail; "{sys.executable}" -c "$WORK" {connected}'
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "WORK": WORK},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert (tmp_path / "work").read_text() == "done"
        return done.returncode

    return run


@pytest.mark.parametrize(
    "connected", ["| head -1", "2>&1 | head -1", ">&-", "2>&-", ">&- 2>&- <&-"]
)
def test_work_goes_on_when_nobody_reads(work: Callable[..., int], connected: str) -> None:
    assert work(connected) == 0


def report(folder: Path, shell: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``mindflood report`` with its streams connected by ``shell``."""
    return subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m mindflood report "$FOLDER" {shell}'],
        env={**os.environ, "FOLDER": str(folder), **environment},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    card = a_card("π-training", attacks={"textfooler-offline": an_attack()})
    a_run(tmp_path / "runs" / "finetune", card, steps=3)
    return tmp_path / "runs"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_one_line(runs: Path) -> None:
    done = report(runs, "> /dev/full")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "mindflood: error: standard output: cannot write: No space left on device; what was to be "
        "written to files is written"
    ]
    assert (runs / "report.html").read_text().rstrip().endswith("</html>")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_sign_shows_its_number(runs: Path, encoding: str) -> None:
    done = report(runs, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03c0-training" in done.stdout
    assert rb"\xa0" not in done.stdout, "a column keeps its width"
    missing = report(runs / "no – folder", PYTHONIOENCODING=encoding)
    assert missing.returncode == 2
    assert rb"no \u2013 folder: no such folder" in missing.stderr
    assert missing.stderr.count(b"\n") == 1


QUIET = ["--help", "--version", "config", "config training", "report --help", "report $FOLDER"]


@pytest.mark.parametrize("reader", ["head -1", "true"], ids=["one-line", "gone"])
@pytest.mark.parametrize(
    "words", [*QUIET, pytest.param("doctor", marks=pytest.mark.slow)], ids=lambda words: words
)
def test_a_verb_whose_reader_leaves_is_quiet(runs: Path, words: str, reader: str) -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'"{sys.executable}" -m mindflood {words} | {reader}; exit ${{PIPESTATUS[0]}}',
        ],
        env={**os.environ, "FOLDER": str(runs)},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode in ((0, 1) if words == "doctor" else (0,))
    assert len(done.stdout.splitlines()) == (0 if reader == "true" else 1)
