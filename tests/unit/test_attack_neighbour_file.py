"""The neighbour table's file: whole, or one line that says why not."""

import resource

import numpy as np
import pytest
from mindflood.attack.neighbour_file import Content, read, write

from mindflood.errors import UserError

CONTENT = Content(
    ["good", "bad"], np.ones((2, 64), np.float32), np.array([[1] * 64, [0] * 64], np.int64)
)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "neighbours.safetensors"
    write(path, CONTENT)
    found = read(path)
    assert found.words == CONTENT.words
    assert found.fingerprint == CONTENT.fingerprint


def test_a_disk_that_takes_no_more_is_one_line_and_leaves_nothing(tmp_path):
    path = tmp_path / "neighbours.safetensors"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(UserError, match=r"neighbours\.safetensors: cannot write: "):
            write(path, CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
