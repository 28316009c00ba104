"""Which folder a model to attack is in, checked before anything heavy is imported."""

import os
from collections.abc import Mapping
from pathlib import Path

from mindflood.data.hub import hub_answers
from mindflood.errors import UserError
from mindflood.files import read_json, user_path
from mindflood.fingerprint import file_fingerprint
from mindflood.kinds import Kind, check_kind
from mindflood.models.config import check_no_adapter, stated_kind
from mindflood.models.tokenizer_files import TOKENIZER_FILES

# A tokenizer has one of these: the tokenizers library's file, a vocabulary (WordPiece, BPE,
# SentencePiece), or, where it needs none, as for bytes, its settings.
_TOKENIZERS = ("tokenizer.json", "vocab.*", "*.model", "*.bpe", "tokenizer_config.json")

_USES: Mapping[Kind, str] = {
    "classification": "attacks, predictions and analyses",
    "tagging": "analyses of neurons",
}


def model_folder(folder: str | Path, kind: Kind = "classification") -> str:
    """``folder`` itself, the export inside a RUN folder, or a hub id.

    Args:
        kind: of task that the model has to be for.

    Raises:
        UserError: it is a folder without a model, with one of another kind or with pickled weights
            only, or neither a folder nor a hub id.
    """
    path = user_path(folder)
    if not path.exists():
        if str(folder).count("/") == 1 and not str(folder).startswith((".", "/", "~")):
            return str(folder)
        raise UserError(f"{folder}: no such folder; {_remedy(path.parent)}")
    if (path / "model" / "config.json").exists() and not (path / "config.json").exists():
        path = path / "model"
    check_no_adapter(path)
    if not (path / "config.json").is_file():
        raise UserError(f"{path}: not a model: there is no config.json; {_remedy(path)}")
    _check_stated(path / "config.json", kind)
    if not list(path.glob("*.safetensors")):
        pickled = sorted(file.name for file in path.glob("*.bin"))
        found = f"only {pickled[0]}, a pickle, which is never loaded" if pickled else "none"
        raise UserError(
            f"{path}: expected weights in model.safetensors, found {found}; save the model with "
            "save_pretrained(..., safe_serialization=True)"
        )
    return str(path)


def _remedy(run: Path) -> str:
    """What to do where there is no model: a RUN folder only lacks its export."""
    if (run / "config.yaml").is_file():
        return f"write it with 'mindflood export {run}'"
    return "give a Hugging Face folder, a RUN folder with its 'model', or a hub id"


def _check_stated(config: Path, wanted: Kind) -> None:
    """Find out whether a model's configuration is one, and has its labels by number.

    Raises:
        UserError: it is not, or has them otherwise.
    """
    stated = read_json(config)
    if not isinstance(stated, dict):
        raise UserError(f"{config}: expected an object of configuration keys")
    names = stated.get("id2label")
    labels = stated.get("num_labels", 2)
    if names is None:
        names = {str(label): label for label in range(labels if isinstance(labels, int) else 2)}
    if not isinstance(names, dict) or not all(map(str.isdecimal, names)):
        raise UserError(
            f"{config}: key 'id2label': expected an object from label numbers to names, such as "
            f'{{"0": "negative", "1": "positive"}}, found {str(names)[:60]}'
        )
    kind = stated_kind(stated, len(names))
    check_kind(_USES[wanted], str(config.parent), kind, wanted)


def check_tokenizer(folder: Path) -> None:
    """Find out whether a local model has a tokenizer beside it.

    Raises:
        UserError: none of a tokenizer's files is there.
    """
    if not any(next(folder.glob(name), None) for name in _TOKENIZERS):
        raise UserError(
            f"{folder}: a model without a tokenizer; save the one it was trained with beside it: "
            "AutoTokenizer.from_pretrained(ITS_ENCODER).save_pretrained(this folder)"
        )


def check_within_reach(model: str) -> None:
    """Find out whether a model of :func:`model_folder` can be had; before transformers is imported.

    Where the hub does not answer, this process is kept from it, which would take each file a
    minute, and has the hub's cache.

    Raises:
        UserError: the model is not on this machine, and the hub does not answer.
    """
    if Path(model).is_dir() or hub_answers():
        return
    os.environ["HF_HUB_OFFLINE"] = "1"  # looked up once, when transformers is imported
    import huggingface_hub

    try:
        cached = huggingface_hub.try_to_load_from_cache(model, "config.json")
    except ValueError:  # no valid id
        cached = None
    if not isinstance(cached, str):
        raise UserError(
            f"{model}: no such folder, and the hub does not answer; try again, or give a Hugging "
            "Face folder"
        )


def model_fingerprint(folder: Path) -> str:
    """Hash of a model folder's weights, configuration and tokenizer."""
    names = ("*.safetensors", "config.json", *TOKENIZER_FILES, "*.model")
    return file_fingerprint(*sorted(file for name in names for file in folder.glob(name)))
