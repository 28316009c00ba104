"""TAVAT's vocabulary table against a plain loop over the tokens."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from mindflood.defences.vocabulary_table import VocabularyTable

IDS = np.array([[3, 5, 3, 0], [5, 7, 0, 0]], np.int32)
MASK = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.float32)
DELTA = np.random.default_rng(0).standard_normal((2, 4, 6)).astype(np.float32)


class Keeps(nn.Cell):
    def __init__(self, table, release):
        super().__init__(auto_prefix=False)
        self.table, self.release = table, release

    def construct(self, ids, mask, delta, apply):
        if self.release:
            return self.table.add(ids, delta, apply)
        return self.table.set_means(ids, mask, delta, apply)


def kept(release, *, apply=True, times=1):
    """(V before, V after ``times`` batches)."""
    table = VocabularyTable(9, 6, 0.2, seed=1, workers=1)
    before = table.table.asnumpy().copy()
    cell = Keeps(table, release)
    for _ in range(times):
        cell(Tensor(IDS), Tensor(MASK[..., None]), Tensor(DELTA), Tensor(apply))
    return before, table.table.asnumpy()


@pytest.fixture(autouse=True, params=["graph", "pynative"])
def mode(request):
    ms.set_context(mode=ms.GRAPH_MODE if request.param == "graph" else ms.PYNATIVE_MODE)


def test_it_starts_within_its_magnitude():
    before, _ = kept(False)
    assert np.abs(before).max() <= 0.2 / 6**0.5
    assert before.std() == pytest.approx(0.2 / 18**0.5, rel=0.25)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_a_word_gets_the_mean_of_its_unmasked_occurrences(times):
    expected, after = kept(False, times=times)
    for word in (3, 5, 7):
        places = (word == IDS) & (MASK > 0)
        expected[word] = DELTA[places].mean(0)
    np.testing.assert_allclose(after, expected, rtol=1e-6)


def test_the_release_adds_every_occurrence_padding_too():
    expected, after = kept(True)
    np.add.at(expected, IDS.ravel(), DELTA.reshape(-1, 6))
    np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("release", [False, True], ids=["paper", "release"])
def test_a_skipped_step_leaves_it_alone(release):
    before, after = kept(release, apply=False)
    np.testing.assert_array_equal(after, before)
