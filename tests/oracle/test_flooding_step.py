"""The flooding step against PyTorch's autograd of |J - b| + b, in both execution modes."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.flooding import AccumulatedFloodingStep, FloodingTrainOneStepCell, flood
from mindflood.flooding.update import LossScale, global_norm

RATE = 0.3
STEPS = 8
rng = np.random.default_rng(7)
WEIGHTS = rng.normal(size=(3, 5)).astype(np.float32), rng.normal(size=(5, 2)).astype(np.float32)
ROWS = rng.normal(size=(6, 3)).astype(np.float32)
LABELS = np.array([0, 1, 1, 0, 1, 0], np.int32)
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
    """J of a two-layer network; ``blow_up`` multiplies the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ms.Parameter(Tensor(WEIGHTS[0]), name="first")
        self.second = ms.Parameter(Tensor(WEIGHTS[1]), name="second")

    def construct(self, rows, labels, shares, blow_up):
        hidden = ops.tanh(ops.matmul(rows, self.first))
        logits = ops.matmul(hidden, self.second) * blow_up
        chosen = ops.one_hot(labels, 2, Tensor(1.0), Tensor(0.0))
        return -ops.reduce_sum(ops.reduce_sum(ops.log_softmax(logits) * chosen, -1) * shares)


def inputs(rows: slice = slice(None), blow_up: float = 1.0) -> list[Tensor]:
    labels = LABELS[rows]
    shares = np.full(len(labels), 1 / len(labels), np.float32)
    return [Tensor(part) for part in (ROWS[rows], labels, shares, np.float32(blow_up))]


def network_and_step(level, **options):
    network = Network()
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    return network, FloodingTrainOneStepCell(network, optimizer, level, **options)


def in_torch(level, steps=STEPS, max_norm=None):
    """Losses and final weights of the same run, with |J - b| + b written out for autograd."""
    first, second = (torch.tensor(w, requires_grad=True) for w in WEIGHTS)
    optimizer = torch.optim.SGD([first, second], lr=RATE)
    losses = []
    for _ in range(steps):
        logits = torch.tanh(torch.tensor(ROWS) @ first) @ second
        J = torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS, dtype=torch.long))
        objective = J if level is None else (J - level).abs() + level
        optimizer.zero_grad()
        objective.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_([first, second], max_norm)
        optimizer.step()
        losses.append(J.item())
    return losses, first.detach().numpy(), second.detach().numpy()


