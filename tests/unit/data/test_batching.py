"""Batches: every row once an epoch, few shapes, order from the seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.data.batching import Batch, Batches, Encoded
from mindflood.errors import UserError

PAD = 9
BUCKETS = (4, 8, 16)
CLASSES = 3


def encoded(lengths: list[int], max_length: int = 16) -> Encoded:
    """Row i holds the token 100 + i, ``lengths[i]`` times; its second half is segment 1."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.repeat(np.arange(len(lengths), dtype=np.int32) + 100, lengths)
    segments = np.concatenate([np.arange(n) >= n / 2 for n in lengths]).astype(np.int32)
    return Encoded(ids, segments, offsets, pad_id=PAD, max_length=max_length)


def batches(
    lengths: list[int],
    batch_size: int,
    seed: int = 0,
    *,
    shuffle: bool = True,
    grouped: bool = False,
) -> Batches:
    labels = np.arange(len(lengths)) % CLASSES
    return Batches(
        encoded(lengths), labels, batch_size, CLASSES,
        buckets=BUCKETS, seed=seed, shuffle=shuffle, group_by_length=grouped,
    )  # fmt: skip


def indices(epoch: list[Batch]) -> list[int]:
    return [index for batch in epoch for index in batch.indices.tolist()]


data_sets = st.lists(st.integers(1, 16), min_size=1, max_size=80)
sizes = st.integers(1, 9)
any_seed = st.integers(0, 2**32)


