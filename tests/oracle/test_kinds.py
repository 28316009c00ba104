"""The heads, losses and defences of regressions, choices and taggers, against Hugging Face's."""

import mindspore as ms
import numpy as np
import pytest
import torch
import transformers
from mindspore import Tensor, nn
from transformers import AutoModel

from mindflood.config.settings import Config
from mindflood.defences.lds import divergence
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DefenceSettings, resolved
from mindflood.flooding import FloodingTrainOneStepCell
from mindflood.flooding.accordance import AccordanceProbe, LabelledBatch
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import DropoutNoise
from mindflood.models.loss import IGNORED, MeanCrossEntropy, measured_losses, row_losses
from mindflood.training.defended_step import cell_beside, defended
from mindflood.training.evaluation import answers
from tests.oracle.encoders import CLASSES, PADDING, SEGMENTS, inputs_of, torch_config

SIZES = {
    "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24, "max_position_embeddings": 32, "initializer_range": 0.3,
}  # fmt: skip
HEADS = {
    "regression": "ForSequenceClassification",
    "choice": "ForMultipleChoice",
    "tagging": "ForTokenClassification",
}
KINDS = ("regression", "choice", "tagging")
OUTPUTS = {"regression": 1, "choice": 1, "tagging": 5}
K = 5


@pytest.fixture(autouse=True)
def _pynative():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def hugging_face(family: str, kind: str) -> torch.nn.Module:
    torch.manual_seed(1)
    narrow = {"embedding_size": 8} if family == "electra" else {}
    labels = {"num_labels": 2 if kind == "choice" else OUTPUTS[kind]}
    head = getattr(transformers, CLASSES[family] + HEADS[kind])
    return head(torch_config(family, **SIZES, **narrow, **labels)).eval()


def ours(folder, **options):
    return load_classifier(folder, choices=K if options.pop("asks", False) else 1, **options)


@pytest.fixture(params=[(f, k) for f in CLASSES for k in HEADS], ids="-".join)
def both(request, tmp_path):
    """Hugging Face's model and ours, of the folder that it was saved to."""
    family, kind = request.param
    theirs = hugging_face(family, kind)
    theirs.save_pretrained(tmp_path, safe_serialization=True)
    return family, kind, theirs, ours(tmp_path, asks=kind == "choice")


OF_CHOICES = pytest.mark.parametrize(
    "both", [(family, "choice") for family in CLASSES], ids="-".join, indirect=True
)


def inputs(family: str, lengths: list[int], padded: int, seed: int = 0) -> list[np.ndarray]:
    ids = np.random.default_rng(seed).integers(5, 50, (len(lengths), padded)).astype(np.int32)
    mask = (np.arange(padded) < np.array(lengths)[:, None]).astype(np.int32)
    segments = (np.arange(padded) % 5 == 4).astype(np.int32) * mask * (family in SEGMENTS)
    return [np.where(mask, ids, PADDING[family]).astype(np.int32), mask, segments]


def labels_of(kind: str, padded: int = 8) -> np.ndarray:
    """Of three rows; the second question has three choices, the second sentence one word."""
    if kind == "regression":
        return np.array([0.5, 3.2, 4.75], np.float32)
    if kind == "choice":
        return np.array([[0, 0, 1, 0, 0], [1, 0, 0, IGNORED, IGNORED], [0, 0, 0, 0, 1]], np.int32)
    found = np.full((3, padded), IGNORED, np.int32)
    found[0, [1, 2, 5]], found[1, 1], found[2, [1, 2, 3, 4]] = [0, 4, 2], 3, [1, 1, 0, 2]
    return found


def texts_of(family: str, kind: str) -> list[np.ndarray]:
    """What the labels above belong to."""
    if kind == "choice":
        return inputs(family, [8, 5, 6, 4, 3, 7, 3, 5, 0, 0, 8, 8, 2, 6, 5], 8)
    return inputs(family, [7, 4, 6], 8)


