"""AdamW against torch.optim.AdamW, fed the same gradients, and the rates that it is given."""

import mindspore as ms
import numpy as np
import pytest
import torch
import transformers
from mindspore import Parameter, ParameterTuple, Tensor, nn

from mindflood.defences.information import Critic
from mindflood.training.optimizer import AdamW, parameter_groups
from mindflood.training.schedule import LinearWarmupDecay, scheduled

STEPS = 20
SHAPES = {"dense.weight": (7, 5), "dense.bias": (7,), "LayerNorm.weight": (5,)}


class Weights(nn.Cell):
    def __init__(self, values: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.all = ParameterTuple([Parameter(Tensor(v), name=n) for n, v in values.items()])


def values(seed: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {n: (random.normal(0, scale, s)).astype(np.float32) for n, s in SHAPES.items()}


def torch_weights(rates: list[float], decay: float, gradient_scale: float) -> dict:
    tensors = {n: torch.nn.Parameter(torch.tensor(v)) for n, v in values(0).items()}
    groups = [
        {"params": [tensors["dense.weight"]], "weight_decay": decay},
        {"params": [tensors["dense.bias"], tensors["LayerNorm.weight"]], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0)
    for step, rate in enumerate(rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for name, gradient in values(step + 1, gradient_scale).items():
            tensors[name].grad = torch.tensor(gradient)
        optimizer.step()
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"])
@pytest.mark.parametrize("fused", [True, False], ids=["kernel", "composed"])
@pytest.mark.parametrize("scheduled", [True, False], ids=["schedule", "constant"])
@pytest.mark.parametrize("gradient_scale", [1.0, 1e-6])
def test_weights_equal_pytorch(mode, fused, scheduled, gradient_scale):
    ms.set_context(mode=mode)
    schedule = LinearWarmupDecay(peak=0.1, warmup=4, total=STEPS)
    rates = [schedule.at(step) if scheduled else 0.1 for step in range(STEPS)]
    model = Weights(values(0))
    optimizer = AdamW(parameter_groups(model, 0.3), schedule if scheduled else 0.1, fused=fused)
    order = [parameter.name for parameter in optimizer.parameters]
    for step in range(STEPS):
        gradients = values(step + 1, gradient_scale)
        optimizer(tuple(Tensor(gradients[name]) for name in order))
    expected = torch_weights(rates, 0.3, gradient_scale)
    for parameter in model.all:
        np.testing.assert_allclose(
            parameter.asnumpy(), expected[parameter.name], rtol=2e-5, atol=2e-6
        )


def test_only_matrices_are_decayed():
    decayed, plain, order = parameter_groups(Weights(values(0)), 0.01)
    assert [p.name for p in decayed["params"]] == ["dense.weight"]
    assert [p.name for p in plain["params"]] == ["dense.bias", "LayerNorm.weight"]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.01, 0.0)
    assert [p.name for p in order["order_params"]] == list(SHAPES)


@pytest.mark.parametrize("whole", [False, True], ids=["without biases", "whole"])
def test_a_second_network_is_decayed_like_the_first_or_whole(whole):
    beside = Critic(5, seed=0)
    decayed, plain, order = parameter_groups(Weights(values(0)), 0.01, beside, whole)
    biases = {"critic.hidden.bias", "critic.out.bias"}
    matrices = {"critic.of_x.weight", "critic.of_y.weight", "critic.out.weight"}
    assert {p.name for p in decayed["params"]} == {
        "dense.weight", *matrices, *(biases if whole else ()),
    }  # fmt: skip
    assert {p.name for p in plain["params"]} == {
        "dense.bias", "LayerNorm.weight", *(() if whole else biases),
    }  # fmt: skip
    assert len(order["order_params"]) == len(SHAPES) + 5


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"])
@pytest.mark.parametrize(
    ("name", "theirs"), [("linear", "linear"), ("constant", "constant_with_warmup")]
)
@pytest.mark.parametrize("warmup", [0, 5])
def test_the_rates_are_those_of_transformers(mode, name, theirs, warmup):
    ms.set_context(mode=mode)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    expected = transformers.get_scheduler(theirs, optimizer, warmup, STEPS)
    schedule = scheduled(name, 0.3, warmup, STEPS)
    for step in range(STEPS):
        (rate,) = expected.get_last_lr()
        assert schedule.at(step) == pytest.approx(rate, abs=1e-9)
        found = float(schedule(Tensor(step, ms.int32)).asnumpy())
        assert found == pytest.approx(rate, rel=1e-6, abs=1e-9)
        optimizer.step()
        expected.step()