@given(data_sets, sizes, any_seed, st.integers(0, 9), st.booleans(), st.booleans())
def test_every_row_once_an_epoch_and_at_most_one_batch_filled_up(
    lengths: list[int], batch_size: int, seed: int, epoch: int, shuffle: bool, grouped: bool
) -> None:
    made = batches(lengths, batch_size, seed, shuffle=shuffle, grouped=grouped)
    seen = list(made.epoch(epoch))
    assert len(seen) == made.steps_per_epoch == -(-len(lengths) // batch_size)
    assert sorted(index for index in indices(seen) if index >= 0) == list(range(len(lengths)))
    assert sum((batch.indices < 0).any() for batch in seen) <= 1


@given(data_sets, sizes, any_seed, st.booleans())
def test_rows_fit_their_batch_and_fill_it_as_the_tokenizer_pads(
    lengths: list[int], batch_size: int, seed: int, grouped: bool
) -> None:
    for batch in batches(lengths, batch_size, seed, grouped=grouped).epoch(0):
        length = batch.input_ids.shape[1]
        assert length in BUCKETS
        for ids, mask, segments, index in zip(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, batch.indices, strict=True
        ):
            if index < 0:
                continue
            n = lengths[index]
            assert ids.tolist() == [100 + index] * n + [PAD] * (length - n)
            assert mask.tolist() == [1] * n + [0] * (length - n)
            assert segments.tolist() == [int(i >= n / 2) for i in range(n)] + [0] * (length - n)


@given(data_sets, sizes, any_seed, st.booleans())
def test_labels_and_weights(lengths: list[int], batch_size: int, seed: int, grouped: bool) -> None:
    for batch in batches(lengths, batch_size, seed, grouped=grouped).epoch(1):
        real = batch.indices >= 0
        assert np.array_equal(batch.weights, real.astype(np.float32))
        assert np.array_equal(batch.labels[real], batch.indices[real] % CLASSES)
        # A filler repeats a row of its batch, so that no attention runs over nothing.
        assert (batch.input_ids[~real] == batch.input_ids[0]).all()
        assert (batch.attention_mask.sum(axis=1) > 0).all()
        assert len(real) == batch_size


@given(data_sets, sizes, any_seed, st.integers(0, 3))
def test_a_batch_has_the_bucket_of_its_longest_row_and_only_the_last_is_filled_up(
    lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    seen = list(batches(lengths, batch_size, seed).epoch(epoch))
    for batch in seen:
        longest = max(lengths[row] for row in batch.indices if row >= 0)
        assert batch.input_ids.shape[1] == min(b for b in BUCKETS if b >= longest)
    assert all((batch.indices >= 0).all() for batch in seen[:-1])


def test_batches_are_uniform_samples_whatever_the_lengths_of_the_rows() -> None:
    """How often two rows meet must not depend on their lengths; grouped, it does."""
    short, size, epochs = 24, 8, 400
    lengths = [3] * short + [12] * short

    def share_of_mixed_pairs(grouped: bool) -> float:
        made = batches(lengths, size, grouped=grouped)
        mixed = 0
        for epoch in range(epochs):
            for batch in made.epoch(epoch):
                long = int((batch.indices >= short).sum())
                mixed += long * (size - long)
        pairs = epochs * made.steps_per_epoch * size * (size - 1) // 2
        return mixed / pairs

    # Of the 47 other rows 24 are of the other length: 0.511; its standard error here is 0.002.
    assert share_of_mixed_pairs(grouped=False) == pytest.approx(24 / 47, abs=0.01)
    assert share_of_mixed_pairs(grouped=True) == 0.0


def test_each_row_stands_at_each_place_of_an_epoch_equally_often() -> None:
    lengths = [1 + i % 16 for i in range(12)]
    made = batches(lengths, 4)
    seen = np.array([indices(list(made.epoch(epoch))) for epoch in range(3000)])
    counts = np.array([np.bincount(place, minlength=12) for place in seen.T])
    # χ² of 144 cells with 121 degrees of freedom: mean 121, standard deviation 15.6.
    assert ((counts - 250.0) ** 2 / 250.0).sum() < 121 + 5 * 15.6


@given(data_sets, sizes, any_seed)
def test_a_full_bucket_holds_only_rows_that_no_smaller_one_could(
    lengths: list[int], batch_size: int, seed: int
) -> None:
    promoted = 0
    for batch in batches(lengths, batch_size, seed, grouped=True).epoch(0):
        rows = batch.indices[batch.indices >= 0]
        length = batch.input_ids.shape[1]
        smallest = [min(b for b in BUCKETS if b >= lengths[row]) for row in rows]
        assert max(smallest) == length
        promoted += sum(bucket < length for bucket in smallest)
    assert promoted <= (len(BUCKETS) - 1) * (batch_size - 1)


@given(data_sets, sizes, any_seed)
def test_the_shapes_of_a_grouped_epoch_never_change(
    lengths: list[int], batch_size: int, seed: int
) -> None:
    made = batches(lengths, batch_size, seed, grouped=True)
    shapes = [Counter(b.input_ids.shape[1] for b in made.epoch(epoch)) for epoch in range(3)]
    assert shapes[0] == shapes[1] == shapes[2]


@settings(max_examples=30)
@given(data_sets, sizes, any_seed, st.booleans(), st.data())
def test_a_batch_is_a_function_of_seed_epoch_and_number(
    lengths: list[int], batch_size: int, seed: int, grouped: bool, data: st.DataObject
) -> None:
    one, other = (batches(lengths, batch_size, seed, grouped=grouped) for _ in range(2))
    whole = list(one.epoch(2))
    start = data.draw(st.integers(0, len(whole)))
    list(other.epoch(1))
    assert indices(list(other.epoch(2, start))) == indices(whole[start:])
    if start < len(whole):
        again, first = other.batch(2, start), whole[start]
        for name in Batch.__dataclass_fields__:
            assert np.array_equal(getattr(again, name), getattr(first, name)), name


def test_epochs_and_seeds_differ_in_order_and_evaluation_does_not() -> None:
    lengths = [1 + i % 16 for i in range(96)]
    order = {
        (seed, epoch): tuple(indices(list(batches(lengths, 8, seed).epoch(epoch))))
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(set(order.values())) == 4
    still = batches(lengths, 8, shuffle=False)
    assert indices(list(still.epoch(0))) == indices(list(still.epoch(5)))
    lengths_seen = [batch.input_ids.shape[1] for batch in still.epoch(0)]
    assert lengths_seen == sorted(lengths_seen)


def test_grouped_batches_of_different_lengths_are_mixed() -> None:
    made = batches([3] * 64 + [12] * 64, 8, grouped=True)
    lengths = [batch.input_ids.shape[1] for batch in made.epoch(0)]
    assert lengths not in (sorted(lengths), sorted(lengths, reverse=True))


def test_types_of_a_batch() -> None:
    batch = batches([2, 3, 5], 2).batch(0, 0)
    types = {name: str(getattr(batch, name).dtype) for name in Batch.__dataclass_fields__}
    assert types == {
        "input_ids": "int32",
        "attention_mask": "int32",
        "token_type_ids": "int32",
        "labels": "int32",
        "weights": "float32",
        "indices": "int64",
    }


@pytest.mark.parametrize(
    ("buckets", "max_length", "expected"),
    [
        ((32, 64, 128, 256, 512), 100, [32, 64, 100]),
        ((32, 64), 128, [32, 64, 128]),
        ((64, 32, 64), 64, [32, 64]),
    ],
    ids=["cut", "extended", "sorted"],
)
def test_buckets_end_at_the_longest_row_there_may_be(
    buckets: tuple[int, ...], max_length: int, expected: list[int]
) -> None:
    made = Batches(encoded([3], max_length), np.array([0]), 4, 2, buckets=buckets)
    assert made.buckets.tolist() == expected


@pytest.mark.parametrize(
    ("lengths", "labels", "batch_size", "buckets", "message"),
    [
        ([], [], 2, (4,), "empty"),
        ([1], [0], 0, (4,), "batch_size 0"),
        ([1], [0], 2, (0, 4), "buckets"),
        ([1], [0], 2, (), "buckets"),
        ([1], [2], 2, (4,), "from 0 to 1"),
        ([1], [-1], 2, (4,), "from 0 to 1"),
        ([1], [0, 1], 2, (4,), "expected 1 numbers"),
    ],
    ids=["no-rows", "size", "zero-bucket", "no-buckets", "label-high", "label-low", "label-count"],
)
def test_what_cannot_be_batched(
    lengths: list[int], labels: list[int], batch_size: int, buckets: tuple[int, ...], message: str
) -> None:
    rows = encoded(lengths) if lengths else Encoded(*[np.zeros(0, np.int32)] * 2, np.zeros(1), 0, 8)
    with pytest.raises(UserError, match=message):
        Batches(rows, np.array(labels), batch_size, 2, buckets=buckets)
