"""A masked language model as a Hugging Face folder, verified in PyTorch."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import Tensor

from mindflood.bridge.agreement import Agreement
from mindflood.bridge.export import warn
from mindflood.bridge.hugging_face import told_by_pytorch, write_model
from mindflood.files import whole_folder, write_json
from mindflood.masked_lm.model import BertForMaskedLM
from mindflood.masked_lm.settings import QUALITY
from mindflood.models.weights import write_weights

_VERIFIED_ROWS = 4
_ARCHITECTURE = {
    "model_type": "bert",
    "architectures": ["BertForMaskedLM"],
    "tie_word_embeddings": True,
}


def write(
    model: BertForMaskedLM, encoder: Path, out: Path, ids: np.ndarray, quality: Mapping[str, Any]
) -> Agreement:
    """Write a folder that ``AutoModelForMaskedLM.from_pretrained`` loads.

    It appears only once a separate PyTorch process has loaded it, with no missing and no unexpected
    key. Where its scores are not MindSpore's, ``masked_lm.json`` and standard error say so. Where
    another process has written the folder by then, theirs stays: somebody may be reading it.

    Args:
        encoder: folder of the encoder, whose configuration and tokenizer are taken over.
        ids: int32 [B, L], whole rows without padding, on which the two are compared.
        quality: what is known of the model, kept as ``masked_lm.json``.

    Raises:
        UserError: PyTorch cannot load it, or the folder cannot be written.
    """
    with whole_folder(out) as beside:
        write_model(beside, dict(model.weights()), encoder, _ARCHITECTURE)
        agreement = _verify_in_pytorch(beside, ids[:_VERIFIED_ROWS], model)
        difference = agreement.largest_difference
        found: dict[str, Any] = {
            "largest_difference": None if difference != difference else difference,  # NaN
            "warnings": [] if agreement.holds else [agreement.sentence()],
        }
        write_json(beside / QUALITY, {**quality, **found})
    warn(out, found["warnings"])
    return agreement


def _verify_in_pytorch(folder: Path, ids: np.ndarray, model: BertForMaskedLM) -> Agreement:
    """Compare in a process of its own: this one never imports torch."""
    model.set_train(False)
    everywhere = Tensor(np.arange(ids.size, dtype=np.int32))
    scores = model(
        Tensor(ids), Tensor(np.ones_like(ids)), Tensor(np.zeros_like(ids)), everywhere
    ).asnumpy()
    with tempfile.TemporaryDirectory() as beside:
        expected = Path(beside) / "expected.safetensors"
        write_weights(expected, {"input_ids": ids, "scores": scores.reshape(*ids.shape, -1)})
        return told_by_pytorch("mindflood.masked_lm.verify", str(folder), str(expected))