def tensors(arrays: list[np.ndarray]) -> list[Tensor]:
    return [Tensor(array) for array in arrays]


def in_torch(theirs, kind: str, arrays: list[np.ndarray], rows: slice, labels=None):
    given = inputs_of(theirs, [array[rows] for array in arrays])
    if kind == "choice":
        given = {name: array[None] for name, array in given.items()}
    with torch.no_grad():
        found = theirs(**given, labels=labels)
    return found.logits.numpy(), None if labels is None else float(found.loss)


@pytest.mark.parametrize("family", CLASSES)
@pytest.mark.parametrize("kind", ["classification", *HEADS])
def test_an_encoder_without_a_head_gets_a_fresh_one(family, kind, tmp_path):
    """As they are pretrained: the encoder's own weights, and a head that the seed draws."""
    torch.manual_seed(2)
    narrow = {"embedding_size": 8} if family == "electra" else {}
    theirs = AutoModel.from_config(torch_config(family, **SIZES, **narrow)).eval()
    theirs.save_pretrained(tmp_path, safe_serialization=True)
    labels = 3 if kind == "classification" else OUTPUTS[kind]
    loaded = [
        ours(tmp_path, asks=kind == "choice", kind=kind, num_labels=labels, seed=seed)
        for seed in (0, 0, 1)
    ]
    texts = texts_of(family, kind)
    logits = [model(*tensors(texts)).asnumpy() for model in loaded]
    assert np.isfinite(logits[0]).all()
    np.testing.assert_array_equal(logits[0], logits[1])
    assert np.abs(logits[0] - logits[2]).max() > 0
    own = {name.partition(".")[2]: p.asnumpy() for name, p in loaded[0].parameters_dict().items()}
    layers = [name for name in theirs.state_dict() if ".layer." in name and name in own]
    assert len(layers) >= 2 * 16  # weights and biases of two layers
    for name in layers:
        np.testing.assert_array_equal(own[name], theirs.state_dict()[name].numpy())


def test_logits_and_losses_equal_hugging_face_s(both):
    family, kind, theirs, model = both
    arrays, labels = texts_of(family, kind), labels_of(kind)
    logits = model(*tensors(arrays)).asnumpy()
    losses = row_losses(Tensor(logits), Tensor(labels)).asnumpy()
    np.testing.assert_allclose(measured_losses(logits, labels), losses, rtol=1e-5, atol=1e-6)
    for row in range(3):
        if kind == "choice":
            count = int((labels[row] >= 0).sum())
            rows, answer = slice(row * K, row * K + count), torch.tensor([labels[row].argmax()])
            wanted, loss = in_torch(theirs, kind, arrays, rows, answer)
            np.testing.assert_allclose(logits[row, :count], wanted[0], atol=1e-5)
        else:
            of_row = torch.tensor(labels[row : row + 1])
            of_row = of_row.long() if kind == "tagging" else of_row
            wanted, loss = in_torch(theirs, kind, arrays, slice(row, row + 1), of_row)
            there = arrays[1][row].astype(bool) if kind == "tagging" else slice(None)
            np.testing.assert_allclose(logits[row][there], wanted[0][there], atol=1e-5)
        assert losses[row] == pytest.approx(loss, rel=1e-4, abs=1e-5)


@OF_CHOICES
def test_questions_of_three_and_five_choices_are_as_in_batches_of_their_own(both, tmp_path):
    family, kind, theirs, model = both
    arrays, labels = texts_of(family, kind), labels_of(kind)
    together = model(*tensors(arrays)).asnumpy()
    theirs.save_pretrained(tmp_path / "again", safe_serialization=True)
    for row, count in ((0, 5), (1, 3), (2, 5)):
        alone = load_classifier(tmp_path / "again", choices=count)
        chosen = [array[row * K : row * K + count] for array in arrays]
        scores = alone(*tensors(chosen)).asnumpy()
        np.testing.assert_allclose(together[row, :count], scores[0], atol=1e-5)
        of_row = labels[row : row + 1]
        np.testing.assert_allclose(
            measured_losses(together[row : row + 1], of_row),
            measured_losses(scores, of_row[:, :count]), rtol=1e-4, atol=1e-6,
        )  # fmt: skip


