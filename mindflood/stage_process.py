"""A process that does not outlive the one that started it, however that one ends.

A run that is killed cannot end its stage, and two would write into one folder when it is continued.
"""

import os
import subprocess
import threading
from collections.abc import Sequence

_LIFELINE = "MINDFLOOD_LIFELINE"  # number of the pipe that closes when the starter is gone


def run_to_its_end(command: Sequence[str], stdout: int | None = None) -> int:
    """Run ``command``, whose ``main`` calls :func:`end_with_starter`; its exit status.

    Args:
        stdout: as ``subprocess.run`` takes it; None: the user's.
    """
    watched, ours = os.pipe()
    try:
        return subprocess.run(
            command,
            check=False,
            stdout=stdout,
            pass_fds=(watched,),
            env={**os.environ, _LIFELINE: str(watched)},
        ).returncode
    finally:
        os.close(watched)
        os.close(ours)


def end_with_starter() -> None:
    """End this process with the one that started it by :func:`run_to_its_end`, if one did."""
    lifeline = os.environ.pop(_LIFELINE, None)  # what this process starts in turn has no such pipe
    if lifeline is not None:
        threading.Thread(target=_wait_and_end, args=(int(lifeline),), daemon=True).start()


def _wait_and_end(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the other end is closed
    os._exit(1)
