"""The probe's class gradients and accordance against PyTorch's and NumPy's arithmetic."""

import itertools
import json

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, nn

from mindflood.errors import UserError
from mindflood.flooding.accordance import AccordanceProbe, LabelledBatch, probed_parameters
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.models.classifier import load_classifier
from mindflood.models.loss import MeanCrossEntropy
from tests.msrun import msrun
from tests.oracle.softmax_regression import CLASSES, regression, regression_gradients
from tests.oracle.test_bert import batch as token_arrays
from tests.oracle.test_bert import set_mode, torch_logits, torch_model

# Labels and which rows are real: fillers, an absent class, one class only, all unequal.
ROWS = {
    "filler rows": ([0, 1, 2, 1, 0, 0, 2, 0], [1, 1, 1, 1, 1, 1, 0, 0]),
    "class 2 is absent": ([0, 1, 1, 1, 0, 1, 1, 1], [1] * 8),
    "class 1 only": ([1] * 8, [1] * 8),
    "all classes": ([2, 2, 0, 1, 2, 2, 1, 2], [1] * 8),
}


def transformer_batches() -> list[LabelledBatch]:
    """Padded pairs of two lengths."""
    batches = []
    for number, (labels, real) in enumerate(ROWS.values()):
        arrays = token_arrays("bert", rows=4, length=17 if number % 2 else 13)
        arrays = [np.concatenate([array, array[::-1]]) for array in arrays]
        arrays[0] = np.where(arrays[1] > 0, (arrays[0] * (number + 2) + 3) % 115 + 4, 0)
        arrays[0] = arrays[0].astype(np.int32)
        batches.append(
            LabelledBatch(arrays, np.array(labels, np.int32), np.array(real, np.float32))
        )
    return batches


def torch_class_gradients(model: torch.nn.Module, batch: LabelledBatch) -> dict[int, dict]:
    """One backward pass a class, over exactly its rows."""
    found = {}
    for i in range(CLASSES):
        chosen = (batch.labels == i) & (batch.real_rows > 0)
        if chosen.any():
            model.zero_grad()
            logits = torch_logits(model, [array[chosen] for array in batch.inputs])
            labels = torch.tensor(batch.labels[chosen]).long()
            torch.nn.functional.cross_entropy(logits, labels).backward()
            found[i] = {name: p.grad.numpy().copy() for name, p in model.named_parameters()}
    return found


def literal_accordance(gradients: list[dict[int, np.ndarray]]) -> float:
    """Half the mean of cos(g_s^i, g_t^j) over s < t, i ≠ j, pair by pair."""
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for first, second in itertools.combinations(gradients, 2)
        for (i, a), (j, b) in itertools.product(first.items(), second.items())
        if i != j
    ]
    return float(np.mean(cosines) / 2)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """A network's folder, and its class gradients in each batch by PyTorch in float64."""
    folder = tmp_path_factory.mktemp("network")
    theirs = torch_model("bert")
    theirs.save_pretrained(folder)
    theirs = theirs.double()
    return folder, [torch_class_gradients(theirs, batch) for batch in transformer_batches()]


