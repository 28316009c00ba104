"""Texts that share rows, against Hugging Face's network on each text in a row of its own."""

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import Tensor, ops

from mindflood.data.batching import Batch
from mindflood.data.packing import Packed, pack
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import DropoutNoise
from mindflood.models.packed_texts import (
    PackedCrossEntropy,
    PackedRowCrossEntropy,
    PackedTexts,
)
from tests.oracle.encoders import KINDS, batch, inputs_of, torch_logits, torch_masks, torch_model

MODES = pytest.mark.parametrize(
    "mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"]
)
LABELS = np.array([0, 2, 1, 1, 0], np.int32)
WEIGHTS = np.array([0.1, 0.3, 0.2, 0.4, 0.0], np.float32)


@pytest.fixture(params=KINDS)
def pair(request, tmp_path):
    theirs = torch_model(request.param)
    theirs.save_pretrained(tmp_path)
    return request.param, theirs, load_classifier(tmp_path)


def packed_batch(kind: str) -> tuple[list[np.ndarray], Packed]:
    """Texts of 17, 14, 11, 8 and 5 tokens, in fewer rows."""
    arrays = batch(kind)
    rows = len(arrays[0])
    texts = Batch(*arrays, LABELS, np.ones(rows, np.float32), np.arange(rows))
    packed = pack(texts)
    assert packed.rows < rows
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
    arrays, packed = packed_batch(kind)
    expected = torch_logits(theirs, arrays)
    found = PackedTexts(ours)(*tensors(packed)).asnumpy()
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=0, atol=1e-4)

    losses = torch.nn.functional.cross_entropy(
        expected, torch.tensor(LABELS).long(), reduction="none"
    )
    (losses * torch.tensor(WEIGHTS)).sum().backward()
    wanted = {name: p.grad.numpy() for name, p in theirs.named_parameters() if p.grad is not None}
    weights = ms.ParameterTuple(ours.trainable_params())
    network = PackedCrossEntropy(ours)
    given = [*tensors(packed), Tensor(LABELS), Tensor(WEIGHTS)]
    J, gradients = ops.value_and_grad(network, grad_position=None, weights=weights)(*given)
    total = float((losses * torch.tensor(WEIGHTS)).sum().detach())
    assert float(J.asnumpy()) == pytest.approx(total, abs=1e-5)
    for parameter, gradient in zip(weights, gradients, strict=True):
        theirs_too = wanted.get(parameter.name, np.zeros(parameter.shape, np.float32))
        np.testing.assert_allclose(gradient.asnumpy(), theirs_too, rtol=0, atol=2e-5)


@MODES
def test_losses_of_rows_are_theirs(pair, mode):
    kind, theirs, ours = pair
    ms.set_context(mode=mode)
    arrays, packed = packed_batch(kind)
    expected = torch.nn.functional.cross_entropy(
        torch_logits(theirs, arrays), torch.tensor(LABELS).long(), reduction="none"
    )
    given = [*tensors(packed), Tensor(LABELS), Tensor(WEIGHTS)]
    losses, weights = PackedRowCrossEntropy(ours)(*given)
    np.testing.assert_allclose(losses.asnumpy(), expected.detach().numpy(), rtol=0, atol=1e-4)
    np.testing.assert_array_equal(weights.asnumpy(), WEIGHTS)


def test_dropout_equals_hugging_face_with_the_same_masks(pair, monkeypatch):
    """A token's masks are those of its place, whichever row that is in."""
    kind, theirs, ours = pair
    arrays, packed = packed_batch(kind)
    length, vectors = arrays[0].shape[1], ours.vectors
    hidden, attention = DropoutNoise(ours.config, 3, packed=True).draw(
        0, range(packed.rows), length
    )
    sites = hidden.shape[1] // length - vectors
    of_states = hidden[:, : sites * length].reshape(packed.rows, sites, length, -1)
    of_heads = hidden[:, sites * length :].reshape(packed.rows, length, vectors, -1)
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
