"""The streaming estimator against the literal sums of Flooding-X eq. 11-13."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load, save

from mindflood.errors import UserError
from mindflood.flooding.estimator import AccordanceEstimator


def cosine(g: np.ndarray, h: np.ndarray) -> float:
    """Eq. 11 for one pair of vectors."""
    g, h = g.astype(np.float64), h.astype(np.float64)
    return math.fsum(g * h) / math.sqrt(math.fsum(g * g) * math.fsum(h * h))


def literal_accordance(batches: list[dict[int, np.ndarray]], num_classes: int) -> float:
    """Eq. 12 and 13 as printed, for batches that have every class."""
    N, k = len(batches), num_classes
    total = 0.0
    for s, t in itertools.combinations(range(N), 2):
        batch_accordance = 0.0
        for i, j in itertools.permutations(range(k), 2):
            batch_accordance += cosine(batches[s][i], batches[t][j])
        total += batch_accordance / (k * (k - 1))
    return total / (N * (N - 1))


def naive_accordance(batches: list[dict[int, np.ndarray]], num_classes: int) -> float | None:
    """Half the mean cosine over s < t and the ordered class pairs that both have."""
    cosines = [
        cosine(first[i], second[j])
        for first, second in itertools.combinations(batches, 2)
        for i, j in itertools.permutations(range(num_classes), 2)
        if i in first and j in second and np.any(first[i]) and np.any(second[j])
    ]
    return 0.5 * math.fsum(cosines) / len(cosines) if cosines else None


def estimate(batches, num_classes, **settings) -> AccordanceEstimator:
    estimator = AccordanceEstimator(num_classes, **settings)
    for batch in batches:
        estimator.update(batch)
    return estimator


def assert_agree(value: float | None, expected: float | None, rel: float) -> None:
    """Both undefined, or close; the absolute floor is the rounding of a sum that cancels to 0."""
    assert (value is None) == (expected is None)
    assert value is None or math.isclose(value, expected, rel_tol=rel, abs_tol=1e-14)


def random_batches(N: int, k: int, P: int, seed: int = 0) -> list[dict[int, np.ndarray]]:
    """Class gradients that agree in part: a mean of the class and noise of the batch."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(k, P))
    return [
        {i: (means[i] + rng.normal(size=P)).astype(np.float32) for i in range(k)} for _ in range(N)
    ]


