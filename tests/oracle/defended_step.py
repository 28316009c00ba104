"""One training step of a defence on a small network, ours and PyTorch's, to be compared."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn, ops

from mindflood.defences.batch import named
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import keep_scale
from mindflood.training.defended_step import cell_beside, defence_of, noise_of
from tests.oracle import defences_in_torch
from tests.oracle.encoders import PADDING, batch, embedded, torch_layers, torch_masks, torch_model

RATE = 0.1
KEPT = keep_scale(0.1)  # the network's rates
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


class Recorded(nn.Cell):
    """The defence, which also keeps the δ, or its parts, and the gradients that it returned."""

    def __init__(self, defence, parameters, shape, parts):
        super().__init__(auto_prefix=False)
        self.defence, self.loss = defence, defence.loss
        self.parts = [
            ms.Parameter(Tensor(np.zeros(shape, np.float32)), f"delta{part}", False)
            for part in range(parts)
        ]
        self.seen = parameters.clone(prefix="seen", init="zeros")
        self.by_rows = defence.by_rows
        if hasattr(defence, "remember"):
            self.remember = defence.remember

    def construct(self, batch):
        J, grads, delta = self.defence(batch)
        parts = delta if isinstance(delta, tuple) else (delta,)
        for index in range(len(self.parts)):
            J = ops.depend(J, ops.assign(self.parts[index], parts[index]))
        for index in range(len(self.seen)):
            J = ops.depend(J, ops.assign(self.seen[index], grads[index]))
        return J, grads, delta


class Replayed(nn.Cell):
    """FreeAT's step, which also returns δ; without masks there is no dropout."""

    def __init__(self, step):
        super().__init__(auto_prefix=False)
        self.step = step

    def construct(self, ids, mask, segments, labels, weights, unit, *masks):
        masks = masks or (None, None)
        batch = named(Tensor(1.0, ms.float32), ids, mask, segments, labels, weights, *masks, unit)
        return self.step.replay(batch)


def close(ours: dict, theirs: dict, tolerance: float = 1e-4) -> None:
    """‖a - a'‖ <= tolerance·‖a'‖ a tensor, with a floor of 1e-6 of the whole."""
    assert ours.keys() == theirs.keys()
    floor = 1e-6 * np.sqrt(sum(float((a**2).sum()) for a in theirs.values()))
    for name, expected in theirs.items():
        error = np.linalg.norm(ours[name] - expected.numpy())
        assert error <= tolerance * float(expected.norm()) + floor, name


class HandedDropout:
    """In place of torch's: multiplies by the masks of a pass, in the network's order."""

    def __init__(self, hidden, attention, length, kind="bert"):
        self.passes = [
            torch_masks(kind, *masks, length) for masks in zip(hidden, attention, strict=True)
        ]

    def begin(self, number):
        self.left = iter(self.passes[number])

    def __call__(self, x, *_, **__):
        return x * torch.tensor(next(self.left)) * KEPT


def loss_of(model, arrays, weights, dropout=None):
    """J(δ) with the network in float64, from embeddings; its ``number`` is that of the pass."""
    ids, given = torch.tensor(arrays[0]).long(), embedded(model, arrays)
    labels, weights = torch.tensor(LABELS).long(), torch.tensor(weights).double()
    if dropout is not None:
        model.register_forward_pre_hook(lambda *_: dropout.begin(J.number))

    def logits(delta):
        words = model.get_input_embeddings()(ids)
        words = words if delta is None else words + delta
        return model(inputs_embeds=words, **given).logits

    def each(delta):
        return torch.nn.functional.cross_entropy(logits(delta), labels, reduction="none")

    def J(delta):  # noqa: N802
        return each(delta) @ weights

    def through_first_layer(delta):
        """J, and what the first transformer layer put out on the way to it."""
        kept = []
        layer = torch_layers(model)[0]
        hook = layer.register_forward_hook(lambda *call: kept.append(call[2]))
        value = J(delta)
        hook.remove()
        return value, kept[0][0] if isinstance(kept[0], tuple) else kept[0]

    def states(delta):
        """What the embedding layer puts out, and what the last layer does."""
        words = model.get_input_embeddings()(ids) + delta
        hidden = model(inputs_embeds=words, output_hidden_states=True, **given).hidden_states
        return hidden[0], hidden[-1]

    J.logits, J.each, J.weights, J.number = logits, each, weights, 0
    J.objective = lambda losses: losses @ weights
    J.through_first_layer, J.states = through_first_layer, states
    return J


def padded(arrays, kind, length):
    """Ids, mask and segments with padding up to ``length`` behind the longest row."""
    fillers = (PADDING[kind], 0, 0)
    return [
        np.pad(array, ((0, 0), (0, length - array.shape[1])), constant_values=filler)
        for array, filler in zip(arrays, fillers, strict=True)
    ]


