"""Weights of a Hugging Face folder, read from safetensors; a pickle is never opened."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mindflood.errors import UserError
from mindflood.files import nameable, read_json

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt", "tf_model.h5")
# Names of BERT checkpoints that were converted from TensorFlow.
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
_FLOATS = {"F64", "F32", "F16", "BF16"}


def read_weights(folder: Path, model_type: str) -> dict[str, np.ndarray]:
    """All tensors of a classifier or bare encoder, as float32 under a classifier's names.

    A bare encoder's keys get the prefix ``bert.``, ``mpnet.`` and so on; buffers of position ids
    are left out.

    Raises:
        UserError: no safetensors file is there, or one is missing, truncated or corrupt.
    """
    weights: dict[str, np.ndarray] = {}
    for path in _files(folder):
        for name, array in _tensors(path):
            if not name.endswith("position_ids"):
                weights[_modern(name)] = array
    return _prefixed(weights, f"{model_type}.")


def write_weights(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a safetensors file for PyTorch.

    Raises:
        OSError: it cannot be written, as where the disk is full.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(arrays), path, metadata={"format": "pt"})
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        raise OSError(int(code[1]) if code else 0, str(error)) from error
    path.chmod(0o644)


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if (folder / INDEX).exists():
        index = read_json(folder / INDEX)
        shards = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(shards, dict) or not all(_plain(name) for name in shards.values()):
            raise UserError(f"{folder / INDEX}: expected a weight_map from tensors to file names")
        return [folder / name for name in sorted(set(shards.values()))]
    pickles = [name for name in _PICKLES if (folder / name).exists()]
    if pickles:
        raise UserError(
            f"{folder / pickles[0]}: pickled weights are not loaded, they can run code;"
            f" convert the model to {WEIGHTS} (safetensors) first"
        )
    raise UserError(f"{folder}: expected {WEIGHTS} in this folder; check the path")


def _plain(name: object) -> bool:
    """Whether a shard is a file of the folder itself, not a path that leads elsewhere."""
    if not isinstance(name, str) or name in ("", ".", ".."):
        return False
    return nameable(name) and Path(name).name == name


def _tensors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    from safetensors import SafetensorError, deserialize

    try:
        tensors = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise UserError(
            f"{path}: truncated or corrupt safetensors file ({error}); download or copy it again"
        ) from None
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file, but the index names it; download it again"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    for name, tensor in tensors:
        if tensor["dtype"] not in _FLOATS:
            if not name.endswith("position_ids"):
                raise UserError(
                    f"{path}: {name} has the type {tensor['dtype']}, expected floating-point "
                    "weights; a quantised model has to be converted back first"
                )
        else:
            yield name, _float32(tensor["data"], tensor["dtype"]).reshape(tensor["shape"])


def _float32(data: bytes | bytearray, dtype: str) -> np.ndarray:
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]
    return np.frombuffer(data, kind).astype(np.float32)


def _modern(name: str) -> str:
    for old, new in _OLD_NAMES.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _prefixed(weights: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    if any(name.startswith(prefix) for name in weights):
        return weights
    bare = ("embeddings.", "embeddings_project.", "encoder.", "transformer.", "pooler.")
    return {
        prefix + name if name.startswith(bare) else name: array for name, array in weights.items()
    }


def check_shapes(
    folder: Path, weights: Mapping[str, np.ndarray], expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Compare the weights with the shapes that the configuration asks for.

    Raises:
        UserError: naming the tensor and both shapes.
    """
    for name, shape in expected.items():
        if name in weights and weights[name].shape != shape:
            raise UserError(
                f"{folder}: {name} has the shape {list(weights[name].shape)}, but config.json asks"
                f" for {list(shape)}; the configuration and the weights are of different models"
            )
