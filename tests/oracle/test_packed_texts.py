"""Texts that share rows, against Hugging Face's network on a padded batch of them."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, ops

from mindflood.data.batching import Batch
from mindflood.data.packing import Packed
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import DropoutNoise
from mindflood.models.packed_texts import (
    PackedCrossEntropy,
    PackedRowCrossEntropy,
    PackedTexts,
)
from mindflood.training.inputs import packing_for
from tests.oracle.encoders import (
    KINDS,
    PADDING,
    SEGMENTS,
    inputs_of,
    torch_logits,
    torch_masks,
    torch_model,
)

MODES = pytest.mark.parametrize(
    "mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"]
)
WORDS, POSITIONS = "word_embeddings.weight", "position_embeddings.weight"
# The tables whose row of the padding PyTorch gives no gradient.
UNTRAINED = {
    kind: (WORDS, POSITIONS) if kind in ("roberta", "mpnet") else (WORDS,) for kind in KINDS
}
LENGTH, TEXTS, FILLERS = 17, 16, 2
LABELS = np.random.default_rng(0).integers(0, 3, TEXTS).astype(np.int32)
WEIGHTS = np.linspace(0.02, 0.12, TEXTS, dtype=np.float32)
WEIGHTS[-FILLERS:] = 0


@pytest.fixture(params=KINDS)
def pair(request, tmp_path):
    theirs = torch_model(request.param)
    theirs.save_pretrained(tmp_path)
    return request.param, theirs, load_classifier(tmp_path)


def packed_batch(
    kind: str, ours: BertForSequenceClassification, length: int = LENGTH
) -> tuple[list[np.ndarray], Packed]:
    """Texts of 3 tokens to the whole length, two fillers, a row of padding.

    One text has the token of the padding in its midst, which RoBERTa and MPNet do not count.
    """
    random = np.random.default_rng(2)
    lengths = np.array([length, *random.integers(3, length // 2, TEXTS - 1 - FILLERS)])
    lengths = np.append(lengths, [length] * FILLERS)  # a filler repeats the first text
    ids = random.integers(5, 120, (TEXTS, length)).astype(np.int32)
    ids[0, 4] = PADDING[kind]
    ids[-FILLERS:] = ids[0]
    mask = (np.arange(length) < lengths[:, None]).astype(np.int32)
    segments = mask * (np.arange(length) >= lengths[:, None] // 2) * (kind in SEGMENTS)
    ids = np.where(mask, ids, PADDING[kind]).astype(np.int32)
    indices = np.where(np.arange(TEXTS) < TEXTS - FILLERS, np.arange(TEXTS), -1)
    arrays = [ids, mask, segments.astype(np.int32)]
    batch = Batch(*arrays, LABELS, (indices >= 0).astype(np.float32), indices)
    packed = packing_for(ours.config)(batch)
    assert max(len(set(row[row > 0])) for row in packed.owners) > 2
    assert not packed.owners[-1].any()
    return arrays, packed


def tensors(packed: Packed) -> list[Tensor]:
    return [
        Tensor(array)
        for array in (
            packed.input_ids, packed.owners, packed.token_type_ids, packed.positions, packed.firsts,
        )
    ]  # fmt: skip


@MODES
def test_logits_and_gradients_equal_hugging_face(pair, mode):
    kind, theirs, ours = pair
    ms.set_context(mode=mode)
    arrays, packed = packed_batch(kind, ours)
    expected = torch_logits(theirs, arrays)
    found = PackedTexts(ours)(*tensors(packed)).asnumpy()
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=0, atol=1e-4)
    assert np.ptp(found, axis=0).min() > 1e-2  # the texts are told apart

    losses = torch.nn.functional.cross_entropy(
        expected, torch.tensor(LABELS).long(), reduction="none"
    )
    (losses * torch.tensor(WEIGHTS)).sum().backward()
    wanted = {name: p.grad.numpy() for name, p in theirs.named_parameters() if p.grad is not None}
    weights = ms.ParameterTuple(ours.trainable_params())
    network = PackedCrossEntropy(ours)
    given = [Tensor(LABELS), Tensor(WEIGHTS), *tensors(packed)]
    J, gradients = ops.value_and_grad(network, grad_position=None, weights=weights)(*given)
    total = float((losses * torch.tensor(WEIGHTS)).sum().detach())
    assert float(J.asnumpy()) == pytest.approx(total, abs=1e-5)
    for parameter, gradient in zip(weights, gradients, strict=True):
        found, theirs_too = gradient.asnumpy(), wanted.get(parameter.name, np.zeros(1, np.float32))
        if parameter.name.endswith(UNTRAINED[kind]):
            found[PADDING[kind]] = theirs_too[PADDING[kind]]
        np.testing.assert_allclose(found, theirs_too + 0 * found, rtol=0, atol=2e-5)


@MODES
def test_losses_of_rows_are_theirs(pair, mode):
    kind, theirs, ours = pair
    ms.set_context(mode=mode)
    arrays, packed = packed_batch(kind, ours)
    expected = torch.nn.functional.cross_entropy(
        torch_logits(theirs, arrays), torch.tensor(LABELS).long(), reduction="none"
    )
    given = [Tensor(LABELS), Tensor(WEIGHTS), *tensors(packed)]
    losses, weights = PackedRowCrossEntropy(ours)(*given)
    np.testing.assert_allclose(losses.asnumpy(), expected.detach().numpy(), rtol=0, atol=1e-4)
    np.testing.assert_array_equal(weights.asnumpy(), WEIGHTS)


def test_dropout_equals_hugging_face_with_the_same_masks(pair, monkeypatch):
    """A token's masks are those of its place, whichever row that is in."""
    kind, theirs, ours = pair
    arrays, packed = packed_batch(kind, ours)
    length, vectors = arrays[0].shape[1], ours.head_vectors
    hidden, attention = DropoutNoise(ours.config, 3, packed=True).draw(
        0, range(len(packed.owners)), length
    )
    sites = hidden.shape[1] // length - vectors
    of_states = hidden[:, : sites * length].reshape(len(packed.owners), sites, length, -1)
    of_heads = hidden[:, sites * length :].reshape(len(packed.owners), length, vectors, -1)
    texts, size = len(arrays[0]), hidden.shape[-1]
    one_a_row = np.ones((texts, sites * length + vectors, size), np.uint8)
    scores = np.ones((texts, *attention.shape[1:]), np.uint8)
    for text, many in enumerate(arrays[1].sum(axis=1)):
        row, column = divmod(int(packed.firsts[text]), length)
        there = slice(column, column + many)
        states = one_a_row[text, : sites * length].reshape(sites, length, size)
        states[:, :many] = of_states[row, :, there]
        one_a_row[text, sites * length :] = of_heads[row, column]
        scores[text, ..., :many, :many] = attention[row, ..., there, there]

    queue = iter(torch_masks(kind, one_a_row, scores, length))
    scale = 65536 / round(0.9 * 65536)
    monkeypatch.setattr(
        torch.nn.functional, "dropout", lambda x, *_, **__: x * torch.tensor(next(queue)) * scale
    )
    expected = theirs(**inputs_of(theirs, arrays)).logits.detach().numpy()
    assert next(queue, None) is None
    found = PackedTexts(ours)(*tensors(packed), Tensor(hidden), Tensor(attention)).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    without = PackedTexts(ours)(*tensors(packed)).asnumpy()
    assert np.abs(found - without).max() > 1e-2


