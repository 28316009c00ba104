"""Steps on the union of rows and adversarial rows, against PyTorch's AdamW on (1/B)·Σ w·ce."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn, ops

from mindflood.data.batching import Batches, Encoded
from mindflood.flooding import FloodingTrainOneStepCell
from mindflood.models.loss import weighted_cross_entropy
from mindflood.training.decay import Decay
from mindflood.training.optimizer import AdamW, parameter_groups
from mindflood.training.parallel import row_weights
from mindflood.training.schedule import MovingDecay

ROWS, ADVERSARIAL, BATCH, TOKENS, CLASSES = 10, 4, 4, 6, 3
random = np.random.default_rng(3)
TABLE = random.normal(size=(20, CLASSES)).astype(np.float32)
IDS = random.integers(0, 20, (ROWS + ADVERSARIAL, TOKENS)).astype(np.int32)
LABELS = random.integers(0, CLASSES, ROWS + ADVERSARIAL)
STEPS = 8  # two epochs of ⌈14 / 4⌉


class Bag(nn.Cell):
    """The mean of a text's rows of a table are its logits."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ms.Parameter(Tensor(TABLE), name="table")

    def construct(self, ids, labels, weights):
        logits = ops.reduce_mean(ops.gather(self.table, ids, 0), 1)
        return weighted_cross_entropy(logits, labels, weights)


def union(alpha: float) -> Batches:
    encoded = Encoded(
        IDS.reshape(-1), np.zeros(IDS.size, np.int32),
        np.arange(0, IDS.size + 1, TOKENS), 0, TOKENS,
    )  # fmt: skip
    weights = np.ones(len(IDS))
    weights[ROWS:] = alpha
    return Batches(encoded, LABELS, BATCH, CLASSES, seed=1, weights=weights)


def in_torch(alpha: float, level: float | None, rates: list[float]) -> np.ndarray:
    """The same rows in the same order, divided by how many they are."""
    table = torch.nn.Parameter(torch.tensor(TABLE))
    optimizer = torch.optim.AdamW([table], lr=1.0, weight_decay=0.01)
    rows = [batch.indices[batch.indices >= 0] for epoch in (0, 1) for batch in
            union(alpha).epoch(epoch)]  # fmt: skip
    for places, rate in zip(rows, rates, strict=True):
        of_rows = torch.nn.functional.cross_entropy(
            table[torch.tensor(IDS[places], dtype=torch.long)].mean(1),
            torch.tensor(LABELS[places]), reduction="none",
        )  # fmt: skip
        weights = torch.where(torch.tensor(places) >= ROWS, alpha, 1.0)
        J = (weights * of_rows).sum() / len(places)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (J if level is None else (J - level).abs() + level).backward()
        optimizer.step()
    return table.detach().numpy()


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"])
@pytest.mark.parametrize("level", [None, 1.1], ids=["plain", "flooded"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 3.0])
def test_steps_equal_pytorch(mode, level, alpha):
    ms.set_context(mode=mode, device_target="CPU")
    line = Decay(2, 30)
    schedule, network = MovingDecay(0.1, line), Bag()
    step = FloodingTrainOneStepCell(
        network, AdamW(parameter_groups(network, 0.01), schedule), level
    )
    batches, rates = union(alpha), []
    for epoch in (0, 1):
        if epoch == 1:  # fewer rows than were planned: the end comes nearer
            line.end_at(STEPS, STEPS // 2)
            schedule.follow()
        for batch in batches.epoch(epoch):
            rates.append(schedule.at(len(rates)))
            step(Tensor(batch.input_ids), Tensor(batch.labels), Tensor(row_weights(batch, 1)))
    assert len(rates) == STEPS
    assert rates[4] == pytest.approx(0.1 * 26 / 28)  # as before the end moved
    assert rates[5] == pytest.approx(0.75 * rates[4])
    expected = in_torch(alpha, level, rates)
    np.testing.assert_allclose(network.table.asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_rate_in_the_graph_is_the_host_s():
    ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
    line = Decay(5, 40)
    schedule = MovingDecay(2e-5, line)
    for step in range(70):
        for at, end in ((20, 60), (45, 50)):
            if step == at:
                line.end_at(end, at)
                schedule.follow()
        found = float(schedule(Tensor(step, ms.int32)).asnumpy())
        assert found == pytest.approx(schedule.at(step), rel=1e-4, abs=1e-11)
