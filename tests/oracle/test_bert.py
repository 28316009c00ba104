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

SIZES = {
    "vocab_size": 120,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 40,
    "num_labels": 3,
}
PADDING = {"bert": 0, "roberta": 1}
MODES = pytest.mark.parametrize("mode", ["graph", "pynative"])


@pytest.fixture(params=["bert", "roberta"])
def kind(request):
    return request.param


def set_mode(name: str) -> None:
    ms.set_context(mode=ms.GRAPH_MODE if name == "graph" else ms.PYNATIVE_MODE)


def torch_model(kind: str, **changes) -> torch.nn.Module:
    torch.manual_seed(0)
    settings = SIZES | changes
    settings |= {"type_vocab_size": 2 if kind == "bert" else 1, "pad_token_id": PADDING[kind]}
    config_type = {"bert": transformers.BertConfig, "roberta": transformers.RobertaConfig}[kind]
    config = config_type(**settings, initializer_range=0.1, layer_norm_eps=1e-12)
    build = transformers.AutoModelForSequenceClassification.from_config
    # The eager attention calls the dropout function, so that a test can hand in the masks.
    return build(config, attn_implementation="eager").eval()


@pytest.fixture
def pair(kind, tmp_path):
    """The same random network in PyTorch and, read from the folder that wrote, in MindSpore."""
    theirs = torch_model(kind)
    theirs.save_pretrained(tmp_path)
    return theirs, load_classifier(tmp_path)


def batch(kind: str, vocabulary: int = 120, rows: int = 5, length: int = 17) -> list[np.ndarray]:
    """Rows of different lengths, padded; BERT's have two segments."""
    random = np.random.default_rng(1)
    ids = random.integers(5, vocabulary, (rows, length)).astype(np.int32)
    mask, segments = np.ones_like(ids), np.zeros_like(ids)
    for row in range(1, rows):
        end = length - 3 * row
        ids[row, end:], mask[row, end:] = PADDING[kind], 0
        if kind == "bert":
            segments[row, end // 2 : end] = 1
    return [ids, mask, segments]


def torch_logits(model: torch.nn.Module, arrays: list[np.ndarray]) -> torch.Tensor:
    ids, mask, segments = (torch.tensor(array).long() for array in arrays)
    return model(input_ids=ids, attention_mask=mask, token_type_ids=segments).logits


def torch_masks(hidden: np.ndarray, attention: np.ndarray, length: int) -> list[np.ndarray]:
    """The masks of one pass, see ``DropoutNoise``, in the order of PyTorch's two layers."""
    states = [hidden[:, i * length : (i + 1) * length] for i in range(5)]
    pooled = [hidden[:, i] for i in range(5 * length, hidden.shape[1])]
    masks = [states[0]]
    for layer in range(2):
        masks += [attention[:, layer], states[2 * layer + 1], states[2 * layer + 2]]
    return masks + pooled


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
    delta = np.random.default_rng(2).normal(0, 0.3, (*ids.shape, 48)).astype(np.float32)
    words = theirs.get_input_embeddings()(torch.tensor(ids).long()) + torch.tensor(delta)
    hidden = {"inputs_embeds": words, "attention_mask": torch.tensor(mask)}
    if kind == "roberta":  # from embeddings alone, Hugging Face cannot tell where padding is
        real = (ids != 1).astype(np.int64)
        hidden["position_ids"] = torch.tensor(np.cumsum(real, 1) * real + 1)
    expected = theirs(token_type_ids=torch.tensor(segments).long(), **hidden).logits
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
    queue = iter(torch_masks(hidden, attention, length))
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
        network = cut.base_model.encoder
        network.layer = network.layer[:layers]
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
    ids, mask, segments = (torch.tensor(a).long() for a in batch(kind))
    outputs = theirs(ids, mask, segments, output_hidden_states=True)

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


def test_names_and_shapes_are_hugging_faces(kind):
    theirs = torch_model(kind)
    config = BertConfig(
        **SIZES, model_type=kind, type_vocab_size=2 if kind == "bert" else 1, pad_token_id=1
    )
    ours = BertForSequenceClassification(config)
    assert {p.name: p.shape for p in ours.get_parameters()} == {
        name: tuple(p.shape) for name, p in theirs.named_parameters()
    }
