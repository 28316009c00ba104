"""The MindSpore network against Hugging Face's on PyTorch: same weights, same inputs."""

import copy
import os

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import mindspore as ms
import numpy as np
import pytest
import torch
import transformers
from mindspore import Tensor, nn, ops

from mindflood.models.bert import BertConfig, BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import DropoutNoise
from mindflood.models.loss import cross_entropy
from mindflood.models.pretrained import resolve_encoder
from tests.oracle.encoders import (
    KINDS,
    MORE,
    SIZES,
    batch,
    embedded,
    inputs_of,
    torch_layers,
    torch_logits,
    torch_masks,
    torch_model,
)

MODES = pytest.mark.parametrize("mode", ["graph", "pynative"])


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def set_mode(name: str) -> None:
    ms.set_context(mode=ms.GRAPH_MODE if name == "graph" else ms.PYNATIVE_MODE)


@pytest.fixture
def pair(kind, tmp_path):
    """The same random network in PyTorch and, read from the folder that wrote, in MindSpore."""
    theirs = torch_model(kind)
    theirs.save_pretrained(tmp_path)
    return theirs, load_classifier(tmp_path)


def our_logits(model: nn.Cell, arrays: list[np.ndarray], *more: Tensor) -> np.ndarray:
    return model(*map(Tensor, arrays), *more).asnumpy()


@MODES
def test_logits_equal_hugging_face(pair, kind, mode):
    theirs, ours = pair
    set_mode(mode)
    expected = torch_logits(theirs, batch(kind)).detach().numpy()
    np.testing.assert_allclose(our_logits(ours, batch(kind)), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_activations_equal_hugging_face(activation, tmp_path):
    theirs = torch_model("bert", hidden_act=activation)
    theirs.save_pretrained(tmp_path)
    expected = torch_logits(theirs, batch("bert")).detach().numpy()
    ours = our_logits(load_classifier(tmp_path), batch("bert"))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


@MODES
def test_gradients_equal_hugging_face(pair, kind, mode):
    theirs, ours = pair
    set_mode(mode)
    labels = np.array([0, 2, 1, 1, 0], np.int32)
    loss = torch.nn.functional.cross_entropy(
        torch_logits(theirs, batch(kind)), torch.tensor(labels).long()
    )
    loss.backward()
    expected = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert_gradients_close(our_gradients(ours, batch(kind), labels), expected)


def our_gradients(
    model: nn.Cell, arrays: list[np.ndarray], labels: np.ndarray, *noise: Tensor
) -> dict:
    class Loss(nn.Cell):
        def __init__(self):
            super().__init__(auto_prefix=False)
            self.network = model

        def construct(self, ids, mask, segments, labels, *noise):
            return ops.reduce_mean(cross_entropy(self.network(ids, mask, segments, *noise), labels))

    weights = tuple(model.trainable_params())
    gradients = ms.grad(Loss(), None, weights)(*map(Tensor, arrays), Tensor(labels), *noise)
    return {p.name: g.asnumpy() for p, g in zip(weights, gradients, strict=True)}


def assert_gradients_close(ours: dict, theirs: dict) -> None:
    assert set(ours) == set(theirs)
    floor = 1e-6 * np.sqrt(sum(np.sum(g.astype(np.float64) ** 2) for g in theirs.values()))
    for name, expected in theirs.items():
        error = np.linalg.norm(ours[name] - expected)
        assert error <= 1e-3 * np.linalg.norm(expected) + floor, name


@MODES
def test_perturbation_is_added_to_the_word_embeddings(pair, kind, mode):
    theirs, ours = pair
    set_mode(mode)
    ids, mask, segments = batch(kind)
    words = theirs.get_input_embeddings()(torch.tensor(ids).long())
    delta = np.random.default_rng(2).normal(0, 0.3, words.shape).astype(np.float32)
    words = words + torch.tensor(delta)
    expected = theirs(inputs_embeds=words, **embedded(theirs, batch(kind))).logits
    logits = our_logits(ours, [ids, mask, segments], None, None, Tensor(delta))
    np.testing.assert_allclose(logits, expected.detach().numpy(), rtol=0, atol=1e-4)


def test_half_precision_stays_near_float32(pair, kind, tmp_path):
    theirs, _ = pair
    half = load_classifier(tmp_path, compute_type=ms.float16)
    logits = our_logits(half, batch(kind))
    assert logits.dtype == np.float32
    expected = torch_logits(theirs, batch(kind)).detach().numpy()
    error = np.abs(logits - expected).max()
    assert 1e-6 < error < 3e-2


def test_dropout_equals_hugging_face_with_the_same_masks(pair, kind, monkeypatch):
    """Every dropout of the PyTorch network is replaced by the mask that ours was given."""
    theirs, ours = pair
    arrays = batch(kind)
    rows, length = arrays[0].shape
    hidden, attention = DropoutNoise(ours.config, 3).draw(0, range(rows), length)
    queue = iter(torch_masks(kind, hidden, attention, length))
    scale = 65536 / round(0.9 * 65536)
    monkeypatch.setattr(
        torch.nn.functional, "dropout", lambda x, *_, **__: x * torch.tensor(next(queue)) * scale
    )
    expected = torch_logits(theirs, arrays)
    assert next(queue, None) is None
    noise = (Tensor(hidden), Tensor(attention))
    logits = our_logits(ours, arrays, *noise)
    np.testing.assert_allclose(logits, expected.detach().numpy(), rtol=0, atol=1e-4)
    labels = np.array([0, 2, 1, 1, 0], np.int32)
    torch.nn.functional.cross_entropy(expected, torch.tensor(labels).long()).backward()
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert_gradients_close(our_gradients(ours, arrays, labels, *noise), gradients)


@MODES
def test_the_first_layers_equal_hugging_face_cut_to_them(kind, mode, tmp_path):
    theirs = torch_model(kind, num_hidden_layers=4)
    theirs.save_pretrained(tmp_path)
    set_mode(mode)
    arrays, whole = batch(kind), torch_logits(theirs, batch(kind))
    for layers in (1, 3):
        cut = copy.deepcopy(theirs)
        del torch_layers(cut)[layers:]
        cut.config.num_hidden_layers = layers
        expected = torch_logits(cut, arrays).detach().numpy()
        ours = our_logits(load_classifier(tmp_path, layers=layers), arrays)
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)
        assert np.abs(expected - whole.detach().numpy()).max() > 1e-2


