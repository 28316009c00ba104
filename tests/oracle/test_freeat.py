"""FreeAT's K optimizer steps on one batch against PyTorch."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn

from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.freeat import FreeATTrainOneStepCell
from mindflood.defences.settings import DefenceSettings
from mindflood.models.classifier import load_classifier
from mindflood.training.defended_step import noise_of
from tests.oracle import defences_in_torch
from tests.oracle.defended_step import LABELS, RATE, ROWS, HandedDropout, Replayed, close, loss_of
from tests.oracle.test_bert import batch, torch_model
from tests.oracle.test_defences import Case, cases

SLOW_RATE = 0.01  # many updates that climb J diverge at RATE, and blow float32's rounding up


class FreeAT:
    """One step on a small network, ours and PyTorch's; the case is as the other defences'."""

    def __init__(self, case, folder, *, reuse_dropout=True):
        ms.set_context(mode=ms.GRAPH_MODE)
        self.case = case
        self.rate = SLOW_RATE if case.K > 2 and case.level == 9.0 else RATE
        self.theirs = torch_model(case.kind)
        self.theirs.save_pretrained(folder)
        ours = load_classifier(folder)
        self.arrays, self.weights = batch(case.kind), ROWS[case.rows]
        settings = DefenceSettings(
            case.K, 0.04, case.magnitude, case.radius, case.norm, reuse_dropout
        )
        noise = noise_of("freeat", settings, ours, case.K, seed=3)
        *self.masks, self.unit = noise.draw(7, range(5), self.arrays[0].shape[1])
        optimizer = nn.SGD(ours.trainable_params(), learning_rate=self.rate)
        loss = AdversarialLoss(ours, reuse_dropout)
        self.step = FreeATTrainOneStepCell(loss, optimizer, case.level, settings)

    def run(self, dropout=False):
        """Take our step: J, δ, and what the K updates came to together."""
        before = {p.name: p.asnumpy().copy() for p in self.step.weights}
        inputs = (*self.arrays, LABELS, self.weights, self.unit, *(self.masks if dropout else ()))
        J, delta = Replayed(self.step)(*(Tensor(a) for a in inputs))
        moved = {p.name: p.asnumpy().astype(np.float64) - before[p.name] for p in self.step.weights}
        return float(J.asnumpy()), delta.asnumpy(), moved

    def expected(self, dropout=None):
        """The same of PyTorch; the weights after, in place of what moved, come behind."""
        case, theirs = self.case, self.theirs.double()
        parameters = dict(theirs.named_parameters())
        delta = defences_in_torch.initial(
            torch.tensor(self.unit).double(),
            torch.tensor(self.arrays[1]).double(),
            magnitude=case.magnitude,
            norm=case.norm,
        )
        J, total, delta = defences_in_torch.freeat(
            loss_of(theirs, self.arrays, self.weights, dropout), parameters, delta,
            steps=case.K, level=case.level, rate=self.rate,
            step_size=0.04, radius=case.radius, norm=case.norm,
        )  # fmt: skip
        # The updates' sum is that of the signed gradients, times the rate.
        moved = {name: -self.rate * g for name, g in total.items()}
        return J, delta, moved, {name: p.detach() for name, p in parameters.items()}


def check(step, dropout=None):
    """Our K updates equal PyTorch's: the mean J, δ, what moved, the weights after."""
    J, delta, moved = step.run(dropout is not None)
    expected_J, expected_delta, expected_moved, after = step.expected(dropout)
    assert pytest.approx(expected_J, rel=1e-5) == J
    close({"delta": delta}, {"delta": expected_delta})
    close(moved, expected_moved)
    close({p.name: p.asnumpy() for p in step.step.weights}, after)


@pytest.mark.parametrize("case", cases("bert", "linf"))
def test_the_replays_equal_torch(case, tmp_path):
    check(FreeAT(case, tmp_path))


def a_case(steps, level=None):
    return Case(steps, "bert", "linf", 0.05, 0.3, level, "filled", True)


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(1, 6))
def test_every_delta_on_the_way_equals_torch(steps, tmp_path):
    """The replays of K = 5 are those of K = 1 to 4 and one more."""
    step = FreeAT(a_case(steps), tmp_path)
    _, delta, _ = step.run()
    close({"delta": delta}, {"delta": step.expected()[1]})


@pytest.mark.slow
def test_five_replays_that_climb_equal_torch(tmp_path):
    """Below the flood level each update climbs J, so that the next replay's J is higher."""
    step = FreeAT(a_case(5, level=9.0), tmp_path)
    check(step)
    up = FreeAT(a_case(5, level=9.0), tmp_path).run()[0]
    down = FreeAT(a_case(5, level=0.0), tmp_path).run()[0]
    assert down < up < 9.0


@pytest.mark.parametrize("level", [None, pytest.param(9.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "reuse",
    [pytest.param(True, id="reused", marks=pytest.mark.slow), pytest.param(False, id="redrawn")],
)
def test_replays_with_dropout_equal_torch_with_the_same_masks(reuse, level, tmp_path, monkeypatch):
    """Every replay has its masks: the gradients of its weights and of δ are of one pass."""
    step = FreeAT(a_case(2, level), tmp_path, reuse_dropout=reuse)
    masks = [[each] * 2 for each in step.masks] if reuse else step.masks
    dropout = HandedDropout(*masks, step.arrays[0].shape[1])
    monkeypatch.setattr(torch.nn.functional, "dropout", dropout)
    check(step, dropout)
