"""Bytes of a data file as text: UTF-8, or a line that says what they are instead and what to do."""

import codecs
import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from mindflood.errors import UserError

# First bytes of what is no text, by the formats' own specifications.
_PACKED: Mapping[bytes, tuple[str, str]] = {
    b"\x1f\x8b": ("gzip", "let its name end in .gz, or unpack it with 'gunzip'"),
    b"BZh91AY&SY": ("bzip2", "unpack it with 'bunzip2'"),
    b"\xfd7zXZ\0": ("xz", "unpack it with 'unxz'"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "unpack it with 'unzstd'"),
    b"PK\x03\x04": ("a zip archive", "unpack it, or save a spreadsheet as CSV"),
    b"PK\x05\x06": ("a zip archive", "it is empty"),
    b"PAR1\x15": ("Parquet", "let its name end in .parquet"),
}
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOKED_AT = 4096
_HALF_ZERO = 0.7  # of every second byte: so many are zero in UTF-16 of a European language
_C1 = frozenset(range(0x80, 0xA0))  # control characters in latin1, letters and marks elsewhere
_NOT_WINDOWS = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))  # of those, what Windows-1252 has not


def packed(head: bytes) -> str | None:
    """What a file that begins with ``head`` is, and what to do with it; None where it may be text.

    For instance "is gzip, not text; unpack it with 'gunzip'".
    """
    for magic, (kind, remedy) in _PACKED.items():
        if head.startswith(magic):
            return f"is {kind}, not text; {remedy}"
    return None


def content_of(path: Path) -> bytes:
    """The bytes of a file; of one whose name ends in ``.gz``, what is packed in it.

    Raises:
        UserError: it is no gzip, or damaged.
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    if path.suffix.casefold() != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"{path}: corrupt or incomplete gzip ({error}); pack it again, or take .gz off its "
            "name where it is not packed"
        ) from None


def decode(data: bytes, where: Path | str) -> str:
    """UTF-8 as text, without its byte-order mark.

    Args:
        where: the file, as an error message names it.

    Raises:
        UserError: it is compressed, an archive or a binary table; or in another encoding: then the
            first byte that shows it, its row, and the encoding to convert from.
    """
    if (found := packed(data[:16])) is not None:
        raise UserError(f"{where}: {found}")
    if (charset := _wide(data[:_LOOKED_AT])) is not None:
        raise UserError(f"{where}: is {charset.upper()}, not UTF-8; {_convert(charset)}")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{where}, row {row}: byte 0x{data[error.start]:02x} is not UTF-8; {_remedy(data)}"
        ) from None


def _wide(head: bytes) -> str | None:
    """The encoding of text whose characters have two or four bytes each, by mark or zero bytes."""
    if head.startswith(_UTF_32):
        return "utf-32"
    if head.startswith(_UTF_16):
        return "utf-16"
    halves = {"utf-16le": head[1::2], "utf-16be": head[0::2]}
    for charset, half in halves.items():
        if len(half) > 1 and half.count(0) > _HALF_ZERO * len(half):
            return charset
    return None


def _convert(charset: str) -> str:
    return f"convert the file, for instance with 'iconv -f {charset} -t utf-8'"


def _remedy(data: bytes) -> str:
    """What to do with bytes that are not UTF-8, judged by all that are no ASCII."""
    text = data.decode("utf-8", errors="surrogateescape")
    stray = len(re.findall("[\udc80-\udcff]", text))
    if len(re.findall("[^\0-\x7f\udc80-\udcff]", text)) > stray:
        return "most of the file is, so converting it would spoil the rest; correct that row"
    high = {byte for byte in data if byte >= 0x80}
    if not high & _C1:
        return _convert("latin1")
    if not high & _NOT_WINDOWS:
        return _convert("windows-1252")
    return "find out the encoding it is in, and " + _convert("ENCODING")