@pytest.mark.slow
@MODES
def test_the_embedded_encoder_equals_hugging_face(mode):
    set_mode(mode)
    folder = resolve_encoder("embedded")
    ours = load_classifier(folder, num_labels=2)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        theirs.classifier.weight.copy_(torch.tensor(ours.classifier.weight.asnumpy()))
        theirs.classifier.bias.zero_()
    arrays = batch("bert", vocabulary=30522, rows=8, length=64)
    labels = np.arange(8, dtype=np.int32) % 2
    logits = torch_logits(theirs, arrays)
    np.testing.assert_allclose(our_logits(ours, arrays), logits.detach().numpy(), rtol=0, atol=1e-4)
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels).long()).backward()
    expected = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert_gradients_close(our_gradients(ours, arrays, labels), expected)


@MODES
def test_hidden_states_are_reached_without_the_head(pair, kind, mode):
    theirs, ours = pair
    set_mode(mode)
    outputs = theirs(**inputs_of(theirs, batch(kind)), output_hidden_states=True)

    class States(nn.Cell):
        def __init__(self):
            super().__init__(auto_prefix=False)
            self.network = ours

        def construct(self, ids, mask, segments):
            words = self.network.embed_words(ids)
            first = self.network.embed(words, ids, segments)
            return first, self.network.encode(first, mask)

    first, last = States()(*map(Tensor, batch(kind)))
    expected = outputs.hidden_states
    np.testing.assert_allclose(first.asnumpy(), expected[0].detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(last.asnumpy(), expected[-1].detach().numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        *(pytest.param(kind, {}, id=kind) for kind in KINDS),
        pytest.param("electra", {"embedding_size": 48}, id="electra with wide words"),
    ],
)
def test_names_and_shapes_are_hugging_faces(kind, more):
    theirs = torch_model(kind, **more)
    known = {k: v for k, v in (MORE[kind] | more).items() if k != "seq_classif_dropout"}
    config = BertConfig(**SIZES | known, model_type=kind, pad_token_id=1)
    ours = BertForSequenceClassification(config)
    assert {p.name: p.shape for p in ours.get_parameters()} == {
        name: tuple(p.shape) for name, p in theirs.named_parameters()
    }
