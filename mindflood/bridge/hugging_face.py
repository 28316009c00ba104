"""A network as a Hugging Face folder, and what PyTorch, in a process of its own, says of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.bridge.agreement import Agreement
from mindflood.errors import UserError
from mindflood.files import read_json, write_json
from mindflood.models.tokenizer_files import copy_tokenizer
from mindflood.models.weights import WEIGHTS, write_weights
from mindflood.process import last_line_of

_OF_ANOTHER_MODEL = ("_name_or_path", "transformers_version", "auto_map")


def write_model(
    folder: Path,
    weights: Mapping[str, np.ndarray],
    encoder: Path,
    changes: Mapping[str, Any],
    max_length: int | None = None,
    *,
    words: bool = False,
) -> None:
    """Write weights, configuration and tokenizer.

    Args:
        folder: exists.
        weights: by the names of PyTorch's state dict.
        encoder: folder whose configuration and tokenizer are taken over.
        changes: of the configuration: the architecture, the labels.
        max_length: tokens at which the tokenizer cuts a text; None: the encoder's own.
        words: texts come as words, which a byte-level tokenizer is to see behind a space each.

    Raises:
        UserError: a file of the encoder is not JSON.
    """
    write_weights(folder / WEIGHTS, weights)
    stated: dict[str, Any] = dict(read_json(encoder / "config.json"))
    for key in _OF_ANOTHER_MODEL:
        stated.pop(key, None)
    write_json(folder / "config.json", stated | dict(changes))
    copy_tokenizer(encoder, folder, max_length, words=words)


def told_by_pytorch(module: str, *words: str, question: str = "") -> Agreement:
    """What a verifying module found.

    Raises:
        UserError: PyTorch cannot load the folder, or finds keys missing or too many.
    """
    try:
        found: Mapping[str, Any] = json.loads(last_line_of(module, *words, question=question))
    except UserError as error:
        raise UserError(f"the model was not written: PyTorch could not load it: {error}") from error
    if found["wrong_keys"]:
        raise UserError(f"the model was not written: wrong keys for PyTorch: {found['wrong_keys']}")
    return Agreement(**found["agreement"])
