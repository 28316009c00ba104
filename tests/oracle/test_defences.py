"""One training step of every defence against PyTorch: δ, gradients, and weights after SGD."""

import itertools

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn, ops

from mindflood.defences.build import defence_of
from mindflood.defences.information import Critic
from mindflood.defences.perturbation import UnitNoise
from mindflood.defences.settings import DefenceSettings, resolved
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.models.pretrained import from_pretrained
from tests.oracle import defences_in_torch
from tests.oracle.test_bert import batch, torch_model

RATE = 0.1
LABELS = np.array([0, 2, 1, 1, 0], np.int32)
ROWS = {"whole": np.full(5, 0.2, np.float32), "filled": np.array([1, 1, 1, 0, 0], np.float32) / 3}
ORACLES = {
    "pgd": defences_in_torch.pgd,
    "freelb": defences_in_torch.freelb,
    "pgd-at": defences_in_torch.pgd_at,
    "lds": defences_in_torch.lds,
    "yopo": defences_in_torch.yopo,
    "tavat": defences_in_torch.tavat,
    "infobert": defences_in_torch.infobert,
}

# K, kind of network, norm, ε, magnitude, flood level (a sign), rows: every pair of values occurs.
COVERING = [
    (1, "bert", "l2", 0.0, 0.3, None, "whole"),
    (1, "roberta", "linf", 0.05, 0.0, 9.0, "filled"),
    (2, "bert", "linf", 0.05, 0.3, 0.1, "filled"),
    (2, "roberta", "l2", 0.0, 0.0, 9.0, "whole"),
    (5, "bert", "l2", 0.05, 0.0, 9.0, "whole"),
    (5, "roberta", "linf", 0.0, 0.3, None, "filled"),
    (2, "roberta", "l2", 0.05, 0.3, None, "filled"),
    (5, "bert", "linf", 0.0, 0.0, 0.1, "filled"),
]
WHOLE = [
    (*case, 0.3, None, "filled")
    for case in itertools.product((1, 2, 5), ("bert", "roberta"), ("l2", "linf"), (0.0, 0.05))
]


def cases(fast: int) -> list:
    """All cases, slow but for one of the covering ones."""
    return [
        pytest.param(
            case,
            id="-".join(map(str, case)),
            marks=() if case == COVERING[fast] else pytest.mark.slow,
        )
        for case in dict.fromkeys([*COVERING, *WHOLE])
    ]


OF_A_METHOD = [
    pytest.param(method, *case.values, id=f"{method}-{case.id}", marks=case.marks)
    for number, method in enumerate(ORACLES)
    for case in cases(number)
]


class Recorded(nn.Cell):
    """The defence, which also keeps the δ and the gradients that it returned."""

    def __init__(self, defence, parameters, shape):
        super().__init__(auto_prefix=False)
        self.defence = defence
        self.delta = ms.Parameter(Tensor(np.zeros(shape, np.float32)), "delta", False)
        self.seen = parameters.clone(prefix="seen", init="zeros")
        if hasattr(defence, "remember"):
            self.remember = defence.remember

    def construct(self, scale, *inputs):
        J, grads, delta = self.defence(scale, *inputs)
        whole = delta[0] + delta[1] if isinstance(delta, tuple) else delta
        J = ops.depend(J, ops.assign(self.delta, whole))
        for index in range(len(self.seen)):
            J = ops.depend(J, ops.assign(self.seen[index], grads[index]))
        return J, grads, delta


def close(ours: dict, theirs: dict, tolerance: float = 1e-4) -> None:
    """‖a - a'‖ <= tolerance·‖a'‖ a tensor, with a floor of 1e-6 of the whole."""
    assert ours.keys() == theirs.keys()
    floor = 1e-6 * np.sqrt(sum(float((a**2).sum()) for a in theirs.values()))
    for name, expected in theirs.items():
        error = np.linalg.norm(ours[name] - expected.numpy())
        assert error <= tolerance * float(expected.norm()) + floor, name


def loss_of(model, arrays, weights, kind):
    """J(δ) with the network in float64, from embeddings."""
    ids, mask, segments = (torch.tensor(array).long() for array in arrays)
    labels, weights = torch.tensor(LABELS).long(), torch.tensor(weights).double()
    more = {}
    if kind == "roberta":  # from embeddings alone, Hugging Face cannot tell where padding is
        real = (ids != 1).long()
        more["position_ids"] = torch.cumsum(real, 1) * real + 1

    def logits(delta):
        words = model.get_input_embeddings()(ids)
        words = words if delta is None else words + delta
        return model(
            inputs_embeds=words, attention_mask=mask, token_type_ids=segments, **more
        ).logits

    def each(delta):
        return torch.nn.functional.cross_entropy(logits(delta), labels, reduction="none")

    def J(delta):  # noqa: N802
        return each(delta) @ weights

    def through_first_layer(delta):
        """J, and what the first transformer layer put out on the way to it."""
        kept = []
        layer = getattr(model, kind).encoder.layer[0]
        hook = layer.register_forward_hook(lambda *call: kept.append(call[2]))
        value = J(delta)
        hook.remove()
        return value, kept[0][0] if isinstance(kept[0], tuple) else kept[0]

    def states(delta):
        """What the embedding layer puts out, and what the last layer does."""
        words = model.get_input_embeddings()(ids) + delta
        hidden = model(
            inputs_embeds=words, attention_mask=mask, token_type_ids=segments,
            output_hidden_states=True, **more,
        ).hidden_states  # fmt: skip
        return hidden[0], hidden[-1]

    J.logits, J.each, J.weights = logits, each, weights
    J.through_first_layer, J.states = through_first_layer, states
    return J


