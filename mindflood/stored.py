"""Files that were put away with gzip are read as if they lay there as they were."""

import gzip
import zlib
from pathlib import Path

from mindflood.errors import UserError

# Bytes; no file of ours unpacks to more, and a small one must not fill the memory.
_LARGEST = 1 << 30


def stored(path: Path) -> Path:
    """Where a file lies that was put away."""
    return path.with_name(f"{path.name}.gz")


def is_stored(path: Path) -> bool:
    """Whether a file is there, as it is or packed."""
    return path.is_file() or stored(path).is_file()


def read_stored(path: Path) -> bytes:
    """A file's content, unpacked where only the packed one is there; empty where neither is.

    Raises:
        UserError: the packed file is damaged, or holds more than any file of ours.
    """
    if path.exists() or not stored(path).is_file():
        return path.read_bytes() if path.exists() else b""
    try:
        with gzip.open(stored(path)) as file:
            content = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{stored(path)}: cannot be unpacked ({error}); restore it") from None
    if len(content) > _LARGEST:
        raise UserError(f"{stored(path)}: unpacks to more than {_LARGEST >> 20} MiB; restore it")
    return content


def store(path: Path, to: Path) -> None:
    """Put ``path`` away at ``to``, a name that ends in ``.gz``; equal contents give equal bytes."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