def assert_same(network, losses, expected):
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    np.testing.assert_allclose(network.first.asnumpy(), expected[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(network.second.asnumpy(), expected[2], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("level", [None, 0.0, 0.65, 5.0], ids=lambda b: f"b={b}")
def test_steps_equal_autograd_of_the_flooded_objective(mode, level):
    network, step = network_and_step(level)
    losses = [float(step(*inputs()).asnumpy()) for _ in range(STEPS)]
    expected = in_torch(level)
    assert_same(network, losses, expected)
    if level == 0.65:  # the run sees both sides of the level
        assert min(losses) < 0.65 < max(losses)


def test_the_gradient_is_zero_at_the_level(mode):
    gradient = ops.GradOperation()(Flooded())(Tensor(0.25), Tensor(0.25))
    assert float(gradient.asnumpy()) == 0.0


@pytest.mark.parametrize(("J", "sign"), [(0.5, 1.0), (0.1, -1.0)], ids=["above", "below"])
def test_flood_and_its_gradient(mode, J, sign):
    value = Flooded()(Tensor(J), Tensor(0.25))
    gradient = ops.GradOperation()(Flooded())(Tensor(J), Tensor(0.25))
    assert float(value.asnumpy()) == pytest.approx(abs(J - 0.25) + 0.25)
    assert float(gradient.asnumpy()) == sign


class Flooded(nn.Cell):
    def construct(self, J, level):
        return flood(J, level)


def test_the_level_changes_in_the_running_step_without_compiling(mode):
    _, step = network_and_step(None)
    losses = [float(step(*inputs()).asnumpy()) for _ in range(3)]
    graphs = len(step.compile_cache)
    step.set_flood_level(5.0)
    losses += [float(step(*inputs()).asnumpy()) for _ in range(2)]
    assert losses[0] > losses[1] > losses[2] > losses[3]
    assert losses[4] > losses[3]  # every loss is below 5: ascent
    assert len(step.compile_cache) == graphs
    assert graphs == (1 if mode == "graph" else 0)


def test_clipping_equals_torch(mode):
    network, step = network_and_step(0.65, max_gradient_norm=0.05)
    losses = [float(step(*inputs()).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch(0.65, max_norm=0.05))


@pytest.mark.parametrize("scale", SCALES)
def test_what_is_left_out_of_the_clipping_is_in_no_norm_either(mode, scale):
    network = Network()
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    step = FloodingTrainOneStepCell(
        network, optimizer, max_gradient_norm=0.05, loss_scale=scale, unclipped=[network.second]
    )
    step(*inputs())
    first, second = (torch.tensor(w, requires_grad=True) for w in WEIGHTS)
    logits = torch.tanh(torch.tensor(ROWS) @ first) @ second
    torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS, dtype=torch.long)).backward()
    whole = torch.sqrt((first.grad**2).sum() + (second.grad**2).sum()).item()
    assert float(step.update.gradient_norm.asnumpy()) == pytest.approx(whole, rel=1e-5)
    assert first.grad.norm() > 0.05
    torch.nn.utils.clip_grad_norm_([first], 0.05)
    with torch.no_grad():
        for ours, theirs in ((network.first, first), (network.second, second)):
            expected = (theirs - RATE * theirs.grad).numpy()
            np.testing.assert_allclose(ours.asnumpy(), expected, rtol=1e-4, atol=1e-6)


def test_gradient_norm_is_that_before_clipping(mode):
    _, step = network_and_step(None, max_gradient_norm=0.05)
    step(*inputs())
    first, second = (torch.tensor(w, requires_grad=True) for w in WEIGHTS)
    logits = torch.tanh(torch.tensor(ROWS) @ first) @ second
    torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS, dtype=torch.long)).backward()
    expected = torch.sqrt((first.grad**2).sum() + (second.grad**2).sum()).item()
    assert float(step.update.gradient_norm.asnumpy()) == pytest.approx(expected, rel=1e-5)


def test_global_norm_is_accurate_on_large_tensors(mode):
    large = np.random.default_rng(0).normal(1.0, 0.1, size=(3000, 400)).astype(np.float32)
    expected = np.sqrt((large.astype(np.float64) ** 2).sum() + 4.0)
    norm = float(global_norm((Tensor(large), Tensor(np.ones(4, np.float32)))).asnumpy())
    assert norm == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("level", [None, 0.65], ids=lambda b: f"b={b}")
def test_micro_batches_take_the_sign_of_their_mean(mode, level):
    network, step = network_and_step(level)
    accumulated = AccumulatedFloodingStep(step)
    parts = [inputs(slice(0, 1)), inputs(slice(1, 4)), inputs(slice(4, 6))]
    losses = [float(accumulated(parts, weights=[1, 3, 2]).asnumpy()) for _ in range(STEPS)]
    assert_same(network, losses, in_torch(level))


