"""A process that does not outlive the one that started it, however that one ends.

A run that is killed cannot end its stage, and two would write into one folder when it is continued.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence

from mindflood import locks

_LIFELINE = "MINDFLOOD_LIFELINE"  # number of the pipe that closes when the starter is gone
_SECONDS = 2.0  # that a stage has to end by itself after Ctrl-C, before and after it is told


def run_to_its_end(command: Sequence[str]) -> int:
    """Run ``command``, whose ``main`` calls :func:`end_with_starter`; its exit status.

    It holds the folders that this process holds. After Ctrl-C it has ended before the
    ``KeyboardInterrupt`` goes on.
    """
    watched, ours = os.pipe()
    shared = locks.to_hand_on()
    handed_on = {_LIFELINE: str(watched), locks.HANDED_ON: ",".join(map(str, shared))}
    try:
        with subprocess.Popen(
            command, pass_fds=(watched, *shared), env={**os.environ, **handed_on}
        ) as stage:
            try:
                return stage.wait()
            except KeyboardInterrupt:
                _end(stage)
                raise
    finally:
        os.close(watched)
        os.close(ours)


def end_with_starter() -> None:
    """End this process with the one that started it by :func:`run_to_its_end`, if one did."""
    lifeline = os.environ.pop(_LIFELINE, None)  # what this process starts in turn has no such pipe
    if lifeline is not None:
        threading.Thread(target=_wait_and_end, args=(int(lifeline),), daemon=True).start()


def _end(stage: subprocess.Popen[bytes]) -> None:
    """End a stage that a terminal's Ctrl-C has reached already, or has not."""
    for told in (False, True):
        if told:
            stage.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            stage.wait(_SECONDS)
            return
    stage.kill()


def _wait_and_end(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the other end is closed
    os._exit(1)