class Defended:
    """One training step of a defence on a small network, ours and PyTorch's, and what it drew."""

    def __init__(
        self, method, settings, folder, *, kind="bert", rows="whole", level=None, bucket=17,
        flood_rows=None, levels=None, mode=ms.GRAPH_MODE,
    ):  # fmt: skip
        """``flood_rows``: a rule of w_i; ``levels``: of its rows, where these have their own."""
        ms.set_context(mode=mode)
        self.flood_rows, self.levels = flood_rows, levels
        self.method, self.settings, self.level = method, settings, level
        self.theirs = torch_model(kind)
        self.theirs.save_pretrained(folder)
        ours = load_classifier(folder)
        self.arrays, self.weights, self.kind = padded(batch(kind), kind, bucket), ROWS[rows], kind
        self.critic = cell_beside(method, ours, seed=0)
        more = self.critic.trainable_params() if self.critic else []
        optimizer = nn.SGD([*ours.trainable_params(), *more], learning_rate=RATE)
        defence = defence_of(
            method, settings, ours, optimizer.parameters, beside=self.critic, rows=flood_rows
        )
        self.noise = noise_of(method, settings, ours, defence.passes, seed=3)
        self.drawn = self.noise.draw(7, range(5), self.arrays[0].shape[1])
        self.table = defence.table.table if method == "tavat" else None
        if self.table is not None:
            # As after some batches: values of a size that the mean and the clipping act on.
            self.table.set_data(Tensor(self.table.asnumpy() * 3))
        self.recorded = Recorded(
            defence, optimizer.parameters, self.drawn[2].shape, 1 + (method == "tavat")
        )
        self.step = DefendedTrainOneStepCell(self.recorded, optimizer, level)

    def run(self, dropout=False):
        """Take our step: J."""
        hidden, attention, *noise = self.drawn
        masks = (Tensor(hidden), Tensor(attention)) if dropout else (None, None)
        inputs = [Tensor(a) for a in (*self.arrays, LABELS, self.weights)]
        if self.levels is not None:
            inputs.insert(0, Tensor(self.levels))
        return float(self.step(*inputs, *masks, *map(Tensor, noise)).asnumpy())

    def delta(self):
        return dict(enumerate(part.asnumpy() for part in self.recorded.parts))

    def expected(self, dropout=None, objective=None):
        """What PyTorch makes of the same: J, the gradients, the parts of δ; before our step.

        Args:
            objective: of the rows' losses; None: their mean J.

        Returns also the weights before, by their names, and the vocabulary table after.
        """
        theirs, mask = self.theirs.double(), torch.tensor(self.arrays[1]).double()
        parameters = dict(theirs.named_parameters()) | self._critic_weights()
        chosen = {k: v for k, v in vars(self.settings).items() if v is not None}
        magnitude = chosen.pop("magnitude")
        del chosen["reuse_dropout"]
        chosen |= self._more(mask)
        unit = torch.tensor(self.drawn[2]).double()
        delta = defences_in_torch.initial(unit, mask, magnitude=magnitude, norm=self.settings.norm)
        J = loss_of(theirs, self.arrays, self.weights, dropout)
        J.objective = objective or J.objective
        value, gradients, delta = ORACLES[self.method](J, parameters, delta, **chosen)
        parts = delta if isinstance(delta, tuple) else (delta,)
        return value, gradients, dict(enumerate(parts)), parameters, chosen.get("table")

    def _more(self, mask):
        """What a method's computation takes besides the settings."""
        if self.method == "tavat":
            table = torch.tensor(self.table.asnumpy()).double()
            return {"table": table, "ids": torch.tensor(self.arrays[0]).long(), "mask": mask}
        if self.method == "infobert":
            uniform, *keys = map(torch.tensor, self.drawn[3:])
            return {"uniform": uniform, "keys": keys[0] if keys else None, "mask": mask}
        return {}

    def _critic_weights(self):
        # Copies: PyTorch would share the memory, and see the step.
        return {
            weight.name: torch.tensor(weight.asnumpy().copy()).double().requires_grad_()
            for weight in (self.critic.trainable_params() if self.critic else [])
        }


def check(step, *, dropout=None, delta_within=1e-4, objective=None):
    """Our step equals PyTorch's: J, δ, gradients, the table, the weights after SGD."""
    expected_J, gradients, delta, parameters, table = step.expected(dropout, objective)
    assert pytest.approx(expected_J, rel=1e-5) == step.run(dropout is not None)
    close(step.delta(), delta, delta_within)
    if table is not None:
        close({"V": step.table.asnumpy()}, {"V": table})
    seen = zip(step.step.weights, step.recorded.seen, strict=True)
    close({p.name: g.asnumpy() for p, g in seen}, gradients)
    sign = 1.0 if step.level is None or step.flood_rows else np.sign(expected_J - step.level)
    after = {name: p.detach() - RATE * sign * gradients[name] for name, p in parameters.items()}
    close({p.name: p.asnumpy() for p in step.step.weights}, after)
