"""The plan of epochs whose rows are found as they begin: every step that is made is planned."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.data.batching import Batches, Encoded
from mindflood.data.sources import Examples
from mindflood.training.decay import Decay
from mindflood.training.epochs import Epochs, FoundEpochs, Plan, Round


def batches(rows, size, weights=None):
    lengths = np.full(rows, 4)
    encoded = Encoded(
        np.zeros(4 * rows, np.int32), np.zeros(4 * rows, np.int32),
        np.concatenate([[0], np.cumsum(lengths)]), 0, 8,
    )  # fmt: skip
    return Batches(encoded, np.zeros(rows, np.int64), size, 2, weights=weights)


def found(count):
    return Round(Examples((("text",),) * count, np.zeros(count, np.int64)), 1.5)


def epochs_of(plan, counts):
    """Epochs whose attacks find ``counts``, with what they were asked for: epoch, whether begun."""
    asked = []

    def find(epoch, begun):
        asked.append((epoch, begun))
        return found(counts[epoch])

    made = FoundEpochs(
        batches(plan.rows, plan.batch_size),
        plan,
        find,
        lambda rows: batches(plan.rows + len(rows), plan.batch_size),
    )
    made.decay = Decay(3, made.total)
    return made, asked


@st.composite
def runs(draw):
    """A plan, and what each of its attacks finds: nothing, some, or all that is wanted."""
    epochs = draw(st.integers(1, 6))
    rows = draw(st.integers(1, 40))
    wanted = math.ceil(draw(st.sampled_from([0.05, 0.2, 1.0])) * rows)
    plan = Plan(
        rows, draw(st.integers(1, 9)), epochs, draw(st.integers(0, epochs)),
        draw(st.integers(1, 4)), wanted,
    )  # fmt: skip
    counts = draw(st.lists(st.integers(0, wanted), min_size=epochs, max_size=epochs))
    return plan, counts


@given(runs())
def test_planned_steps_are_made_steps(run):
    plan, counts = run
    epochs, asked = epochs_of(plan, counts)
    made, trained = 0, []
    for epoch in range(plan.epochs):
        rows = epochs.begin(epoch)
        assert epochs.span(epoch) == (made, made + rows.steps_per_epoch)
        for _ in rows.epoch(epoch):
            assert epochs.of(made) == epoch
            made += 1
        trained.append(len(rows.labels) - plan.rows)
        assert epochs.done(made) == epoch + 1
    assert epochs.total == made == epochs.decay.total
    assert epochs.decay.at(made) == 0 or made <= 3
    attacks = range(plan.clean, plan.epochs, plan.interval)
    assert asked == [(epoch, False) for epoch in attacks]
    expected = [0] * plan.clean  # those between two attacks have the last one's rows again
    for epoch in attacks:
        expected += [counts[epoch]] * plan.interval
    assert trained == expected[: plan.epochs]


@given(runs(), st.data())
def test_a_continued_plan_is_the_one_that_was_stopped(run, data):
    plan, counts = run
    whole, _ = epochs_of(plan, counts)
    ends = [0]
    for epoch in range(plan.epochs):
        ends.append(ends[-1] + whole.begin(epoch).steps_per_epoch)
    step = data.draw(st.integers(0, ends[-1]))
    fresh = Plan(plan.rows, plan.batch_size, plan.epochs, plan.clean, plan.interval, plan.wanted)
    again, asked = epochs_of(fresh, counts)
    again.resume(step)
    at = again.of(step)
    assert at == sum(step >= end for end in ends[1:])
    # With each a step was made: it must be there, and none that is yet to come is asked for.
    assert all(begun and ends[epoch] < step for epoch, begun in asked)
    known = len(asked)
    for epoch in range(at, plan.epochs):
        again.begin(epoch)
    assert not any(begun for _, begun in asked[known:])
    assert again.total == whole.total
    assert vars(again.decay) == vars(whole.decay)


def test_until_an_attack_has_found_fewer_it_is_thought_to_find_all():
    plan = Plan(rows=100, batch_size=10, epochs=4, clean=1, interval=1, wanted=20)
    assert plan.starts() == [0, 10, 22, 34, 46]
    plan.counts[1] = 5
    assert plan.starts()[-1] == 10 + 3 * 11
    plan.counts[2] = 0
    assert plan.starts()[-1] == 10 + 11 + 2 * 10


def test_the_seconds_of_an_attack_are_those_of_the_epoch_that_it_begins():
    epochs, _ = epochs_of(Plan(10, 5, 4, 1, 2, 2), [0, 2, 0, 1])
    for epoch in range(4):
        epochs.begin(epoch)
    assert [epochs.seconds(epoch) for epoch in range(4)] == [0, 1.5, 0, 1.5]


def test_epochs_of_the_same_rows():
    epochs = Epochs(batches(10, 4), 3)
    assert (epochs.total, epochs.span(1), epochs.of(5), epochs.done(9)) == (9, (3, 6), 1, 3.0)
    assert [epochs.of(step) for step in (0, 2, 3, 9)] == [0, 0, 1, 3]


@pytest.mark.parametrize("step", [10, 40])
def test_the_line_goes_on_from_where_it_is(step):
    """Warm-up until 20: a bend before its end leaves the line whole."""
    line = Decay(20, 100)
    before = line.at(step)
    line.end_at(60, step)
    if step == 10:
        assert [line.at(t) for t in (20, 40, 60)] == [1.0, 0.5, 0.0]
    else:
        assert line.at(40) == before == 0.75
        assert [line.at(t) for t in (50, 60, 70)] == [0.375, 0.0, 0.0]


@given(st.integers(0, 30), st.integers(1, 200), st.integers(0, 250))
def test_without_a_bend_it_is_the_usual_decay(warmup, total, step):
    expected = max(0.0, (total - step) / max(1, total - warmup))
    assert Decay(warmup, total).at(step) == pytest.approx(expected)


def test_a_row_s_weight_does_not_change_what_the_batch_is_divided_by():
    from mindflood.training.parallel import row_weights

    weights = np.array([1, 1, 0.5, 0, 2.0])
    rows = batches(5, 4, weights)
    of_rows = {}
    for batch in rows.epoch(0):
        real = batch.indices >= 0
        expected = weights[batch.indices[real]] / real.sum()
        np.testing.assert_allclose(row_weights(batch, 1)[real], expected, rtol=1e-6)
        assert not row_weights(batch, 1)[~real].any()
        of_rows |= dict(zip(batch.indices[real].tolist(), batch.weights[real], strict=True))
    assert of_rows == dict(enumerate(weights.tolist()))
