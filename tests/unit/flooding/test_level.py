"""The criterion: a persistent zero crossing of the accordance, else the documented fallback."""

import dataclasses
import itertools
import json
import logging
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.errors import UserError
from mindflood.flooding.level import CrossingDetector, FloodLevel, choose_flood_level


def make_trace(accordance, train_loss=None, eval_loss=None):
    """Two sub-epochs of 100 steps an epoch; the training loss falls as 1, 1/2, 1/3, ..."""
    train_loss = train_loss or [1 / (i + 1) for i in range(len(accordance))]
    eval_loss = eval_loss or [None] * len(accordance)
    return [
        {
            "step": 100 * (i + 1),
            "epoch": (i + 1) / 2,
            "accordance": value,
            "train_loss": train_loss[i],
            "eval_loss": eval_loss[i],
            "eval_accuracy": None,
        }
        for i, value in enumerate(accordance)
    ]


def automaton_crossing(values, direction, persistence):
    """(before, after) of the first confirmed crossing, by walking the signs one at a time."""
    side, candidate, row, last_sided = 0, 0, [], None
    for index, value in enumerate(values):
        sign = 0 if value is None else (value > 0) - (value < 0)
        if sign == 0:
            continue
        if sign != candidate:
            candidate, row, before = sign, [], last_sided
        row.append(index)
        last_sided = index
        if len(row) == persistence:
            allowed = direction == "either" or (direction == "rising") == (sign > 0)
            if side == -sign and allowed:
                return before, row[0]
            side = sign
    return None


ACCORDANCES = st.lists(
    st.one_of(st.none(), st.sampled_from([-0.4, -0.01, 0.0, 0.01, 0.3])), min_size=1, max_size=24
)
SETTINGS = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["either", "rising", "falling"]),
        "persistence": st.integers(1, 4),
    }
)


@settings(max_examples=400, deadline=None)
@given(ACCORDANCES, SETTINGS)
def test_first_persistent_crossing(values, criterion):
    trace = make_trace(values)
    found = choose_flood_level(trace, **criterion)
    expected = automaton_crossing(values, **criterion)
    if expected is None:
        assert (found.source, found.direction) == ("fallback", None)
        assert found.level == trace[-1]["train_loss"]
    else:
        before, after = (trace[i] for i in expected)
        assert found.source == "accordance"
        assert found.direction == ("rising" if after["accordance"] > 0 else "falling")
        assert (found.sub_epoch, found.step, found.epoch) == (
            expected[0],
            before["step"],
            before["epoch"],
        )
        assert found.level == before["train_loss"]
        assert (found.lower, found.upper) == (after["train_loss"], before["train_loss"])


@settings(max_examples=200, deadline=None)
@given(ACCORDANCES, SETTINGS, st.data())
def test_running_detector_killed_anywhere_agrees_with_the_whole_trace(values, criterion, data):
    losses = st.lists(
        st.one_of(st.none(), st.floats(0, 2)), min_size=len(values), max_size=len(values)
    )
    trace = make_trace(values, eval_loss=data.draw(losses))
    kill = data.draw(st.integers(0, len(trace)))
    detector = CrossingDetector(**criterion)
    for index, record in enumerate(trace):
        if index == kill:
            detector = CrossingDetector(**criterion)  # as a run goes on: from its trace's lines
            for line in json.loads(json.dumps(trace[:index], allow_nan=False)):
                detector.update(line)
        crossing = detector.update(record)
        on_prefix = choose_flood_level(trace[: index + 1], **criterion)
        assert detector.conclude() == on_prefix
        assert crossing == (on_prefix if on_prefix.source == "accordance" else None)


@settings(max_examples=200, deadline=None)
@given(ACCORDANCES, st.lists(st.floats(0, 3), min_size=24, max_size=24))
def test_level_lies_in_its_range_and_the_grid_covers_it(values, train_loss):
    found = choose_flood_level(make_trace(values, train_loss))
    assert found.lower <= found.level <= found.upper
    grid = found.grid(0.01)
    assert 0 < grid[0] <= max(found.lower, 0.01) + 1e-9
    assert found.upper <= grid[-1] + 1e-9
    assert all(math.isclose(b - a, 0.01, rel_tol=1e-6) for a, b in itertools.pairwise(grid))