@pytest.mark.parametrize(
    ("mode", "rows_a_pass", "loss_scale"),
    [
        ("graph", None, 1.0),
        ("graph", 2, 1024.0),
        pytest.param("pynative", None, 1.0, marks=pytest.mark.slow),
    ],
)
def test_gradients_and_accordance_equal_pytorch(oracle, mode, rows_a_pass, loss_scale):
    set_mode(mode)
    folder, expected = oracle
    model = load_classifier(folder)
    before = [p.asnumpy().copy() for p in model.get_parameters()]
    parameters = probed_parameters(model, "all")
    names = [p.name for p in parameters]
    probe = AccordanceProbe(
        MeanCrossEntropy(model), parameters, CLASSES,
        rows_a_pass=rows_a_pass, loss_scale=loss_scale,
    )  # fmt: skip
    for batch, theirs in zip(transformer_batches(), expected, strict=True):
        ours = probe.class_gradients(*batch)
        assert ours.keys() == theirs.keys()
        for i in ours:
            assert_gradients_close(dict(zip(names, ours[i], strict=True)), theirs[i])
    vectors = [
        {i: np.concatenate([g[name].ravel() for name in names]) for i, g in gradients.items()}
        for gradients in expected
    ]
    measured = probe.measure(transformer_batches())
    assert measured.num_batches == len(ROWS)
    assert measured.value() == pytest.approx(literal_accordance(vectors), abs=1e-3)
    after = [p.asnumpy() for p in model.get_parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def assert_gradients_close(ours: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert ours.keys() == expected.keys()
    total = np.sqrt(sum(np.sum(np.square(g)) for g in expected.values()))
    for name, theirs in expected.items():
        allowed = max(1e-3 * np.linalg.norm(theirs), 1e-6 * total)
        assert np.linalg.norm(ours[name] - theirs) <= allowed, name


@pytest.mark.parametrize(
    ("which", "layers", "others"),
    [("all", {0, 1}, True), ("encoder", {0, 1}, False), ("last-1", {1}, False)],
)
def test_the_parameters_that_count_can_be_chosen(oracle, which, layers, others):
    names = [p.name for p in probed_parameters(load_classifier(oracle[0]), which)]
    found = {int(n.split(".layer.")[1][0]) for n in names if ".encoder.layer." in n}
    assert found == layers
    assert len(names) == len(set(names)) == 16 * len(layers) + 9 * others
    assert any("classifier" in n or "embeddings" in n for n in names) == others


@pytest.mark.parametrize("which", ["last-0", "last-3", "last--1", "head", ""])
def test_a_choice_that_does_not_exist_is_refused(oracle, which):
    with pytest.raises(UserError, match=r"expected all, encoder or last-N with N from 1 to the 2"):
        probed_parameters(load_classifier(oracle[0]), which)


@pytest.mark.parametrize("mode", ["graph", "pynative"])
def test_a_network_of_ones_own_in_training_mode(mode):
    set_mode(mode)
    network, batches = regression()
    network.set_train()
    modes = modes_of(network)
    weight = network.weight.asnumpy().copy()
    probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
    expected = [regression_gradients(weight, batch) for batch in batches]
    for batch, theirs in zip(batches, expected, strict=True):
        for i, gradient in probe.class_gradients(*batch).items():
            np.testing.assert_allclose(gradient[0].ravel(), theirs[i], atol=1e-5)
    assert modes_of(network) == modes
    network.dropout.set_train(False)  # a cell that its owner has frozen stays so
    modes = modes_of(network)
    assert probe.measure(batches).value() == pytest.approx(literal_accordance(expected), abs=1e-5)
    assert modes_of(network) == modes


def modes_of(network: nn.Cell) -> list[tuple[bool, str]]:
    return [(cell.training, cell.phase) for _, cell in network.cells_and_names()]


@pytest.mark.parametrize("mode", ["graph", pytest.param("pynative", marks=pytest.mark.slow)])
def test_a_probed_run_trains_to_the_same_bits(mode):
    set_mode(mode)

    def train(probed: bool) -> np.ndarray:
        ms.set_seed(3)
        np.random.seed(3)
        network, batches = regression()
        step = FloodingTrainOneStepCell(network, nn.Momentum(network.trainable_params(), 0.1, 0.9))
        step.set_train()
        probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
        for batch in batches:
            step(*map(Tensor, batch.inputs), Tensor(batch.labels), Tensor(np.ones(10, np.float32)))
            if probed:
                probe.measure(batches)
        return np.append(network.weight.asnumpy().ravel(), np.random.random())

    assert np.array_equal(train(True), train(False))


LABELS = np.array([0, 1, 2, 0], np.int32)


@pytest.mark.parametrize(
    ("labels", "real", "message"),
    [
        (LABELS, np.zeros(4), "batch: no labelled row"),
        (LABELS[:0], None, r"batch: arrays of \[0, 4\] rows"),
        (LABELS + 1, None, "batch, row 2: label 3, expected 0 to 2"),
        (LABELS - 1, None, "batch, row 0: label -1, expected 0 to 2"),
    ],
    ids=["only fillers", "no labels", "label too large", "negative label"],
)
def test_a_batch_that_cannot_be_probed_is_refused(labels, real, message):
    network, _ = regression()
    probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
    with pytest.raises(UserError, match=message) as refused:
        probe.class_gradients([np.ones((4, 6), np.float32)], labels, real)
    assert "\n" not in str(refused.value)


def test_measure_names_the_batch_that_has_no_labels():
    network, batches = regression()
    probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
    batches[1] = batches[1]._replace(real_rows=np.zeros(10))
    with pytest.raises(UserError, match=r"^batch 1: no labelled row"):
        probe.measure(batches, rank=0, worker_count=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 1}, "num_classes: 1"),
        ({"rows_a_pass": 0}, "rows_a_pass: 0"),
        ({"loss_scale": 0.0}, "loss_scale: 0.0"),
        ({"parameters": []}, "parameters: none"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(arguments, message):
    network, _ = regression()
    given = {"parameters": network.trainable_params(), "num_classes": CLASSES} | arguments
    with pytest.raises(UserError, match=message):
        AccordanceProbe(network, **given)


WORKER = """
import json, sys
from pathlib import Path
from mindspore.communication import get_group_size, get_rank, init
from mindflood.flooding.accordance import AccordanceProbe
from tests.oracle.softmax_regression import CLASSES, regression

init()
network, batches = regression()
probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
found = []
for chosen in (batches, batches[:1]):  # with one batch the second worker has none
    measured = probe.measure(chosen, rank=get_rank(), worker_count=get_group_size())
    found.append([array.tolist() for array in measured.state_dict().values()])
Path(sys.argv[1], f"{get_rank()}.json").write_text(json.dumps(found))
"""


@pytest.mark.slow
def test_two_workers_measure_what_one_does(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    msrun(tmp_path / "logs", script, tmp_path)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    set_mode("graph")
    network, batches = regression()
    probe = AccordanceProbe(network, network.trainable_params(), CLASSES)
    for chosen, merged in zip((batches, batches[:1]), first, strict=True):
        alone = probe.measure(chosen).state_dict().values()
        for ours, theirs in zip(merged, alone, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