# Every float32 size, subnormal and huge included; zeros often, so that zero gradients turn up.
ENTRIES = st.one_of(
    st.just(0.0),
    st.sampled_from([-1.0, 1.0]),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@st.composite
def sub_epochs(draw):
    """(k, batches): any number of batches, classes and entries, any pattern of absent classes."""
    k, P = draw(st.integers(2, 5)), draw(st.integers(1, 6))
    vector = arrays.arrays(np.float32, P, elements=ENTRIES)
    batch = st.dictionaries(st.integers(0, k - 1), vector, max_size=k)
    return k, draw(st.lists(batch, max_size=7))


SINGLE_CLASS = (2, [{0: np.ones(3, np.float32)}] * 3)


@settings(max_examples=300, deadline=None)
@given(sub_epochs())
@example((3, []))
@example(SINGLE_CLASS)
@example((2, [{0: np.ones(2, np.float32), 1: np.ones(2, np.float32)}]))
def test_equals_the_pair_sums_for_any_pattern_of_absent_classes(sub_epoch):
    k, batches = sub_epoch
    estimator = estimate(batches, k)
    assert estimator.num_batches == len(batches)
    assert_agree(estimator.value(), naive_accordance(batches, k), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(N=st.integers(2, 12), k=st.integers(2, 6), P=st.integers(1, 300), seed=st.integers(0, 99))
def test_equals_eq_13_as_printed_where_every_batch_has_every_class(N, k, P, seed):
    batches = random_batches(N, k, P, seed)
    value = estimate(batches, k).value()
    assert value == pytest.approx(literal_accordance(batches, k), rel=1e-6, abs=1e-13)


def test_hand_worked_value():
    # cos(g_1^0, g_2^1) = 3/5 and cos(g_1^1, g_2^0) = 0: mean 0.3 over the ordered pairs, halved.
    first = {0: np.array([2.0, 0.0]), 1: np.array([0.0, 7.0])}
    second = {0: np.array([-1.0, 0.0]), 1: np.array([3.0, 4.0])}
    assert estimate([first, second], 2).value() == pytest.approx(0.15, rel=1e-15)


@pytest.mark.parametrize("sign", [1, -1], ids=["same-direction", "opposite"])
def test_bounds_are_plus_and_minus_a_half(sign):
    g = np.arange(1, 5, dtype=np.float32)
    batches = [{0: g * scale, 1: sign * g} for scale in (1, 100, 1e-20)]
    assert estimate(batches, 2).value() == pytest.approx(0.5 * sign, rel=1e-12)


@pytest.mark.parametrize("P", [65_536, 65_537, 200_001])
def test_vectors_longer_than_a_chunk(P):
    batches = random_batches(3, 2, P)
    assert estimate(batches, 2).value() == pytest.approx(literal_accordance(batches, 2), rel=1e-6)


def test_nearly_cancelling_sum_keeps_its_relative_precision():
    rng = np.random.default_rng(0)
    batches = [  # cosines of +1 and -1 in equal number, so that only the noise is left
        {i: (sign + 1e-3 * rng.normal(size=20_000)).astype(np.float32) for i in (0, 1)}
        for sign in (1, 1, 1, -1, -1, -1, -1, -1, -1)
    ]
    expected = naive_accordance(batches, 2)
    assert abs(expected) < 1e-6
    assert_agree(estimate(batches, 2).value(), expected, rel=1e-6)


def test_tensors_of_the_parameters_stand_for_their_concatenation():
    batches = random_batches(4, 3, 70_000)
    in_parts = [
        {
            i: [
                g[:60].reshape(3, 20),
                g[60:60],
                np.asfortranarray(g[60:69_960].reshape(300, 233)),
                g[69_960:],
            ]
            for i, g in batch.items()
        }
        for batch in batches
    ]
    whole, parts = estimate(batches, 3), estimate(in_parts, 3)
    assert parts.value() == pytest.approx(whole.value(), rel=1e-12)


@pytest.mark.parametrize("P", [1, 7, 1_000])
def test_float32_sums_are_accurate_to_1e_6_absolute(P):
    batches = random_batches(20, 3, P)
    estimator = estimate(batches, 3, dtype=np.float32)
    assert estimator.state_dict()["sums"].dtype == np.float32
    assert estimator.value() == pytest.approx(literal_accordance(batches, 3), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(sub_epochs(), st.integers(0, 7))
def test_restored_from_safetensors_it_ends_with_the_same_bits(sub_epoch, stop):
    k, batches = sub_epoch
    resumed = AccordanceEstimator(k)
    resumed.load_state_dict(load(save(estimate(batches[:stop], k).state_dict())))
    for batch in batches[stop:]:
        resumed.update(batch)
    whole = estimate(batches, k)
    assert resumed.num_batches == whole.num_batches
    assert resumed.value() == whole.value()


def test_loaded_state_is_a_copy():
    batches = random_batches(4, 2, 10)
    donor = estimate(batches[:2], 2)
    value = donor.value()
    other = AccordanceEstimator(2)
    other.load_state_dict(donor.state_dict())
    other.update(batches[3])
    assert donor.value() == value


def test_gradients_are_neither_changed_nor_kept():
    batches = random_batches(3, 2, 50)
    expected = estimate(batches, 2).value()
    estimator = AccordanceEstimator(2)
    reused = {i: np.empty(50, np.float32) for i in range(2)}
    for batch in batches:
        for i, g in batch.items():
            reused[i][:] = g
        estimator.update(reused)
        assert all(np.array_equal(reused[i], batch[i]) for i in batch)
    assert estimator.value() == expected


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_memory_is_the_running_sums_and_a_few_chunks(dtype):
    P, k, chunk = 2_000_000, 2, 65_536 * 8
    batches = random_batches(2, k, P)
    tracemalloc.start()
    estimator = estimate(batches, k, dtype=dtype)
    estimator.value()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < k * P * np.dtype(dtype).itemsize + 3 * k * chunk


@pytest.mark.parametrize(
    "batches",
    [[], [{0: np.ones(2), 1: np.ones(2)}], SINGLE_CLASS[1], [{}, {}], [{0: np.zeros(2)}] * 2],
    ids=["empty", "single-batch", "single-class", "no-class", "zero-gradients"],
)
def test_without_a_valid_pair_the_accordance_is_none(batches):
    assert estimate(batches, 2).value() is None


BAD_GRADIENTS = {
    "nan": ({0: np.array([1, np.nan, 0], np.float32)}, "class 0: it has NaN"),
    "infinite": ({1: np.array([1, -np.inf, 0], np.float32)}, "class 1: it has NaN or infinite"),
    "class-too-large": ({2: np.ones(3)}, "class 2: expected a whole number from 0 to 1"),
    "class-negative": ({-1: np.ones(3)}, "class -1"),
    "class-not-whole": ({0.5: np.ones(3)}, "class 0.5"),
    "other-length": ({0: np.ones(4)}, "class 0: 4 entries, the batches before have 3"),
    "lengths-differ": ({0: np.ones(3), 1: [np.ones(2), np.ones(1)]}, "class 1: 3 entries in 2"),
    "matrix": ({0: np.ones((1, 3))}, "shape"),
    "whole-numbers": ({0: np.ones(3, np.int64)}, "int64, expected a NumPy array of floats"),
    "not-arrays": ({0: [1.0, 2.0, 3.0]}, "float, expected a NumPy array"),
    "no-entries": ({0: np.ones(0)}, "no entries"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_GRADIENTS.values(), ids=BAD_GRADIENTS)
def test_bad_gradients_are_refused_and_change_nothing(bad, message):
    batches = random_batches(2, 2, 3)
    estimator = estimate(batches, 2)
    value = estimator.value()
    with pytest.raises(UserError, match=message) as caught:
        estimator.update(bad)
    assert "\n" not in str(caught.value)
    assert (estimator.num_batches, estimator.value()) == (2, value)


def test_bad_settings_and_states_are_refused():
    estimator = estimate(random_batches(2, 2, 3), 2)
    with pytest.raises(UserError, match="num_classes: 1"):
        AccordanceEstimator(1)
    with pytest.raises(UserError, match="float16"):
        AccordanceEstimator(2, dtype=np.float16)
    with pytest.raises(UserError, match="does not fit 3 classes"):
        AccordanceEstimator(3).load_state_dict(estimator.state_dict())
    with pytest.raises(UserError, match="'together' is missing"):
        AccordanceEstimator(2).load_state_dict({"sums": np.zeros((2, 0)), "same_batch": np.eye(2)})
