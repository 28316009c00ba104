"""The PyTorch side of both checks: a folder as any Hugging Face user loads it, and the answer.

MindSpore is never imported here.
"""

import dataclasses
from typing import Any

import numpy as np

from mindflood.bridge.agreement import compare


def loaded(kind: Any, folder: str) -> tuple[Any, list[str]]:
    """The model in evaluation mode, and the state-dict keys that are missing or unexpected.

    Args:
        kind: an ``AutoModel…`` class of transformers.
    """
    model, report = kind.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    complaints = ("missing_keys", "unexpected_keys", "mismatched_keys")
    return model.eval(), [str(key) for complaint in complaints for key in report[complaint]]


def answer(wrong_keys: list[str], ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """What :func:`mindflood.bridge.hugging_face.told_by_pytorch` reads, as a JSON object."""
    return {"wrong_keys": wrong_keys, "agreement": dataclasses.asdict(compare(ours, theirs))}
