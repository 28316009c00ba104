"""A masked language model as a Hugging Face folder, verified in PyTorch."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import Tensor
from safetensors.numpy import save_file

from mindflood.bridge.export import TOLERANCE
from mindflood.errors import UserError
from mindflood.files import read_json, whole_folder, write_json
from mindflood.masked_lm.model import BertForMaskedLM
from mindflood.masked_lm.settings import QUALITY
from mindflood.models.tokenizer_files import TOKENIZER_FILES

_VERIFIED_ROWS = 4


def write(
    model: BertForMaskedLM, encoder: Path, out: Path, ids: np.ndarray, quality: Mapping[str, Any]
) -> float:
    """Write a folder that ``AutoModelForMaskedLM.from_pretrained`` loads.

    It appears only once a separate PyTorch process has loaded it, with no missing and no unexpected
    key, and its scores at every token are within 1e-4 of MindSpore's. Where another process has
    written the folder by then, theirs stays: somebody may be reading it.

    Args:
        encoder: folder of the encoder, whose configuration and tokenizer are taken over.
        ids: int32 [B, L], whole rows without padding, on which the two are compared.
        quality: what is known of the model, kept as ``masked_lm.json``.

    Returns:
        The largest difference of a score.

    Raises:
        UserError: PyTorch disagrees, or the folder cannot be written.
    """
    with whole_folder(out, replace=False) as beside:
        save_file(dict(model.weights()), beside / "model.safetensors", metadata={"format": "pt"})
        (beside / "model.safetensors").chmod(0o644)
        write_json(beside / "config.json", _config(encoder))
        for name in TOKENIZER_FILES:
            if (encoder / name).exists():
                shutil.copyfile(encoder / name, beside / name)
        difference = _verify_in_pytorch(beside, ids[:_VERIFIED_ROWS], model)
        write_json(beside / QUALITY, {**quality, "largest_difference": difference})
    return difference


def _config(encoder: Path) -> dict[str, Any]:
    stated: dict[str, Any] = dict(read_json(encoder / "config.json"))
    for key in ("_name_or_path", "transformers_version", "auto_map"):
        stated.pop(key, None)
    return stated | {
        "model_type": "bert",
        "architectures": ["BertForMaskedLM"],
        "tie_word_embeddings": True,
    }


def _verify_in_pytorch(folder: Path, ids: np.ndarray, model: BertForMaskedLM) -> float:
    """Compare in a process of its own: this one never imports torch."""
    model.set_train(False)
    everywhere = Tensor(np.arange(ids.size, dtype=np.int32))
    scores = model(
        Tensor(ids), Tensor(np.ones_like(ids)), Tensor(np.zeros_like(ids)), everywhere
    ).asnumpy()
    with tempfile.TemporaryDirectory() as beside:
        expected = Path(beside) / "expected.safetensors"
        save_file({"input_ids": ids, "scores": scores.reshape(*ids.shape, -1)}, expected)
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "mindflood.masked_lm.verify", str(folder), str(expected)],
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"the model was not written: PyTorch could not load it: {last}")
    found = json.loads(answer.stdout.splitlines()[-1])
    if found["wrong_keys"]:
        raise UserError(f"the model was not written: wrong keys for PyTorch: {found['wrong_keys']}")
    difference = float(found["largest_difference"])
    if not difference <= TOLERANCE:
        raise UserError(
            f"the model was not written: PyTorch's scores differ from MindSpore's by "
            f"{difference:.1e}, more than {TOLERANCE:g}"
        )
    return difference
