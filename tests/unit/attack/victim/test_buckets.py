"""Padded lengths depend on a text alone, and batches hold every row once, bounded in tokens."""

from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.victim.buckets import batches, bucket

LENGTHS = st.lists(st.integers(1, 512), max_size=60)


@given(length=st.integers(1, 512))
def test_padding_is_little(length):
    padded = bucket(length, 512)
    assert length <= padded <= 512
    assert padded - length <= max(1, length / 16)
    assert bucket(padded, 512) == padded  # a padded length is its own bucket


@given(length=st.integers(1, 24))
def test_no_bucket_is_longer_than_the_model_takes(length):
    assert length <= bucket(length, 24) <= 24


@given(lengths=LENGTHS, most=st.integers(1, 4096))
def test_batches_hold_every_row_once_within_the_bound(lengths, most):
    found = list(batches(lengths, 512, most))
    assert sorted(row for _, rows in found for row in rows) == list(range(len(lengths)))
    for padded, rows in found:
        assert {bucket(lengths[row], 512) for row in rows} == {padded}
        assert padded * len(rows) <= most or len(rows) == 1


@given(lengths=LENGTHS)
def test_batches_are_full_but_for_one_of_each_length(lengths):
    found = list(batches(lengths, 512, 2048))
    not_full = [padded for padded, rows in found if len(rows) < max(1, 2048 // padded)]
    assert len(not_full) == len(set(not_full))