@pytest.mark.parametrize(
    ("accordance", "before", "direction"),
    [
        ([-0.4, -0.2, 0.1, 0.2], 1, "rising"),
        ([0.4, 0.2, -0.1, -0.2], 1, "falling"),
        ([-0.4, -0.2, 0.1, -0.1, 0.2, 0.1], 3, "rising"),
        ([-0.4, -0.2, 0.0, None, 0.2, 0.1], 1, "rising"),
        ([0.1, -0.4, -0.2, 0.1, 0.2], 2, "rising"),
        ([-0.4, -0.2, 0.1, 0.0, 0.2], 1, "rising"),
    ],
    ids=[
        "rising",
        "falling",
        "noise-before",
        "zero-and-null-between",
        "noise-first",
        "zero-in-row",
    ],
)
def test_worked_crossings(accordance, before, direction):
    found = choose_flood_level(make_trace(accordance))
    assert (found.source, found.sub_epoch, found.direction) == ("accordance", before, direction)


def test_direction_can_be_restricted():
    trace = make_trace([0.3, 0.2, -0.1, -0.2, 0.1, 0.2])
    assert choose_flood_level(trace).sub_epoch == 1
    assert choose_flood_level(trace, direction="rising").sub_epoch == 3


def test_margin_keeps_a_hovering_accordance_from_crossing():
    trace = make_trace([-0.4, -0.2, 0.004, 0.006, -0.01, 0.2, 0.3])
    assert choose_flood_level(trace).sub_epoch == 1
    with_margin = choose_flood_level(trace, margin=0.02)
    assert (with_margin.sub_epoch, with_margin.lower, with_margin.upper) == (1, 1 / 6, 1 / 2)
    assert choose_flood_level(trace[:5], margin=0.02).source == "fallback"


# The shape that SST-2 with 2,000 sentences showed: the accordance climbs to zero and hovers below,
# the evaluation loss turns long before.
HOVERING = make_trace(
    accordance=[-0.48, -0.44, -0.36, -0.27, -0.17, -0.06, -0.005, -0.015, -0.04],
    train_loss=[0.69, 0.55, 0.42, 0.33, 0.25, 0.15, 0.09, 0.06, 0.04],
    eval_loss=[0.68, 0.56, 0.45, 0.41, 0.43, 0.47, 0.52, 0.58, 0.62],
)


def test_without_a_crossing_the_turn_of_the_evaluation_loss_decides():
    found = choose_flood_level(HOVERING)
    assert (found.source, found.direction, found.sub_epoch) == ("fallback", None, 3)
    assert (found.lower, found.level, found.upper) == (0.25, 0.33, 0.33)
    assert "no persistent crossing" in found.rule
    assert "evaluation loss was lowest at step 400" in found.rule


def test_evaluation_rows_that_will_be_attacked_do_not_choose_the_level():
    found = choose_flood_level(HOVERING, use_eval_loss=False)
    assert (found.source, found.sub_epoch, found.level) == ("fallback", 8, 0.04)
    assert "rows that will be attacked" in found.rule
    blind = [line | {"eval_loss": None} for line in HOVERING]
    assert choose_flood_level(blind).level == found.level


def test_evaluations_may_be_rarer_than_sub_epochs():
    rare = [
        line | {"eval_loss": line["eval_loss"] if i % 2 else None}
        for i, line in enumerate(HOVERING)
    ]
    found = choose_flood_level(rare)
    assert (found.sub_epoch, found.lower, found.upper) == (3, 0.15, 0.33)


@pytest.mark.parametrize(
    ("eval_loss", "reason"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], "not seen to turn"),
        ([0.9, 0.8, 0.7, 0.6, 0.65], "not seen to turn"),
        ([0.9, 0.9, 0.9, 0.9, 0.9], "not seen to turn"),
        (None, "not measured"),
    ],
    ids=["still-falling", "one-rise-is-noise", "constant", "not-measured"],
)
def test_without_any_sign_of_overfitting_the_end_of_the_run_bounds_the_level(eval_loss, reason):
    found = choose_flood_level(make_trace([-0.4] * 5, eval_loss=eval_loss))
    assert (found.sub_epoch, found.lower, found.level, found.upper) == (4, 0.0, 0.2, 0.2)
    assert reason in found.rule
    assert "upper bound" in found.rule


def test_accordance_that_was_never_defined_is_said():
    assert "undefined in every sub-epoch" in choose_flood_level(make_trace([None] * 4)).rule


def test_fallback_is_loud_and_a_crossing_is_not(caplog):
    with caplog.at_level(logging.WARNING):
        choose_flood_level(make_trace([-0.4, -0.3, 0.1, 0.2]))
        assert caplog.messages == []
        choose_flood_level(HOVERING, name="pass1/accordance.jsonl")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("pass1/accordance.jsonl: FALLBACK")


