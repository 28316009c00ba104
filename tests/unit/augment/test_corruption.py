"""SSMBA's corruption against its law."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mindflood.augment.corruption import Corruption

MASK, SPECIAL = 4, [0, 1, 2, 3, 4]
ORDINARY = np.arange(10, 60)
TEXT = np.array([2, *range(10, 21), 3])  # 11 ordinary tokens between two special ones


def corruption(share):
    return Corruption(share, MASK, SPECIAL, ORDINARY)


def test_a_hundred_thousand_draws_follow_the_law():
    generator, share = np.random.default_rng(0), 0.3
    corrupt, draws = corruption(share), 100_000
    expected = share * (len(TEXT) - 1)
    places = np.zeros(len(TEXT), int)
    masked = random = 0
    counts = np.zeros(len(TEXT), int)
    tokens = np.zeros(60, int)
    for _ in range(draws):
        found = corrupt(TEXT, generator)
        places[found.places] += 1
        hidden = found.ids[found.places]
        masked += int((hidden == MASK).sum())
        made_random = hidden[hidden != MASK]
        random += len(made_random)
        np.add.at(tokens, made_random, 1)
        counts[len(found.places)] += 1
        others = np.setdiff1d(np.arange(len(TEXT)), found.places)
        assert (found.ids[others] == TEXT[others]).all()
    chosen = expected * draws  # places on average: ⌊p·s + u⌋ is p·s
    for found_of, rate in ((masked, 0.8), (random, 0.1)):
        assert abs(found_of - rate * chosen) < 5 * math.sqrt(rate * chosen)
    assert places[[0, -1]].tolist() == [0, 0]
    assert stats.chisquare(places[1:-1]).pvalue > 1e-3
    assert stats.chisquare(tokens[ORDINARY]).pvalue > 1e-3
    assert counts[math.ceil(expected) + 1 :].sum() == 0
    # n is 3 or 4 with u, of which each place is redrawn with probability 0.9.
    low, rest = math.floor(expected), expected % 1
    n = np.arange(math.ceil(expected) + 1)
    law = (1 - rest) * stats.binom.pmf(n, low, 0.9) + rest * stats.binom.pmf(n, low + 1, 0.9)
    assert stats.chisquare(counts[: len(n)], draws * law / law.sum()).pvalue > 1e-3


@given(
    st.lists(st.integers(0, 59), min_size=1, max_size=30),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_special_tokens_are_never_touched(ids, share, seed):
    text = np.array(ids)
    found = corruption(share)(text, np.random.default_rng(seed))
    special = np.isin(text, SPECIAL)
    assert (found.ids[special] == text[special]).all()
    assert not special[found.places].any()
    assert len(set(found.places)) == len(found.places)
    assert np.isin(found.ids[found.places], [MASK, *ORDINARY]).all()


@given(st.integers(0, 2**32 - 1))
def test_p_of_zero_changes_nothing(seed):
    found = corruption(0.0)(TEXT, np.random.default_rng(seed))
    assert (found.ids == TEXT).all()
    assert not len(found.places)