@OF_CHOICES
def test_permuted_choices_permute_scores_and_leave_j(both):
    family, kind, _, model = both
    arrays, labels = texts_of(family, kind), labels_of(kind)
    order = np.array([2, 4, 0, 1, 3])
    places = (np.arange(3)[:, None] * K + order).ravel()
    before = model(*tensors(arrays)).asnumpy()
    after = model(*tensors([array[places] for array in arrays])).asnumpy()
    there = labels >= 0
    np.testing.assert_allclose(after[there[:, order]], before[:, order][there[:, order]], atol=1e-5)
    np.testing.assert_allclose(
        measured_losses(after, labels[:, order]), measured_losses(before, labels), atol=1e-6
    )


def small(kind: str, tmp_path, family: str = "bert"):
    hugging_face(family, kind).save_pretrained(tmp_path, safe_serialization=True)
    model = ours(tmp_path, asks=kind == "choice")
    weights = np.full(3, 1 / 3, np.float32)
    return model, [*texts_of(family, kind), labels_of(kind), weights]


@pytest.mark.parametrize("kind", KINDS)
def test_flooding_turns_the_gradient_round_below_the_level_and_stands_still_on_it(kind, tmp_path):
    model, batch = small(kind, tmp_path)
    J = float(MeanCrossEntropy(model)(*tensors(batch)).asnumpy())
    start = {p.name: p.asnumpy().copy() for p in model.trainable_params()}
    moved = {}
    for name, level in (("none", None), ("below", J + 1), ("on", J)):
        for parameter in model.trainable_params():
            parameter.set_data(Tensor(start[parameter.name]))
        optimizer = nn.SGD(model.trainable_params(), learning_rate=0.01)
        step = FloodingTrainOneStepCell(MeanCrossEntropy(model), optimizer, level)
        assert float(step(*tensors(batch)).asnumpy()) == pytest.approx(J, rel=1e-6)
        moved[name] = np.concatenate(
            [(p.asnumpy() - start[p.name]).ravel() for p in model.trainable_params()]
        )
    assert np.abs(moved["none"]).max() > 1e-4
    np.testing.assert_allclose(moved["below"], -moved["none"], atol=1e-6)
    assert not moved["on"].any()