def test_a_row_as_long_as_the_positions_reach(pair):
    kind, theirs, ours = pair
    arrays, packed = packed_batch(kind, ours, ours.config.max_length)
    expected = torch_logits(theirs, arrays).detach().numpy()
    found = PackedTexts(ours)(*tensors(packed)).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_half_precision_stays_near_float32(pair, tmp_path):
    kind, theirs, ours = pair
    arrays, packed = packed_batch(kind, ours)
    half = load_classifier(tmp_path, compute_type=ms.float16)
    found = PackedTexts(half)(*tensors(packed)).asnumpy()
    expected = torch_logits(theirs, arrays).detach().numpy()
    assert 1e-6 < np.abs(found - expected).max() < 3e-2


def test_a_number_s_loss_is_its_squared_error(tmp_path):
    theirs = torch_model("bert", num_labels=1, problem_type="regression")
    theirs.save_pretrained(tmp_path)
    ours = load_classifier(tmp_path)
    arrays, packed = packed_batch("bert", ours)
    scores = np.linspace(0, 5, TEXTS, dtype=np.float32)
    expected = (torch_logits(theirs, arrays).detach().numpy()[:, 0] - scores) ** 2
    J = PackedCrossEntropy(ours)(Tensor(scores), Tensor(WEIGHTS), *tensors(packed))
    assert float(J.asnumpy()) == pytest.approx(float(expected @ WEIGHTS), rel=1e-4)