class MeanOfARegression(nn.Cell):
    """J of a softmax regression, the mean over the rows that it is given."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = ms.Parameter(Tensor(matrix), name="matrix")

    def construct(self, rows, labels):
        return ops.cross_entropy(ops.matmul(rows, self.matrix), labels)


def in_numpy(matrix, batches, weights):
    """J and its gradient, float64: the weighted mean of the batches' means."""
    total_J, total = 0.0, np.zeros(matrix.shape)
    for (rows, labels), weight in zip(batches, weights, strict=True):
        logits = rows.astype(np.float64) @ matrix
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        chosen = np.eye(matrix.shape[1])[labels]
        total_J += weight / sum(weights) * -(np.log(p) * chosen).sum(1).mean()
        total += weight / sum(weights) * (rows.T @ (p - chosen)) / len(rows)
    return total_J, total


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("level", [0.5, 2.0], ids=["above the level", "below it"])
@pytest.mark.parametrize(
    ("sizes", "weights"),
    [((4, 4, 4, 4), None), ((1, 6, 2, 3), (1, 6, 2, 3)), ((3, 3, 3), None), ((2, 5), (0.2, 0.7))],
    ids=["four equal", "four unequal", "three equal", "two by shares"],
)
def test_means_over_micro_batches_equal_numpy(mode, sizes, weights, level, scale):
    """Three classes and a matrix of zeros: J = ln 3, whatever the number of micro-batches."""
    draw = np.random.default_rng(sum(sizes))
    batches = [
        (draw.normal(size=(n, 5)).astype(np.float32), draw.integers(0, 3, n).astype(np.int32))
        for n in sizes
    ]
    network = MeanOfARegression(np.zeros((5, 3), np.float32))
    optimizer = nn.SGD(network.trainable_params(), learning_rate=RATE)
    step = AccumulatedFloodingStep(
        FloodingTrainOneStepCell(network, optimizer, level, loss_scale=scale)
    )
    matrix = np.zeros((5, 3))
    for number in range(3):
        J = float(step([tuple(map(Tensor, batch)) for batch in batches], weights).asnumpy())
        expected, gradient = in_numpy(matrix, batches, weights or np.ones(len(sizes)))
        assert pytest.approx(expected, rel=1e-6) == J
        assert number or pytest.approx(np.log(3), rel=1e-6) == J
        norm = float(step.step.update.gradient_norm.asnumpy())
        assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
        matrix = matrix - RATE * np.sign(expected - level) * gradient
        np.testing.assert_allclose(network.matrix.asnumpy(), matrix, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        (0, None, "micro_batches: none"),
        (2, [1.0], "weights: 1 for 2 micro-batches"),
        (2, [1.0, 0.0], "expected finite numbers above 0"),
        (2, [1.0, float("nan")], "expected finite numbers above 0"),
        (2, [1.0, float("inf")], "expected finite numbers above 0"),
    ],
)
def test_weights_that_cannot_be_are_refused(parts, weights, message):
    _, step = network_and_step(0.65)
    with pytest.raises(UserError, match=message):
        AccumulatedFloodingStep(step)([inputs()] * parts, weights)


@pytest.mark.parametrize("accumulated", [False, True], ids=["one batch", "micro-batches"])
def test_an_overflow_changes_nothing_but_the_scale(mode, accumulated):
    network, step = network_and_step(0.65, loss_scale=LossScale(initial=1024.0, window=2))
    run = AccumulatedFloodingStep(step) if accumulated else lambda batches: step(*batches[0])
    float(run([inputs()]).asnumpy())
    before = {p.name: p.asnumpy().copy() for p in step.get_parameters()}
    run([inputs(blow_up=float("inf"))])
    after = {p.name: p.asnumpy() for p in step.get_parameters()}
    changed = {n for n in before if not np.array_equal(before[n], after[n], equal_nan=True)}
    assert changed - {"gradient_norm"} == {"loss_scale", "applied", "good_steps"}
    assert after["loss_scale"] == 512.0
    assert not after["applied"]
    losses = [float(run([inputs()]).asnumpy()) for _ in range(STEPS - 1)]
    assert_same(network, losses, tail(in_torch(0.65)))


def tail(run):
    return run[0][1:], run[1], run[2]


def test_the_scale_grows_after_a_window_without_overflow(mode):
    network, step = network_and_step(0.65, loss_scale=LossScale(initial=8.0, window=3))
    losses, scales = [], []
    for _ in range(STEPS):
        losses.append(float(step(*inputs()).asnumpy()))
        scales.append(step.update.current_scale())
    assert scales == [8, 8, 16, 16, 16, 32, 32, 32]
    assert_same(network, losses, in_torch(0.65))


def test_the_scale_never_falls_below_its_minimum(mode):
    _, step = network_and_step(None, loss_scale=LossScale(initial=4.0, minimum=2.0))
    scales = []
    for _ in range(3):
        step(*inputs(blow_up=float("inf")))
        scales.append(step.update.current_scale())
    assert scales == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("level", [-0.1, float("nan")])
def test_a_level_that_cannot_be_is_refused(level):
    with pytest.raises(UserError, match="flood_level: expected a number of at least 0"):
        network_and_step(level)
