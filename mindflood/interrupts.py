"""Ctrl-C in a process of MindSpore, whose own handler ends it by SIGTERM without a word."""

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from mindflood.terminal import tell

STOPPED = 130  # exit status, as a shell's after Ctrl-C
_SECONDS = 5.0  # that a call of MindSpore's may take to return
_BETWEEN_LOOKS = 0.2


@dataclass
class Work:
    """Where the work that is done is kept, once that is known, and whether it was interrupted."""

    where: Path | None = None
    interrupted: bool = False


def stopped(where: Path | str | None) -> str:
    """What Ctrl-C ends with; ``where`` the work that is done is kept, if that is known."""
    done = "" if where is None else f"what is done is in {where}; "
    return f"stopped; {done}the same command continues"


@contextlib.contextmanager
def stoppable() -> Iterator[Work]:
    """Ctrl-C in the block leaves it and ends the process with a line that says where the work is.

    No thread takes the signal but one that waits for it: those that a library has started before
    must block it, as ``mindflood.cli`` sees to for what a verb imports. The process ends at once,
    as MindSpore aborts where it was interrupted in the middle of its import, and also where the
    main thread is in a call that does not return: everything is written so that it may.

    Yields:
        What the block fills in for the line.
    """
    work, ended = Work(), threading.Event()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiting = threading.Thread(target=_wait, args=(work, ended), daemon=True)
    waiting.start()
    try:
        yield work
    except BaseException:  # MindSpore makes other errors of an interrupt
        if work.interrupted:
            _end(work)
        raise
    finally:
        ended.set()
        waiting.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(work: Work, ended: threading.Event) -> None:
    if not _heard(ended, None):
        return
    work.interrupted = True
    _thread.interrupt_main()
    _heard(ended, _SECONDS)
    if not ended.is_set():
        _end(work)


def _heard(ended: threading.Event, seconds: float | None) -> bool:
    """Whether the signal came, within so many seconds, while the block ran."""
    last = None if seconds is None else time.monotonic() + seconds
    while not ended.is_set() and (last is None or time.monotonic() < last):
        # Not sigtimedwait alone: a process that is stopped and continued (Ctrl-Z, fg) makes up one.
        if signal.SIGINT in signal.sigpending():
            signal.sigtimedwait({signal.SIGINT}, 0)
            return True
        ended.wait(_BETWEEN_LOOKS)
    return False


def _end(work: Work) -> NoReturn:
    Console(stderr=True).show_cursor()  # which a progress bar has hidden
    tell(f"mindflood: {stopped(work.where)}")
    os._exit(STOPPED)
