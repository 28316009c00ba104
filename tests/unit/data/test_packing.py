"""Packed rows hold every token of every text once, in order, and no row is too long."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from mindflood.data.batching import Batch
from mindflood.data.packing import Packed, pack

LENGTH = 12
PADDING = 999


def batch_of(lengths: list[int]) -> Batch:
    """Texts of these lengths, every token another; 0: a filler, which repeats the first text."""
    ids = np.full((len(lengths), LENGTH), PADDING, np.int32)
    mask, segments = np.zeros_like(ids), np.zeros_like(ids)
    indices = np.array([text if length else -1 for text, length in enumerate(lengths)])
    for text, length in enumerate(lengths):
        many = length or lengths[0]
        ids[text, :many] = (100 * text if length else 0) + np.arange(many)
        mask[text, :many], segments[text, many // 2 : many] = 1, 1
    ones = np.ones(len(lengths), np.float32)
    return Batch(ids, mask, segments, np.zeros(len(lengths), np.int32), ones, indices)


def check(packed: Packed, batch: Batch) -> None:
    """Read each text where ``firsts`` says that it begins."""
    flat = {name: getattr(packed, name).reshape(-1) for name in ("input_ids", "token_type_ids")}
    owners, positions = packed.owners.reshape(-1), packed.positions.reshape(-1)
    taken: list[int] = []
    for text in np.flatnonzero(batch.indices >= 0):
        many, first = batch.attention_mask[text].sum(), packed.firsts[text]
        here = slice(first, first + many)
        assert first // LENGTH == (first + many - 1) // LENGTH  # in one row
        np.testing.assert_array_equal(flat["input_ids"][here], batch.input_ids[text, :many])
        np.testing.assert_array_equal(
            flat["token_type_ids"][here], batch.token_type_ids[text, :many]
        )
        np.testing.assert_array_equal(positions[here], np.arange(many))
        np.testing.assert_array_equal(
            np.flatnonzero(owners == text + 1), range(first, first + many)
        )
        taken += range(first, first + many)
    assert len(set(taken)) == len(taken)
    rest = np.setdiff1d(np.arange(owners.size), taken)
    assert not owners[rest].any()


FULL = st.integers(1, LENGTH)


@given(FULL, st.lists(st.integers(0, LENGTH), max_size=20))
@example(LENGTH, [LENGTH] * 15)
@example(1, [0] * 15)
def test_every_text_is_there_once(first: int, others: list[int]) -> None:
    batch = batch_of([first, *others])
    packed = pack(batch)
    check(packed, batch)
    tokens = int(batch.attention_mask[batch.indices >= 0].sum())
    assert -(-tokens // LENGTH) <= len(packed.owners) <= len(others) + 1


@given(st.integers(1, 40))
def test_at_most_eight_shapes_occur(texts: int) -> None:
    shapes = {len(pack(batch_of([LENGTH] * n + [1] * (texts - n))).owners) for n in range(texts)}
    assert len(shapes) <= 8
    assert max(shapes) <= texts


def test_a_token_of_the_padding_in_a_text_is_not_counted_where_it_never_is() -> None:
    batch = batch_of([5, 3])
    batch.input_ids[0, 2] = PADDING
    assert pack(batch).positions[0, :8].tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    uncounted = pack(batch, uncounted=PADDING)
    assert uncounted.positions[0, :8].tolist() == [0, 1, -1, 2, 3, 0, 1, 2]


def test_first_fit_decreasing_by_hand() -> None:
    packed = pack(batch_of([5, 7, 3, 9, 2, 4]))
    # 9, 7, 5, 4, 3, 2 into rows of 12: (9 3) (7 5) (4 2)
    assert packed.owners.tolist() == [
        [4] * 9 + [3] * 3, [2] * 7 + [1] * 5, [6] * 4 + [5] * 2 + [0] * 6,
    ]  # fmt: skip
    assert packed.firsts.tolist() == [12 + 7, 12, 9, 0, 24 + 4, 24]
