"""FreeAT's K optimizer steps on one batch against PyTorch."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.freeat import FreeATTrainOneStepCell
from mindflood.defences.perturbation import Perturbation, UnitNoise
from mindflood.models.pretrained import from_pretrained
from tests.oracle import defences_in_torch
from tests.oracle.defended_step import LABELS, RATE, ROWS, Replayed, close, loss_of
from tests.oracle.test_bert import batch, torch_model
from tests.oracle.test_defences import cases


@pytest.mark.parametrize("case", cases("bert", "linf"))
def test_the_replays_equal_torch(case, tmp_path):
    K, kind, norm, radius, magnitude, level, rows, _ = case
    if K > 2 and level is not None:
        level = 0.1  # many updates that climb J diverge, and blow float32's rounding up
    ms.set_context(mode=ms.GRAPH_MODE)
    theirs = torch_model(kind)
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path)
    arrays, weights = batch(kind), ROWS[rows]
    unit = UnitNoise(48, 3).draw(7, range(5), arrays[0].shape[1])

    optimizer = nn.SGD(ours.trainable_params(), learning_rate=RATE)
    perturbation = Perturbation(0.04, magnitude, radius, norm)
    step = FreeATTrainOneStepCell(AdversarialLoss(ours, True), optimizer, level, perturbation, K)
    before = {p.name: p.asnumpy().copy() for p in step.weights}
    J, seen_delta = Replayed(step)(*(Tensor(a) for a in (*arrays, LABELS, weights, unit)))

    theirs = theirs.double()
    parameters = dict(theirs.named_parameters())
    delta = defences_in_torch.initial(
        torch.tensor(unit).double(),
        torch.tensor(arrays[1]).double(),
        magnitude=magnitude,
        norm=norm,
    )
    expected_J, total, delta = defences_in_torch.freeat(
        loss_of(theirs, arrays, weights, kind), parameters, delta, steps=K, level=level,
        rate=RATE, step_size=0.04, radius=radius, norm=norm,
    )  # fmt: skip
    assert pytest.approx(expected_J, rel=1e-5) == float(J.asnumpy())
    close({"delta": seen_delta.asnumpy()}, {"delta": delta})
    # What the K updates came to together: the sum of the signed gradients times the rate.
    moved = {p.name: p.asnumpy().astype(np.float64) - before[p.name] for p in step.weights}
    close(moved, {name: -RATE * g for name, g in total.items()})
    close(
        {p.name: p.asnumpy() for p in step.weights}, {n: p.detach() for n, p in parameters.items()}
    )
