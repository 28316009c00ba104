"""The files of a Hugging Face tokenizer."""

import json
import shutil
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import read_json

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
_SETTINGS = "tokenizer_config.json"
_UNBOUNDED = 10**29  # a tokenizer without a maximum states a number above this


def stated_length(folder: Path) -> int | None:
    """Most tokens of a text by ``tokenizer_config.json``; None where it states none.

    Raises:
        UserError: the file is not JSON.
    """
    path = folder / _SETTINGS
    settings = read_json(path) if path.exists() else {}
    stated = settings.get("model_max_length") if isinstance(settings, dict) else None
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return None
    return int(stated) if 1 <= stated < _UNBOUNDED else None


def copy_tokenizer(
    source: Path, target: Path, max_length: int | None = None, *, words: bool = False
) -> None:
    """Copy a tokenizer from folder to folder; it cuts texts to ``max_length`` tokens where given.

    With ``words`` it also states that a space is put before every word that it is given, which a
    byte-level tokenizer of transformers demands and others pass over.

    transformers reads the length in ``tokenizer_config.json``, the ``tokenizers`` library the one
    in ``tokenizer.json``.

    Raises:
        UserError: a file is not JSON.
    """
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    changes: dict[str, Any] = {} if max_length is None else {"model_max_length": max_length}
    if words:
        changes["add_prefix_space"] = True
    if changes:
        settings = _object(target / _SETTINGS) if (target / _SETTINGS).exists() else {}
        _write(target / _SETTINGS, settings | changes, indent=2)
    if max_length is None:
        return
    if (target / "tokenizer.json").exists():
        whole = _object(target / "tokenizer.json")
        how = whole.get("truncation") or {"direction": "Right", "strategy": "LongestFirst"}
        whole["truncation"] = {**how, "stride": 0, "max_length": max_length}
        strategy = (whole.get("padding") or {}).get("strategy")
        if isinstance(strategy, dict) and strategy.get("Fixed", 0) > max_length:
            strategy["Fixed"] = max_length
        _write(target / "tokenizer.json", whole, indent=None)


def check_vocabulary(folder: str | Path, tokens: int, rows: int) -> None:
    """Check that every token has a row in the table of word embeddings.

    Args:
        folder: named in the message.
        tokens: the tokenizer's largest id + 1.
        rows: of the table.

    Raises:
        UserError: there are fewer rows than tokens.
    """
    if tokens > rows:
        raise UserError(
            f"{folder}: its tokenizer knows {tokens} tokens and the model has embeddings for "
            f"{rows}: they are of different models, or tokens were added and the model was not "
            "resized; take the tokenizer that the model was trained with"
        )


def _object(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected an object; download the tokenizer again")
    return value


def _write(path: Path, value: Any, *, indent: int | None) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
