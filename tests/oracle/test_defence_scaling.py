"""The defences under a loss scale: it cancels out, and an overflow leaves everything as it was."""

import numpy as np
import pytest

from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.flooding.update import LossScale
from tests.oracle.test_bert import set_mode
from tests.oracle.test_defence_properties import (
    arrays,
    network,
    noise_of,
    step_of,
    tensors,
    weights,
)

SCALED = [name for name, row in DEFENCE_METHODS.items() if not row.replays]


def scaled_step(method, model, initial, **settings):
    """The step cell of ``step_of`` under a loss scale."""
    plain = step_of(method, model, **settings)
    return DefendedTrainOneStepCell(plain.defence, plain.optimizer, loss_scale=LossScale(initial))


@pytest.mark.parametrize(
    "method",
    [pytest.param(m, marks=() if m == "tavat" else pytest.mark.slow) for m in SCALED],
)
def test_a_loss_scale_cancels_out(method):
    set_mode("graph")
    settings = {"steps": 2, "radius": 0.1, "reuse_dropout": True}
    ends = []
    for scale in (None, 2.0**10):
        model = network()
        step = (
            step_of(method, model, **settings)
            if scale is None
            else scaled_step(method, model, scale, **settings)
        )
        inputs = tensors([*arrays(), *noise_of(model, 3, True, method).draw(2, range(4), 17)])
        losses = [float(step(*inputs).asnumpy()) for _ in range(2)]
        kept = [*step.weights, *([step.defence.table.table] if method == "tavat" else [])]
        ends.append((losses, {p.name: p.asnumpy().copy() for p in kept}))
    np.testing.assert_allclose(ends[1][0], ends[0][0], rtol=1e-5)
    for name, value in ends[0][1].items():
        np.testing.assert_allclose(ends[1][1][name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_an_overflow_leaves_the_weights_and_the_vocabulary_table_alone(variant):
    set_mode("graph")
    model = network()
    step = scaled_step("tavat", model, 2.0**60, steps=2, radius=0.1, variant=variant)
    table = step.defence.table.table
    ids, mask, segments, labels, shares = arrays()
    noise = noise_of(model, 2, False, "tavat").draw(2, range(4), 17)
    first = weights(model), table.asnumpy().copy()
    for factor, applied in ((1e30, False), (1.0, True)):
        step(*tensors([ids, mask, segments, labels, shares * np.float32(factor), *noise]))
        assert bool(step.update.applied.asnumpy()) is applied
        same = all(np.array_equal(weights(model)[name], first[0][name]) for name in first[0])
        assert (same, np.array_equal(table.asnumpy(), first[1])) == (not applied, not applied)
    assert np.isfinite(table.asnumpy()).all()
