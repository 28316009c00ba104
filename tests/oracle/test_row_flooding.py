"""Steps that flood row by row against PyTorch's autograd of the papers' objectives."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding import AccumulatedFloodingStep, FloodingTrainOneStepCell, SoftAD
from mindflood.flooding.row_methods import ROW_METHODS
from mindflood.flooding.rows import RowWeights, rule_of
from mindflood.flooding.update import LossScale
from tests.oracle.test_flooding_step import LABELS, RATE, ROWS, WEIGHTS, assert_same

STEPS = 6
LEVEL = 0.65
LEVELS = np.array([0.1, 0.9, 0.4, 2.0, 0.0, 0.7], np.float32)  # θ_i
SCALES = [
    pytest.param(None, id="float32"),
    pytest.param(LossScale(initial=256.0), id="scaled", marks=pytest.mark.slow),
]


@pytest.fixture(params=["graph", "pynative"])
def mode(request: pytest.FixtureRequest) -> str:
    chosen = ms.GRAPH_MODE if request.param == "graph" else ms.PYNATIVE_MODE
    ms.set_context(mode=chosen, device_target="CPU")
    return request.param


class Network(nn.Cell):
    """The losses of the rows of a two-layer network, with their shares where these are given."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ms.Parameter(Tensor(WEIGHTS[0]), name="first")
        self.second = ms.Parameter(Tensor(WEIGHTS[1]), name="second")

    def construct(self, rows, labels, blow_up, shares=None):
        hidden = ops.tanh(ops.matmul(rows, self.first))
        logits = ops.matmul(hidden, self.second) * blow_up
        chosen = ops.one_hot(labels, 2, Tensor(1.0), Tensor(0.0))
        losses = -ops.reduce_sum(ops.log_softmax(logits) * chosen, -1)
        return losses if shares is None else (losses, shares)


def objective(rows, losses, level, scale=1.0):
    """What the papers minimise, a row."""
    if rows == "iflood":
        return (losses - level).abs() + level
    if rows == "adaflood":
        return (losses - torch.tensor(level)).abs() + torch.tensor(level)
    x = (losses - level) / scale
    return scale * (torch.sqrt(x**2 + 1) - 1) + level


def in_torch(rows, level=LEVEL, *, shares=None, scale=1.0, steps=STEPS, max_norm=None):
    """Raw losses J and final weights of SGD on the objective, and the share of rows below."""
    first, second = (torch.tensor(w, requires_grad=True) for w in WEIGHTS)
    optimizer = torch.optim.SGD([first, second], lr=RATE)
    shares = torch.full((len(LABELS),), 1 / len(LABELS)) if shares is None else shares
    raw, below = [], []
    for _ in range(steps):
        logits = torch.tanh(torch.tensor(ROWS) @ first) @ second
        losses = torch.nn.functional.cross_entropy(
            logits, torch.tensor(LABELS, dtype=torch.long), reduction="none"
        )
        of_rows = losses if rows is None else objective(rows, losses, level, scale)
        optimizer.zero_grad()
        (of_rows * shares).sum().backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_([first, second], max_norm)
        optimizer.step()
        raw.append((losses * shares).sum().item())
        below.append(((losses < torch.as_tensor(level)) * shares).sum().item())
    return (raw, first.detach().numpy(), second.detach().numpy()), below


def network_and_step(rows, level=LEVEL, **options):
    network = Network()
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    own = rows == "adaflood"
    return network, FloodingTrainOneStepCell(
        network, optimizer, None if own else level, rows=rows, **options
    )


def inputs(rows, part=slice(None), shares=None, blow_up=1.0):
    levels = [LEVELS[part]] if rows == "adaflood" else []
    given = [*levels, ROWS[part], LABELS[part], np.float32(blow_up)]
    return [Tensor(array) for array in (*given, *([] if shares is None else [shares[part]]))]


def level_of(rows):
    return LEVELS if rows == "adaflood" else LEVEL


@pytest.mark.parametrize("rows", ROW_METHODS)
def test_steps_equal_autograd_of_the_objective(mode, rows):
    network, step = network_and_step(rows)
    losses, climbing = [], []
    for _ in range(STEPS):
        losses.append(float(step(*inputs(rows)).asnumpy()))
        climbing.append(float(step.climbing.asnumpy()))
    expected, below = in_torch(rows, level_of(rows))
    assert_same(network, losses, expected)
    assert climbing == pytest.approx(below)
    assert min(below) > 0  # rows are on both sides of the level
    assert max(below) < 1


