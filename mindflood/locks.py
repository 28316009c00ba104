"""One process at a time works on a folder; its lock ends with it, however that ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mindflood.errors import UserError
from mindflood.files import explained
from mindflood.terminal import tell

HANDED_ON = "MINDFLOOD_LOCKS"  # numbers of the open files whose locks a stage has from its starter
_held: set[int] = set()


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold ``folder``, which need not exist, through the file ``.NAME.lock`` beside it.

    A process holds a folder as often as it likes, and so do the stages that it starts by
    :func:`mindflood.process.run_to_its_end`, with which a lock lives on until they have ended
    too. Where the file system knows no locks, nothing is held.

    Raises:
        UserError: another process holds it, or the file cannot be written.
    """
    whole = Path(os.path.realpath(folder))
    path = whole.parent / f".{whole.name}.lock"
    if _holds(path):
        yield
        return
    made = [parent for parent in path.parents if not parent.exists()]
    with explained(Path(folder)):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _taken(path, folder)
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
    _held.add(file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is free: who opens it now finds that it is gone
        _held.discard(file)
        os.close(file)
        with contextlib.suppress(OSError):  # not empty
            for parent in made:
                parent.rmdir()


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock file ``path``, which stays; where another process does, say ``waiting``.

    Where the file system knows no locks, nothing is held.

    Raises:
        UserError: the file cannot be written.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(file)


def to_hand_on() -> tuple[int, ...]:
    """The open files that a stage must inherit, named in its variable :data:`HANDED_ON`."""
    return tuple(sorted(_held))


def _taken(path: Path, folder: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            number = os.read(file, 20).decode("ascii", "replace")
            os.close(file)
            who = f"process {number}" if number.isdecimal() else "another process"
            raise UserError(
                f"{folder}: {who} is working on it; wait for its end, or choose another folder"
            ) from None
        except OSError:
            return file  # a file system without locks
        if _is(file, path):
            return file
        os.close(file)  # whoever had it has removed it since it was opened here


def _holds(path: Path) -> bool:
    for number in os.environ.pop(HANDED_ON, "").split(","):
        if number.isdecimal():
            with contextlib.suppress(OSError):
                os.set_inheritable(int(number), False)
                _held.add(int(number))
    return any(_is(file, path) for file in _held)


def _is(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False
