"""Rankings against the plainest loop over a cumulative sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mindflood.analyse.neurons.ranking import by_weight, overall, salient

# Whole numbers: sums and thresholds are exact.
WEIGHTS = st.tuples(st.integers(1, 4), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(-20, 20))
)


def taken(row: np.ndarray, percent: int) -> list[int]:
    """Neurons by |weight| up to the first cumulative sum of at least so much of the total."""
    order = sorted(range(len(row)), key=lambda at: -abs(int(row[at])))
    total, mass, found = sum(abs(int(weight)) for weight in row), 0, []
    for neuron in order:
        found.append(neuron)
        mass += abs(int(row[neuron]))
        if 100 * mass >= percent * total:
            break
    return found


@given(WEIGHTS, st.integers(0, 100))
def test_a_tags_neurons_are_those_up_to_the_share(weights, percent):
    found = salient(weights, percent / 100)
    assert [some.tolist() for some in found] == [taken(row, percent) for row in weights]


@given(WEIGHTS)
def test_the_overall_order_is_that_of_the_unions(weights):
    order = overall(weights).tolist()
    assert sorted(order) == list(range(weights.shape[1]))
    seen: set[int] = set()
    for percent in range(101):
        union = {neuron for row in weights for neuron in taken(row, percent)}
        new = union - seen
        assert set(order[len(seen) : len(seen) + len(new)]) == new, percent
        seen |= new


def test_within_a_percent_the_largest_part_of_a_tags_weight_is_first():
    weights = np.array([[0.0, 6.0, 4.0, 0.0], [0.0, 0.0, 1.0, 9.0]])
    assert overall(weights).tolist() == [3, 1, 2, 0]  # 0 has no weight


def test_equal_weights_keep_the_order_of_the_neurons():
    assert by_weight(np.array([[1.0, -3.0, 3.0, -1.0]])).tolist() == [[1, 2, 0, 3]]


@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (0.5, 1), (0.51, 2), (1.0, 3)])
def test_a_share_by_hand(share, count):
    [found] = salient(np.array([[2.0, -5.0, 3.0]]), share)
    assert found.tolist() == [1, 2, 0][:count]
