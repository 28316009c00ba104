"""δ against NumPy: where it starts, how it climbs, that it stays inside its ball."""

import mindspore as ms
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mindspore import Tensor, nn

from mindflood.defences.batch import float_mask
from mindflood.defences.perturbation import Perturbation, UnitNoise
from mindflood.errors import UserError

SIZE = 6
NORMS = st.sampled_from(["l2", "linf"])
LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def _pynative():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def attention_mask(lengths: list[int], padded: int) -> np.ndarray:
    return (np.arange(padded) < np.array(lengths)[:, None]).astype(np.int32)


def numpy_norm(x: np.ndarray, norm: str) -> np.ndarray:
    """Per sample, in float64."""
    rows = x.astype(np.float64).reshape(len(x), -1)
    return np.linalg.norm(rows, axis=1) if norm == "l2" else np.abs(rows).max(axis=1)


def initial_delta(lengths, padded, norm="l2", magnitude=0.3, step=0, seed=0):
    unit = UnitNoise(SIZE, seed).draw(step, range(len(lengths)), padded)
    mask = float_mask(Tensor(attention_mask(lengths, padded)))
    return Perturbation(0.1, magnitude, 0.0, norm).initial(Tensor(unit), mask).asnumpy()


@settings(max_examples=30, deadline=None)
@given(LENGTHS, NORMS, st.floats(0, 2), st.integers(0, 1000))
def test_initial_delta_equals_its_formula(lengths, norm, magnitude, step):
    delta = initial_delta(lengths, 7, norm, magnitude, step)
    unit = UnitNoise(SIZE, 0).draw(step, range(len(lengths)), 7)
    for row, length in enumerate(lengths):
        share = np.sqrt(length * SIZE) if norm == "l2" else 1.0
        expected = unit[row, :length] * magnitude / share
        np.testing.assert_allclose(delta[row, :length], expected, rtol=1e-5, atol=1e-12)
        assert not delta[row, length:].any()
        # uniform(-1, 1) over n coordinates: the L2 norm is below √n.
        assert numpy_norm(delta, norm)[row] <= magnitude * (1 + 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    lengths=LENGTHS,
    norm=NORMS,
    step_size=st.floats(1e-3, 2),
    radius=st.just(0.0) | st.floats(1e-3, 1),
    scale=st.sampled_from([0.0, 1e-12, 1e-6, 1.0, 1e4]),
    seed=st.integers(0, 2**16),
)
def test_an_ascent_equals_numpy_and_stays_in_the_ball(
    lengths, norm, step_size, radius, scale, seed
):
    random = np.random.default_rng(seed)
    mask = attention_mask(lengths, 7)
    delta = (random.normal(size=(*mask.shape, SIZE)) * mask[..., None]).astype(np.float32)
    gradient = (random.normal(size=delta.shape) * scale).astype(np.float32)
    method = Perturbation(step_size, 0.0, radius, norm)
    new = method.ascend(Tensor(delta), Tensor(gradient), float_mask(Tensor(mask))).asnumpy()

    expected = gradient.astype(np.float64) * mask[..., None]
    expected /= np.maximum(numpy_norm(expected, norm), 1e-8)[:, None, None]
    expected = delta + step_size * expected
    if radius > 0 and norm == "l2":
        length = numpy_norm(expected, norm)[:, None, None]
        expected = np.where(
            length > radius, expected * radius / np.maximum(length, 1e-30), expected
        )
    elif radius > 0:
        expected = np.clip(expected, -radius, radius)
    np.testing.assert_allclose(new, expected, rtol=1e-4, atol=1e-6)
    assert not (new * (1 - mask[..., None])).any()
    if radius > 0:
        assert (numpy_norm(new, norm) <= radius * (1 + 1e-6)).all()


@settings(max_examples=20, deadline=None)
@given(LENGTHS, NORMS, st.integers(0, 9))
def test_nothing_depends_on_the_padded_length(lengths, norm, extra):
    short, long = (initial_delta(lengths, padded, norm) for padded in (7, 7 + extra))
    np.testing.assert_array_equal(long[:, :7], short)
    method = Perturbation(0.1, 0.0, 0.2, norm)
    gradient = np.random.default_rng(3).normal(size=long.shape).astype(np.float32)
    ascended = [
        method.ascend(
            Tensor(delta),
            Tensor(np.ascontiguousarray(gradient[:, : delta.shape[1]])),
            float_mask(Tensor(attention_mask(lengths, delta.shape[1]))),
        ).asnumpy()
        for delta in (short, long)
    ]
    np.testing.assert_allclose(ascended[1][:, :7], ascended[0], rtol=1e-5, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 10**6), st.integers(0, 7), st.integers(1, 8))
