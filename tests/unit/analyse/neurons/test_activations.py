"""Activations on disk: what was written comes back, and memory does not grow with the words."""

import subprocess
import sys

import numpy as np
import pytest

from mindflood.analyse.neurons.activations import Activations, blocks, columns
from mindflood.errors import UserError

STATED = 200  # MiB, in docs/neurons.md
_PROBE = """
import resource, sys
import numpy as np
from mindflood.analyse.neurons.activations import Activations
from mindflood.analyse.neurons.firing import word_scores
from mindflood.analyse.neurons.probe import Penalty, fit

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

words, neurons, tags = 25_000, 2_688, 50
random = np.random.default_rng(0)
fit(random.standard_normal((64, 8)), random.integers(0, 3, 64), 3, Penalty(), passes=2)
before = peak()
stored = Activations(words, neurons)
for first in range(0, words, 500):
    stored.write(first, random.standard_normal((500, neurons), np.float32))
labels = random.integers(0, tags, words)
probe = fit(stored, labels, tags, Penalty(), passes=12)
probe.predict(stored)
word_scores(stored, range(250), [f"w{at % 6000}" for at in range(words)])
print(peak() - before)
"""


def test_rows_come_back_in_any_order(monkeypatch):
    monkeypatch.setattr("mindflood.analyse.neurons.activations.BLOCK", 7)
    whole = np.random.default_rng(0).standard_normal((30, 11)).astype(np.float32)
    stored = Activations(30, 11)
    for first in (20, 0, 10):
        stored.write(first, whole[first : first + 10])
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks(stored)]), whole)
    np.testing.assert_array_equal(columns(stored, [3, 3, 0]), whole[:, [3, 3, 0]])
    np.testing.assert_array_equal(stored[28:99], whole[28:])
    assert stored[30:40].shape == (0, 11)


def test_a_full_disk_is_one_line():
    stored = Activations(1000, 100)
    stored._file = open("/dev/full", "w+b", buffering=0)  # noqa: SIM115
    with pytest.raises(UserError, match=r"^.*: cannot write: .*full|space"):
        stored.write(0, np.ones((1000, 100), np.float32))
    stored._file.close()


@pytest.mark.slow
def test_memory_stays_below_what_the_page_states():
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < STATED
