"""Dropout masks: rates, independence of the split into workers, dependence on seed and step."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.models.config import BertConfig
from mindflood.models.dropout import DropoutNoise, keep_scale, keep_threshold

CONFIG = BertConfig(
    vocab_size=10, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=8
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 10**6), st.integers(1, 9), st.data())
def test_rows_drawn_apart_are_the_rows_of_the_whole_batch(seed, step, length, data):
    noise = DropoutNoise(CONFIG, seed)
    start = data.draw(st.integers(0, 7))
    stop = data.draw(st.integers(start + 1, 8))
    whole = noise.draw(step, range(8), length)
    part = noise.draw(step, range(start, stop), length)
    for all_rows, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(all_rows[start:stop], some)


@pytest.mark.parametrize(
    ("kind", "states", "pooled"),
    [("bert", 5, 1), ("roberta", 5, 2), ("mpnet", 5, 2), ("distilbert", 3, 1), ("electra", 5, 2)],
)
def test_shapes(kind, states, pooled):
    hidden, attention = DropoutNoise(dataclasses.replace(CONFIG, model_type=kind), seed=0).draw(
        0, range(4), 7
    )
    assert (hidden.shape, hidden.dtype) == ((4, states * 7 + pooled, 12), np.uint8)
    assert (attention.shape, attention.dtype) == ((4, 2, 3, 7, 7), np.uint8)


def test_every_dropout_has_its_own_rate():
    config = dataclasses.replace(
        CONFIG,
        hidden_size=96,
        hidden_dropout_prob=0.3,
        attention_probs_dropout_prob=0.05,
        classifier_dropout=0.6,
    )
    hidden, attention = DropoutNoise(config, seed=1).draw(0, range(64), 16)
    assert set(np.unique(hidden)) == {0, 1}
    assert hidden[:, :-1].mean() == pytest.approx(0.7, abs=0.005)
    assert hidden[:, -1].mean() == pytest.approx(0.4, abs=0.03)
    assert attention.mean() == pytest.approx(0.95, abs=0.005)


def test_rate_zero_keeps_everything():
    config = dataclasses.replace(
        CONFIG, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.5
    )
    hidden, attention = DropoutNoise(config, seed=1).draw(0, range(64), 16)
    assert hidden[:, :-1].all()
    assert not hidden[:, -1].all()
    assert attention.all()


@given(st.floats(0, 0.99))
def test_threshold_and_scale_agree(rate):
    kept = keep_threshold(rate) / 65536
    assert abs(kept - (1 - rate)) <= 2**-17
    assert kept * keep_scale(rate) == pytest.approx(1)


@pytest.mark.parametrize(("seed", "step"), [(1, 0), (0, 1)])
def test_another_seed_or_step_draws_other_masks(seed, step):
    first = DropoutNoise(CONFIG, 0).draw(0, range(8), 8)
    other = DropoutNoise(CONFIG, seed).draw(step, range(8), 8)
    for a, b in zip(first, other, strict=True):
        # Independent masks at rate 0.1 differ in 18 % of the places.
        assert np.mean(a != b) == pytest.approx(0.18, abs=0.05)