def test_rows_drawn_apart_are_the_rows_of_the_whole_batch(seed, step, start, count):
    noise = UnitNoise(SIZE, seed)
    whole = noise.draw(step, range(16), 5)
    np.testing.assert_array_equal(
        whole[start : start + count], noise.draw(step, range(start, start + count), 5)
    )
    assert -1 <= whole.min() < whole.max() < 1


@pytest.mark.parametrize(("seed", "step"), [(1, 0), (0, 1)])
def test_another_seed_or_step_draws_other_noise(seed, step):
    first = UnitNoise(SIZE, 0).draw(0, range(4), 50)
    assert not np.any(first == UnitNoise(SIZE, seed).draw(step, range(4), 50))
    assert first.mean() == pytest.approx(0, abs=0.05)
    assert first.var() == pytest.approx(1 / 3, abs=0.03)


def test_gaussian_noise_has_the_length_that_it_is_scaled_to():
    unit = UnitNoise(SIZE, 0, normal=True).draw(0, range(200), 7)
    assert unit.mean() == pytest.approx(0, abs=0.03)
    assert unit.std() == pytest.approx(1, abs=0.03)
    mask = float_mask(Tensor(attention_mask([7, 3] * 100, 7)))
    delta = Perturbation(0.1, 0.5, 0.0, "l2").initial(Tensor(unit), mask).asnumpy()
    assert (numpy_norm(delta, "l2") ** 2).mean() == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("norm", ["l1", "L2", "linff", ""])
def test_another_norm_is_refused(norm):
    with pytest.raises(UserError, match=f"^norm '{norm}': expected l2 or linf$"):
        Perturbation(0.1, 0.3, 0.2, norm)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_graph_mode_and_pynative_agree(norm):
    class Whole(nn.Cell):
        def __init__(self):
            super().__init__()
            self.method = Perturbation(0.1, 0.3, 0.2, norm)

        def construct(self, unit, gradient, attention):
            mask = float_mask(attention)
            return self.method.ascend(self.method.initial(unit, mask), gradient, mask)

    unit = UnitNoise(SIZE, 0).draw(0, range(3), 7)
    gradient = np.random.default_rng(0).normal(size=unit.shape).astype(np.float32)
    inputs = [Tensor(a) for a in (unit, gradient, attention_mask([3, 7, 1], 7))]
    eager = Whole()(*inputs).asnumpy()
    ms.set_context(mode=ms.GRAPH_MODE)
    np.testing.assert_allclose(Whole()(*inputs).asnumpy(), eager, rtol=1e-6, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(
        st.lists(st.integers(0, 7), min_size=3, max_size=3).filter(any), min_size=1, max_size=3
    ),
    norm=NORMS,
    radius=st.just(0.0) | st.floats(1e-3, 1),
    seed=st.integers(0, 2**16),
)
def test_the_choices_of_a_question_share_one_norm_and_one_ball(lengths, norm, radius, seed):
    """FreeLB, appendix A.1: δ is of all its question/answer pairs together."""
    random = np.random.default_rng(seed)
    mask = attention_mask([length for row in lengths for length in row], 7)[..., None]
    unit = random.normal(size=(*mask.shape[:2], SIZE)).astype(np.float32)
    gradient = random.normal(size=unit.shape).astype(np.float32)
    method = Perturbation(0.4, 0.3, radius, norm, texts=3)
    start = method.initial(Tensor(unit), Tensor(mask.astype(np.float32)))
    new = method.ascend(start, Tensor(gradient), Tensor(mask.astype(np.float32))).asnumpy()

    questions = (len(lengths), -1)
    share = np.sqrt(mask.reshape(questions).sum(axis=1) * SIZE) if norm == "l2" else 1.0
    share = np.broadcast_to(share, len(lengths)).reshape(-1, 1)
    expected = (unit * mask * 0.3).reshape(questions) / share
    np.testing.assert_allclose(start.asnumpy().reshape(questions), expected, rtol=1e-5, atol=1e-7)
    climbing = (gradient * mask).astype(np.float64).reshape(questions)
    expected = expected + 0.4 * climbing / numpy_norm(climbing, norm)[:, None]
    if radius > 0 and norm == "l2":
        expected *= np.minimum(1, radius / numpy_norm(expected, norm))[:, None]
    elif radius > 0:
        expected = np.clip(expected, -radius, radius)
    np.testing.assert_allclose(new.reshape(questions), expected, rtol=1e-4, atol=1e-6)
