"""A process that does not outlive the one that started it, however that one ends.

A run that is killed cannot end its stage, and two would write into one folder when it is continued.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from mindflood.errors import UserError

_LIFELINE = "MINDFLOOD_LIFELINE"  # number of the pipe that closes when the starter is gone


def run_to_its_end(command: Sequence[str]) -> int:
    """Run ``command``, whose ``main`` calls :func:`end_with_starter`; its exit status."""
    return _run(command).returncode


def last_line_of(module: str, *words: str, question: str = "") -> str:
    """Ask a module of the project, in a process of its own, that calls :func:`end_with_starter`.

    Args:
        question: its standard input.

    Returns:
        The last line of its standard output.

    Raises:
        UserError: it failed; the message is the last line of its standard error.
    """
    # -P: a file of the working folder must not stand in for a module of that name.
    command = [sys.executable, "-P", "-m", module, *words]
    answer = _run(command, input=question, capture_output=True, text=True)
    if answer.returncode != 0 or not answer.stdout.strip():
        raise UserError((answer.stderr.strip().splitlines() or ["no message"])[-1])
    return str(answer.stdout.splitlines()[-1])


def _run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess:
    watched, ours = os.pipe()
    try:
        return subprocess.run(
            command,
            check=False,
            pass_fds=(watched,),
            env={**os.environ, _LIFELINE: str(watched)},
            **options,
        )
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
