"""The real MPNet-base (110 million weights) against Hugging Face's, where its folder is there."""

import os
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
import torch
import transformers
from mindspore import Tensor

from mindflood.models.classifier import load_classifier
from tests.oracle.encoders import batch, torch_logits
from tests.oracle.test_bert import assert_gradients_close, our_gradients

FOLDER = Path(os.environ.get("MINDFLOOD_MPNET", ""))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (FOLDER / "model.safetensors").is_file(),
        reason="MINDFLOOD_MPNET names no folder of all-mpnet-base-v2",
    ),
]


def test_mpnet_base_equals_hugging_face():
    """150 tokens: distances on both sides of 128, from where on all share a range.

    PyTorch goes first and is let go, so that its network and ours are not in memory together.
    """
    arrays = batch("mpnet", vocabulary=30522, rows=2, length=150)
    labels = np.array([0, 1], np.int32)
    logits, gradients, head = of_torch(arrays, labels)
    ours = load_classifier(FOLDER, num_labels=2)
    for parameter in ours.get_parameters():
        if parameter.name in head:
            parameter.set_data(Tensor(head[parameter.name]))
    ms.set_context(mode=ms.PYNATIVE_MODE)
    found = ours(*map(Tensor, arrays)).asnumpy()
    np.testing.assert_allclose(found, logits, rtol=0, atol=1e-4)
    assert_gradients_close(our_gradients(ours, arrays, labels), gradients)


def of_torch(arrays: list[np.ndarray], labels: np.ndarray) -> tuple:
    """Logits, gradients by name, and the head, which the folder lacks."""
    torch.manual_seed(0)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(FOLDER).eval()
    logits = torch_logits(theirs, arrays)
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels).long()).backward()
    named = dict(theirs.named_parameters())
    head = {n: p.detach().numpy().copy() for n, p in named.items() if n.startswith("classifier.")}
    return logits.detach().numpy(), {n: p.grad.numpy() for n, p in named.items()}, head
