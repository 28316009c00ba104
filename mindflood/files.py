"""Files that appear whole or not at all: write beside, then rename. Paths as a user writes them."""

import contextlib
import errno
import fcntl
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from mindflood.errors import UserError
from mindflood.stored import read_stored

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EFBIG: "the file is larger than this process may write (ulimit -f); raise the limit",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EACCES: "no permission to write there; choose another folder or change its permissions",
    errno.EPERM: "no permission to write there; choose another folder or change its permissions",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "part of that path is a file, not a folder; choose another folder",
}

_UNFIT = re.compile("[\0\ud800-\udfff]")
_DEEPEST = 64  # levels of nesting in a JSON file: what is deeper is damage or malice
_LONGEST = 300  # digits of a whole number: a float holds as many


def nameable(text: str) -> bool:
    """Whether a file can be called so, which NUL and half of a surrogate pair forbid."""
    return not _UNFIT.search(text)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating-system refusal to write ``path`` into a one-line :class:`UserError`."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise UserError(f"{path}: cannot write: {reason}") from error


def check_writable(folder: Path) -> None:
    """Find out whether files can be written to a folder that need not exist yet; leaves nothing.

    Raises:
        UserError: they cannot.
    """
    folder = Path(folder)
    with explained(folder):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=there):
            pass


def check_file(path: Path) -> None:
    """Find out whether a file can be written that need not exist yet; leaves nothing.

    Raises:
        UserError: it cannot.
    """
    if path.is_dir():
        raise UserError(f"{path}: cannot write: it is a folder; name a file")
    check_writable(path.parent)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is flushed and renamed to ``path``.

    Raises:
        UserError: the folder cannot be written to, or the disk is full; ``path`` is as it was.
    """
    path = Path(path)
    with explained(path), _beside(path) as part:
        written = part / path.name
        yield written
        with written.open("rb") as file:
            os.fsync(file.fileno())
        os.chmod(written, 0o644)
        os.replace(written, path)


@contextlib.contextmanager
def whole_folder(
    path: Path, *, may_replace: Callable[[Path], None] | None = None
) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; on success it takes the place of ``path``.

    Args:
        may_replace: asked about a folder that is there by then, raises where it has to stay. None
            leaves it as it is, for those who read it; only an empty one is replaced.

    Raises:
        UserError: the parent folder cannot be written to, or the disk is full; ``path`` is as it
            was.
    """
    path = Path(path)
    with explained(path), _beside(path) as part:
        written, before = part / path.name, part / "before"
        written.mkdir()
        yield written
        if may_replace is not None and path.exists():
            may_replace(path)
            os.rename(path, before)
        try:
            os.rename(written, path)
        except OSError:
            if before.exists():
                os.rename(before, path)
            if may_replace is not None or not path.is_dir():
                raise


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` for what is going to be ``path``.

    It is locked while its process lives, by which those that killed ones left are known: they are
    cleared away first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_left(path)
    with contextlib.ExitStack() as own:
        while True:
            part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
            held = own.enter_context(_flock(part))
            if held is not False and part.exists():
                break  # else another process took it for one that was left, before it was locked
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _clear_left(path: Path) -> None:
    """Remove what killed processes were about to rename to ``path``."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.part")  # as tempfile calls them
    for part in path.parent.iterdir():
        if not name.fullmatch(part.name):
            continue
        with _flock(part) as abandoned:
            if abandoned and part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            elif abandoned:
                part.unlink(missing_ok=True)


@contextlib.contextmanager
def _flock(path: Path) -> Iterator[bool | None]:
    """Hold a lock on a file or folder: True, or False where another does or it is gone.

    None where the file system knows no locks.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        held: bool | None = True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = False
        except OSError:
            held = None
        yield held
    finally:
        os.close(file)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all; NaN is refused (``ValueError``)."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: it is missing or not JSON, or holds a number or a nesting that is absurd.
    """
    try:
        return _parsed(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: expected a JSON file: {error}") from error


def _parsed(text: str, refuse: Callable[[str], Any] | None = None) -> Any:
    """JSON whose numbers fit a float and whose nesting any code can walk.

    Args:
        refuse: called with a constant or number that is not finite; None accepts NaN and infinity.

    Raises:
        ValueError: saying what is wrong.
    """

    def real(digits: str) -> float:
        value = float(digits)
        if refuse is not None and not math.isfinite(value):
            refuse(digits[:20])
        return value

    try:
        value = json.loads(text, parse_int=_whole, parse_float=real, parse_constant=refuse)
    except RecursionError:
        raise ValueError(f"nested more than {_DEEPEST} levels") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            item
            for part in level
            if isinstance(part, dict | list)
            for item in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return value
    raise ValueError(f"nested more than {_DEEPEST} levels")


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def read_json_lines(path: Path, *, finite: bool = False) -> list[dict[str, Any]]:
    """Records of a JSON-lines file; a last line torn by a kill is left out.

    Raises:
        UserError: a line before the last is not JSON, or, where they must be ``finite``, holds NaN
            or an infinity.
    """
    records: list[dict[str, Any]] = []

    def refuse(constant: str) -> NoReturn:
        raise UserError(
            f"{path}, line {number}: {constant}, expected finite numbers; restore the line, or "
            "delete the file's folder to start again"
        )

    lines = read_stored(Path(path)).split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(_parsed(line.decode(), refuse if finite else None))
        except ValueError as error:
            if number == len(lines):  # no newline behind it: the write was cut short
                break
            raise UserError(
                f"{path}, line {number}: not JSON ({error}); delete the line or the file"
            ) from None
    return records


def expanded(path: str | Path) -> str:
    """``path`` with the home folder for a leading ``~`` or ``~NAME``; a hub id stays as it is."""
    return os.path.expanduser(str(path))


def user_path(path: str | Path) -> Path:
    """:func:`expanded` as a path: the type of a command line's argument."""
    return Path(expanded(path))


def cache_folder() -> Path:
    """Where mindflood keeps what it computes or fetches: MINDFLOOD_CACHE or ~/.cache/mindflood."""
    chosen = os.environ.get("MINDFLOOD_CACHE")
    return user_path(chosen) if chosen else Path.home() / ".cache" / "mindflood"