@pytest.mark.parametrize("scale", [0.05, 3.0])
def test_softad_has_a_scale(mode, scale):
    network, step = network_and_step(SoftAD(scale))
    losses = [float(step(*inputs("softad")).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch("softad", scale=scale)[0])


@pytest.mark.parametrize("rows", ROW_METHODS)
def test_rows_of_weight_zero_count_for_nothing(mode, rows):
    shares = np.array([1, 1, 0, 1, 1, 0], np.float32) / 4
    network, step = network_and_step(rows)
    losses = [float(step(*inputs(rows, shares=shares)).asnumpy()) for _ in range(STEPS)]
    expected, below = in_torch(rows, level_of(rows), shares=torch.tensor(shares))
    assert_same(network, losses, expected)
    assert float(step.climbing.asnumpy()) == pytest.approx(below[-1])


@pytest.mark.parametrize("rows", ROW_METHODS)
@pytest.mark.parametrize("scale", SCALES)
def test_micro_batches_take_the_step_of_the_whole(mode, rows, scale):
    network, step = network_and_step(rows, loss_scale=scale, max_gradient_norm=0.05)
    accumulated = AccumulatedFloodingStep(step)
    parts = [inputs(rows, part) for part in (slice(0, 1), slice(1, 4), slice(4, 6))]
    losses = [float(accumulated(parts, weights=[1, 3, 2]).asnumpy()) for _ in range(STEPS)]
    expected, below = in_torch(rows, level_of(rows), max_norm=0.05)
    assert_same(network, losses, expected)
    assert float(step.climbing.asnumpy()) == pytest.approx(below[-1])


@pytest.mark.parametrize("rows", ROW_METHODS)
def test_clipping_and_a_scaled_loss_change_nothing_else(mode, rows):
    network, step = network_and_step(rows, max_gradient_norm=0.05, loss_scale=LossScale(256.0))
    losses = [float(step(*inputs(rows)).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch(rows, level_of(rows), max_norm=0.05)[0])


@pytest.mark.parametrize("rows", ["iflood", "softad"])
def test_without_a_level_nothing_is_flooded_until_it_is_set(mode, rows):
    network, step = network_and_step(rows, level=None)
    losses = [float(step(*inputs(rows)).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch(None)[0])
    assert float(step.climbing.asnumpy()) == 0.0
    graphs = len(step.compile_cache)
    step.set_flood_level(9.0)
    more = [float(step(*inputs(rows)).asnumpy()) for _ in range(2)]
    assert float(step.climbing.asnumpy()) == 1.0
    assert more[1] > more[0]
    assert len(step.compile_cache) == graphs


@pytest.mark.parametrize("rows", ["iflood", "adaflood"])
def test_a_row_at_its_level_stands_still(mode, rows):
    weights = rule_of(rows)(Tensor([0.25, 0.5, 0.1]), Tensor([0.25, 0.25, 0.25])).asnumpy()
    assert weights.tolist() == [0.0, 1.0, -1.0]


@pytest.mark.parametrize("x", [-1e30, -1e4, -3.0, -1e-3, 0.0, 1e-3, 3.0, 1e4, 1e30, float("inf")])
def test_the_weight_of_softad(mode, x):
    weight = float(SoftAD()(Tensor([x + 0.0], ms.float32), Tensor(0.0)).asnumpy()[0])
    expected = np.sign(x) if abs(x) > 1e10 else x / np.sqrt(x**2 + 1)
    assert weight == pytest.approx(expected, rel=1e-6)
    small = float(SoftAD(1e-9)(Tensor([x], ms.float32), Tensor(0.0)).asnumpy()[0])
    assert small == np.sign(x)  # iFlood


@pytest.mark.parametrize("accumulated", [False, True], ids=["one batch", "micro-batches"])
def test_an_overflow_changes_nothing_but_the_scale(mode, accumulated):
    network, step = network_and_step("iflood", loss_scale=LossScale(initial=1024.0))
    run = AccumulatedFloodingStep(step) if accumulated else lambda batches: step(*batches[0])
    before = [weight.asnumpy().copy() for weight in step.weights]
    run([inputs("iflood", blow_up=float("inf"))])
    assert all(
        np.array_equal(*pair)
        for pair in zip(before, map(ms.Parameter.asnumpy, step.weights), strict=True)
    )
    assert step.update.current_scale() == 512.0
    losses = [float(run([inputs("iflood")]).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch("iflood")[0])


class Mean(Network):
    """J, a scalar."""

    def construct(self, rows, labels, blow_up):
        return super().construct(rows, labels, blow_up).mean()


def test_a_network_without_a_loss_a_row_is_refused(mode):
    network = Mean()
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    step = FloodingTrainOneStepCell(network, optimizer, LEVEL, rows="iflood")
    with pytest.raises(ValueError, match=r"shape \(\), expected a loss a row, \[B\]"):
        step(*inputs("iflood"))


@pytest.mark.parametrize(
    ("rows", "level", "message"),
    [
        ("iflod", 0.1, "rows: 'iflod': expected iflood, softad, adaflood"),
        ("adaflood", 0.1, "flood_level: 0.1: every row has a level of its own"),
        ("iflood", -0.1, "flood_level: expected a number of at least 0"),
    ],
)
def test_what_cannot_be_is_refused(rows, level, message):
    network = Network()
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    with pytest.raises(UserError, match=message):
        FloodingTrainOneStepCell(network, optimizer, level, rows=rows)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_is_refused(scale):
    with pytest.raises(UserError, match=r"scale: .*: expected a positive number"):
        SoftAD(scale)


@pytest.mark.parametrize("rows", ROW_METHODS)
def test_the_table_names_rules_that_are_there(rows):
    rule = rule_of(rows)
    assert isinstance(rule, RowWeights)
    assert rule.own_levels == ROW_METHODS[rows].own_levels