def test_crossing_stays_when_training_goes_on_flooded():
    detector = CrossingDetector()
    first = [detector.update(line) for line in make_trace([-0.4, -0.3, 0.1, 0.2])]
    assert first[:3] == [None] * 3
    assert isinstance(first[3], FloodLevel)
    for line in make_trace([-0.4, -0.3, 0.1, 0.2, -0.3, -0.2, -0.1], eval_loss=[1.0] * 7)[4:]:
        assert detector.update(line) == first[3]
    assert detector.conclude() == first[3]


GOOD = make_trace([-0.4, -0.3, -0.2])
BAD_LINES = {
    "accordance-nan": ({"accordance": math.nan}, "line 4: accordance: nan"),
    "accordance-infinite": ({"accordance": -math.inf}, "accordance: -inf"),
    "train-loss-nan": ({"train_loss": math.nan}, "train_loss: nan"),
    "train-loss-negative": ({"train_loss": -0.1}, "train_loss: -0.1, expected a finite number"),
    "train-loss-null": ({"train_loss": None}, "train_loss: None"),
    "eval-loss-nan": ({"eval_loss": math.nan}, "eval_loss: nan"),
    "epoch-text": ({"epoch": "2"}, "epoch: '2'"),
    "epoch-back": ({"epoch": 1.0}, "epoch 1 after step 300, epoch 1.5"),
    "step-true": ({"step": True}, "step: True"),
    "step-fraction": ({"step": 350.5}, "step: 350.5"),
    "step-repeated": ({"step": 300}, "step 300, epoch 2 after step 300"),
    "step-back": ({"step": 200}, "expected them to increase"),
    "sub-epoch-missing": ({"step": 500}, "from 300 to 500, before by at most 100"),
}


@pytest.mark.parametrize(("change", "message"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_line_is_named_and_not_taken_in(change, message):
    good = make_trace([-0.4, -0.3, -0.2, -0.1])[3]
    detector = CrossingDetector(name="trace.jsonl")
    for line in GOOD:
        detector.update(line)
    with pytest.raises(UserError, match=message) as caught:
        detector.update(good | change)
    assert str(caught.value).startswith("trace.jsonl, line 4: ")
    assert "\n" not in str(caught.value)
    detector.update(good)


@pytest.mark.parametrize("key", ["step", "epoch", "accordance", "train_loss"])
def test_missing_key_is_named(key):
    line = {k: v for k, v in GOOD[0].items() if k != key}
    with pytest.raises(UserError, match=f"trace, line 1: {key}"):
        choose_flood_level([line])


def test_a_line_that_is_missing_after_the_first_is_named():
    trace = [line for line in make_trace([-0.4] * 6) if line["step"] != 200]
    with pytest.raises(UserError, match="line 2: the step goes from 100 to 300, before by at most"):
        choose_flood_level(trace)


def test_sub_epochs_of_uneven_length_are_no_gap():
    steps = [31, 62, 93, 125, 156, 187, 218, 250, 253, 375]
    trace = [line | {"step": s} for line, s in zip(make_trace([-0.4] * 10), steps, strict=True)]
    with pytest.raises(UserError, match="line 10: the step goes from 253 to 375"):
        choose_flood_level(trace)
    assert choose_flood_level(trace[:9]).step == 253


BAD_SETTINGS = {
    "direction": ({"direction": "up"}, "direction: 'up'"),
    "persistence-zero": ({"persistence": 0}, "persistence: 0"),
    "persistence-fraction": ({"persistence": 1.5}, "persistence: 1.5"),
    "margin-negative": ({"margin": -0.1}, "margin: -0.1"),
    "margin-nan": ({"margin": math.nan}, "margin: nan"),
    "margin-excludes-everything": ({"margin": 0.5}, "margin: 0.5"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings_are_refused(bad, message):
    with pytest.raises(UserError, match=message):
        choose_flood_level(GOOD, **bad)


def test_empty_trace_bad_record_and_bad_grid_are_refused():
    with pytest.raises(UserError, match="no sub-epochs"):
        choose_flood_level([])
    with pytest.raises(UserError, match="line 1: list"):
        choose_flood_level([[1, 2]])
    with pytest.raises(UserError, match="step: 0"):
        choose_flood_level(GOOD).grid(0)
    with pytest.raises(UserError, match=r"from 0.5 to 0.25 there is no level"):
        dataclasses.replace(choose_flood_level(GOOD), lower=0.5, upper=0.25).grid()