def settings_of(method, case):
    """What a case of the tables means for a method."""
    K, _, norm, radius, magnitude, _, _ = case
    step_size, more = 0.04, {}
    if method == "lds":
        # It refuses to start at 0, where its divergence has no gradient. That gradient is a
        # difference of two softmaxes, whose float32 rounding shows: a larger ball.
        magnitude, radius, step_size = 20 * (magnitude or 0.2), 60 * radius, 20 * step_size
    if method in ("freelb", "yopo", "tavat"):
        more["variant"] = "release" if norm == "linf" else "paper"
    if method in ("pgd-at", "lds"):
        more["normalise"] = K != 2
    if method == "infobert":
        more |= {"alpha": 0.02 * K, "beta": 0.03}
    if method == "yopo":
        more["inner_steps"] = 1 + K % 3
    common = {"step_size": step_size, "radius": radius, "norm": norm, "steps": K}
    return common | more, magnitude


@pytest.mark.parametrize(("method", "case"), OF_A_METHOD)
def test_a_step_equals_torch(method, case, tmp_path):
    K, kind, norm, _, _, level, rows = case
    chosen, magnitude = settings_of(method, case)
    ms.set_context(mode=ms.GRAPH_MODE)
    theirs = torch_model(kind)
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path)
    arrays, weights = batch(kind), ROWS[rows]
    unit = UnitNoise(48, 3).draw(7, range(5), arrays[0].shape[1])

    settings = resolved(method, DefenceSettings(magnitude=magnitude, reuse_dropout=True, **chosen))
    critic = Critic(48, seed=0) if method == "infobert" else None
    trained = [*ours.trainable_params(), *(critic.trainable_params() if critic else [])]
    optimizer = nn.SGD(trained, learning_rate=RATE)
    loss, defence = defence_of(method, settings, ours, optimizer.parameters, critic=critic)
    recorded = Recorded(defence, optimizer.parameters, unit.shape)
    step = DefendedTrainOneStepCell(loss, recorded, optimizer, level)
    if method == "tavat":
        # As after some batches: values of a size that the mean and the clipping act on.
        first = defence.table.table.asnumpy() * 3
        defence.table.table.set_data(Tensor(first))
        table = torch.tensor(first).double()
        chosen |= {"table": table, "ids": torch.tensor(arrays[0]).long()}
        chosen |= {"mask": torch.tensor(arrays[1]).double()}
    noise = [Tensor(unit)]
    theirs = theirs.double()
    parameters = dict(theirs.named_parameters())
    if method == "infobert":
        uniform = np.random.default_rng(2).random((K, *arrays[0].shape), np.float32)
        noise.append(Tensor(uniform))
        chosen |= {"uniform": torch.tensor(uniform), "mask": torch.tensor(arrays[1]).double()}
        for weight in critic.trainable_params():
            # A copy: PyTorch would share the memory, and see the step.
            value = torch.tensor(weight.asnumpy().copy(), dtype=torch.float64)
            parameters[weight.name] = value.requires_grad_()
    inputs = [Tensor(a) for a in (*arrays, LABELS, weights)]
    J = float(step(*inputs, None, None, *noise).asnumpy())

    mask = torch.tensor(arrays[1]).double()
    delta = defences_in_torch.initial(
        torch.tensor(unit).double(), mask, magnitude=magnitude, norm=norm
    )
    expected_J, gradients, delta = ORACLES[method](
        loss_of(theirs, arrays, weights, kind), parameters, delta, **chosen
    )
    assert pytest.approx(expected_J, rel=1e-5) == J
    close({"delta": recorded.delta.asnumpy()}, {"delta": delta})
    if method == "tavat":
        close({"V": defence.table.table.asnumpy()}, {"V": table})
    seen = zip(step.weights, recorded.seen, strict=True)
    close({p.name: g.asnumpy() for p, g in seen}, gradients)
    sign = 1.0 if level is None else np.sign(expected_J - level)
    after = {name: p.detach() - RATE * sign * gradients[name] for name, p in parameters.items()}
    close({p.name: p.asnumpy() for p in step.weights}, after)
    if (radius := chosen["radius"]) > 0:
        norms = delta.flatten(1).norm(dim=1) if norm == "l2" else delta.abs().amax((1, 2))
        assert (norms <= radius * (1 + 1e-9)).all()
