"""Files and folders appear whole, and what killed processes leave is cleared, theirs alone."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mindflood import files
from mindflood.errors import UserError
from mindflood.files import whole_file, whole_folder, write_text
from mindflood.own_folder import MARK, check_replaceable, write_mark

WRITER = """
import sys, time
from pathlib import Path
from mindflood import files
with getattr(files, sys.argv[1])(Path(sys.argv[2])) as beside:
    (beside / "weights" if beside.is_dir() else beside).write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def writing(kind: str, path: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, kind, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*.part"))


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path, kind):
    theirs = writing(kind, tmp_path / "model")
    (living,) = parts(tmp_path)
    (tmp_path / ".model.notes.part").write_text("somebody's own")
    (tmp_path / ".other.abcd1234.part").mkdir()
    kept = parts(tmp_path)
    with getattr(files, kind)(tmp_path / "model") as beside:
        assert living in parts(tmp_path), "it is still being written"
        (beside / "w" if kind == "whole_folder" else beside).write_text("whole")
    assert parts(tmp_path) == kept
    theirs.send_signal(signal.SIGKILL)
    theirs.wait()
    write_text(tmp_path / "another", "text")
    assert parts(tmp_path) == kept, "of another name"
    with whole_file(tmp_path / "model2") as beside:
        beside.write_text("text")
    assert parts(tmp_path) == kept
    with getattr(files, kind)(tmp_path / "model") as beside:
        (beside / "w" if kind == "whole_folder" else beside).write_text("whole")
    assert parts(tmp_path) == sorted(set(kept) - {living})
    theirs.communicate()


def test_a_folder_that_its_writer_has_locked_is_written_to(tmp_path):
    """As a card's folder is, while the card is read and written again."""
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        write_text(tmp_path / "card.json", "{}")
    finally:
        os.close(folder)
    assert (tmp_path / "card.json").read_text() == "{}"


def a_folder(path: Path, text: str = "1") -> Path:
    with whole_folder(path, may_replace=check_replaceable) as beside:
        (beside / "config.json").write_text(text)
        (beside / "README.md").write_text("card")
        write_mark(beside, {"task": "sst2"})
    return path


def test_our_own_folder_is_replaced_and_keeps_its_rights(tmp_path):
    for text in ("1", "2"):
        out = a_folder(tmp_path / "out", text)
        assert (out / "config.json").read_text() == text
    assert parts(tmp_path) == []
    assert os.stat(out).st_mode & 0o777 == 0o777 & ~_umask()
    (tmp_path / "empty").mkdir()
    a_folder(tmp_path / "empty")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "notes.txt: is not of the export"),
        (lambda out: (out / "README.md").write_text("mine"), "README.md: was changed after"),
        (lambda out: (out / "deep").mkdir(), "deep: is not of the export"),
        (lambda out: (out / "link").symlink_to("README.md"), "link: is not of the export"),
        (lambda out: (out / MARK).unlink(), f"has no {MARK}, the mark of an export"),
        (lambda out: (out / MARK).write_text("[]"), "expected the key 'files'"),
    ],
    ids=["notes", "changed", "folder", "link", "no mark", "another mark"],
)
def test_what_is_not_ours_is_never_replaced(tmp_path, change, message):
    out = a_folder(tmp_path / "out")
    change(out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=message):
        a_folder(out, "2")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert parts(tmp_path) == []


def test_a_file_is_no_folder_to_replace(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="something that is no folder"):
        a_folder(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_that_is_read_stays(tmp_path):
    out = a_folder(tmp_path / "out")
    with whole_folder(out) as beside:
        (beside / "config.json").write_text("2")
    assert (out / "config.json").read_text() == "1"


FULL = """
import resource, sys
import numpy as np
from pathlib import Path
from mindflood import files
from mindflood.errors import UserError
from mindflood.files import whole_folder
from mindflood.models.weights import write_weights
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
try:
    with whole_folder(Path(sys.argv[1])) as beside:
        write_weights(beside / "model.safetensors", {"w": np.zeros(10_000, np.float32)})
except UserError as error:
    print(error)
"""


def test_weights_that_cannot_be_written_are_one_line(tmp_path):
    """A limit on the size of a file fails as a full disk does: in the middle of the write."""
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(out)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{out}: cannot write: the file is larger than"), done.stderr
    assert not out.exists()
    assert parts(tmp_path) == []