@pytest.mark.parametrize(
    "method",
    [
        "freelb",
        *(pytest.param(m, marks=pytest.mark.slow) for m in DEFENCE_METHODS if m != "freelb"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_every_defence_trains_every_kind(kind, method, tmp_path):
    model, batch = small(kind, tmp_path, "roberta" if method == "pgd" else "bert")
    whole = resolved(method, DefenceSettings(steps=2))
    beside = cell_beside(method, model, seed=0)
    trained = [*model.trainable_params(), *(beside.trainable_params() if beside else [])]
    before = {p.name: p.asnumpy().copy() for p in model.trainable_params()}
    step, noise = defended(
        Config(method=method, defence=whole), model, nn.SGD(trained, learning_rate=1e-3), None,
        beside, max_gradient_norm=None, loss_scale=None,
    )  # fmt: skip
    drawn = noise.draw(0, range(len(batch[0])), batch[0].shape[1])
    J = float(step(*tensors([*batch, *drawn])).asnumpy())
    assert np.isfinite(J)
    assert all(np.isfinite(p.asnumpy()).all() for p in model.trainable_params())
    assert any(np.abs(p.asnumpy() - before[p.name]).max() > 0 for p in model.trainable_params())


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_has_a_mask_for_every_place_of_the_head(kind, tmp_path):
    """All kept is no dropout but for its scale; without the head's masks the head is the bias."""
    model, batch = small(kind, tmp_path)
    hidden, attention = DropoutNoise(model.config, 0).draw(0, range(len(batch[0])), 8)
    tokens = 5 * 8
    hidden[:, :tokens], hidden[:, tokens:], attention[:] = 1, 0, 1
    logits = model(*tensors(batch[:3]), Tensor(hidden), Tensor(attention)).asnumpy()
    bias = {p.name: p for p in model.get_parameters()}["classifier.bias"].asnumpy()
    np.testing.assert_allclose(logits, np.broadcast_to(
        bias if kind != "choice" else bias[0], logits.shape
    ), atol=1e-6)  # fmt: skip


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_the_divergence_of_every_kind_equals_numpy():
    random, weights = np.random.default_rng(0), np.array([0.2, 0.3, 0.5])
    shapes = {"regression": (3, 1), "choice": (3, K), "tagging": (3, 8, 5)}
    for kind, shape in shapes.items():
        clean, moved = random.normal(size=(2, *shape)).astype(np.float32)
        labels = labels_of(kind)
        rows = []
        for row in range(3):
            if kind == "regression":
                rows.append(0.5 * (clean[row, 0] - moved[row, 0]) ** 2)
                continue
            there = labels[row] >= 0
            p, q = (softmax(side[row][there].astype(np.float64)) for side in (clean, moved))
            kl = (p * np.log(p / q)).sum(axis=-1)
            rows.append(kl if kind == "choice" else kl.mean())
        found = divergence(
            Tensor(clean), Tensor(moved), Tensor(labels), Tensor(weights.astype(np.float32))
        )
        assert float(found.asnumpy()) == pytest.approx(float(weights @ np.array(rows)), rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "logits", "predicted", "right"),
    [
        ("regression", [[1.5], [2.0], [3.0]], [1.5, 2.0, 3.0], [0.5, 3.2, 4.75]),
        ("choice", [[0, 1, 2, 3, 1], [0, 1, 2, 9, 8], [4, 3, 2, 1, 0]], [3, 2, 0], [2, 0, 4]),
    ],
)
def test_answers_are_those_of_the_rows(kind, logits, predicted, right):
    pairs = [answers(*row) for row in zip(np.array(logits, np.float32), labels_of(kind),
                                          strict=True)]  # fmt: skip
    found, wanted = (np.concatenate(side) for side in zip(*pairs, strict=True))
    np.testing.assert_allclose(found, predicted)
    np.testing.assert_allclose(wanted, np.array(right, np.float32))


def test_answers_of_tags_are_those_of_words():
    logits = np.zeros((8, 5), np.float32)
    logits[[1, 2, 5], [0, 3, 2]] = 1
    found, wanted = answers(logits, labels_of("tagging")[0])
    assert found.tolist() == [0, 3, 2]
    assert wanted.tolist() == [0, 4, 2]


def test_a_tag_s_gradient_is_that_of_the_words_that_have_it(tmp_path):
    model, batch = small("tagging", tmp_path)
    *arrays, labels, _ = batch
    probe = AccordanceProbe(MeanCrossEntropy(model), model.trainable_params(), 5, rows_a_pass=2)
    whole = type("Batch", (), {
        "input_ids": arrays[0], "attention_mask": arrays[1], "token_type_ids": arrays[2],
        "labels": labels, "weights": np.ones(3, np.float32),
    })  # fmt: skip
    view = LabelledBatch.of(whole)
    found = probe.class_gradients(*view)
    only = np.where(labels == 1, labels, IGNORED).astype(np.int32)
    weights = (only >= 0).any(axis=1).astype(np.float32)
    gradient = ms.grad(MeanCrossEntropy(model), None, ms.ParameterTuple(model.trainable_params()))
    expected = gradient(*tensors([*arrays, only, weights / weights.sum()]))
    assert sorted(set(view.labels.tolist())) == [0, 1, 2, 3, 4]
    for ours_, theirs_ in zip(found[1], expected, strict=True):
        np.testing.assert_allclose(ours_, theirs_.asnumpy(), atol=1e-5)
