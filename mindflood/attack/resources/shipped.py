"""Text files that ship with the package: lines, compressed, with a checksum inside."""

import lzma
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mindflood.errors import UserError
from mindflood.files import whole_file
from mindflood.fingerprint import file_fingerprint

FOLDER = Path(__file__).parent / "data"
NAMES = ("relations", "valence", "tagger", "neighbours", "phrases")


def read_lines(name: str) -> list[str]:
    """The lines of ``NAME.txt.xz``.

    Raises:
        UserError: it is missing or damaged.
    """
    path = shipped_file(name)
    try:
        return lzma.decompress(path.read_bytes()).decode("ascii").splitlines()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: missing or damaged ({error}); it ships with mindflood: install it again"
        ) from error


def damage(name: str) -> str | None:
    """Why ``NAME.txt.xz`` cannot be read; None where it can."""
    try:
        read_lines(name)
    except UserError as error:
        return str(error)
    return None


def write_lines(name: str, lines: Iterable[str]) -> None:
    """Write ``NAME.txt.xz``, whole or not at all; the same lines give the same bytes."""
    text = "".join(f"{line}\n" for line in lines).encode("ascii")
    with whole_file(shipped_file(name)) as beside:
        beside.write_bytes(lzma.compress(text, check=lzma.CHECK_SHA256, preset=9))


@cache
def shipped_fingerprint(*names: str) -> str:
    """Hash of the files' contents.

    Raises:
        UserError: one is missing.
    """
    try:
        return file_fingerprint(*map(shipped_file, names))
    except OSError as error:
        raise UserError(
            f"{error.filename}: missing; it ships with mindflood: install it again"
        ) from error


def shipped_file(name: str) -> Path:
    """Where the file is."""
    return FOLDER / f"{name}.txt.xz"
