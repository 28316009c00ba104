"""MindSpore's checkpoint format, read with care and written whole."""

from collections.abc import Mapping
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor

from mindflood.errors import UserError
from mindflood.files import whole_file

_INFINITE = ("flood_level",)  # minus infinity is the level of a run that is not flooded


def write_checkpoint(
    path: Path, parameters: Mapping[str, Parameter], extra: Mapping[str, float]
) -> None:
    """Write parameters and a few numbers to a ``.ckpt`` file that appears whole.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    records = [{"name": name, "data": parameter} for name, parameter in parameters.items()]
    records += [{"name": name, "data": Tensor(value, ms.float64)} for name, value in extra.items()]
    with whole_file(path) as whole:  # in a folder of its own: MindSpore puts files beside it
        try:
            ms.save_checkpoint(records, str(whole), crc_check=True)
        except RuntimeError as error:
            raise OSError(str(error).splitlines()[0]) from error


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a MindSpore ``.ckpt`` file by name. The format is plain data, no pickle.

    Raises:
        UserError: the file is missing, truncated or corrupt, or an array is not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint file")
    if path.suffix != ".ckpt":
        raise UserError(f"{path}: expected a MindSpore checkpoint, a file that ends in .ckpt")
    try:
        loaded = ms.load_checkpoint(str(path), crc_check=True)
        arrays = {name: value.asnumpy() for name, value in loaded.items()}
    except Exception as error:
        # The parser raises many kinds of exception, depending on the byte that is wrong.
        raise UserError(
            f"{path}: not a whole MindSpore checkpoint (truncated or corrupt); delete it and "
            "continue from the one before, or fetch it again"
        ) from error
    if not arrays:
        raise UserError(f"{path}: the checkpoint holds no parameters")
    for name, array in arrays.items():
        if name not in _INFINITE and not _is_finite(array):
            raise UserError(
                f"{path}: {name!r} holds NaN or an infinity, expected finite numbers; delete the "
                "file and continue from the one before, or fetch it again"
            )
    return arrays


def _is_finite(array: np.ndarray) -> bool:
    """Whether all numbers of an array are; bfloat16 too, which is a foreign type to NumPy."""
    numbers = array.astype(np.float32) if array.dtype.kind == "V" else array
    return bool(np.isfinite(numbers).all())
