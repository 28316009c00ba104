"""Where sub-epochs end, and what of a trace is missing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.errors import UserError
from mindflood.training.sub_epoch_ends import check_fits, check_no_gap, sub_epoch_ends


@given(st.integers(1, 500), st.integers(1, 20), st.integers(1, 5))
def test_sub_epochs_divide_every_epoch_evenly(per_epoch, sub_epochs, epochs):
    try:
        check_fits(per_epoch, sub_epochs)
    except UserError:
        assert per_epoch < 2 * sub_epochs
        return
    ends = sub_epoch_ends(per_epoch, sub_epochs, epochs)
    assert len(ends) == sub_epochs * epochs
    assert {epoch * per_epoch for epoch in range(1, epochs + 1)} <= set(ends)
    lengths = {after - before for before, after in itertools.pairwise([0, *ends])}
    assert min(lengths) >= 2
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([3, 6, 9], None),
        ([3, 9], r"line 2: step 9, expected the sub-epoch that ends at step 6"),
        ([6, 9], r"line 1: step 6, expected the sub-epoch that ends at step 3"),
        ([3, 6], r"line 3: no line, expected the sub-epoch that ends at step 9"),
        ([3, 6, 9, 12], r"line 4: step 12, expected none"),
        ([3, 6, "9"], r"line 3: step '9'"),
    ],
)
def test_a_gap_is_named(steps, message):
    records = [{"step": step} for step in steps]
    if message is None:
        check_no_gap(records, [3, 6, 9], "trace")
        return
    with pytest.raises(UserError, match=f"^trace, {message}"):
        check_no_gap(records, [3, 6, 9], "trace")
