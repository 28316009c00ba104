"""The cores of this process, and processes that do not outlive the one that started them.

A run that is killed cannot end its stage, and two would write into one folder when it is continued.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from mindflood import locks
from mindflood.errors import StageFailedError, UserError


def usable_cores() -> int:
    """Cores that this process may use: a scheduler or ``taskset`` may give it some of them only."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# What ``python -P -m`` does, for a Python that has no -P; '' is the working folder.
_SAFELY = (
    "import sys; sys.path.remove(''); import runpy; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
_LIFELINE = "MINDFLOOD_LIFELINE"  # number of the pipe that closes when the starter is gone
_SECONDS = 2.0  # that a stage has to end by itself after Ctrl-C, before and after it is told


def module_command(module: str, *words: str) -> list[str]:
    """The command that runs a module with these words.

    The working folder is not searched: no file there stands in for a module of that name.
    """
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", module, *words]
    return [sys.executable, "-c", _SAFELY, module, *words]


def run_to_its_end(command: Sequence[str], stdout: int | None = None) -> int:
    """Run ``command``, whose ``main`` calls :func:`end_with_starter`; its exit status.

    It holds the folders that this process holds. After Ctrl-C it has ended before the
    ``KeyboardInterrupt`` goes on.

    Args:
        stdout: as ``subprocess.Popen`` takes it; None: the user's.
    """
    return _run(command, stdout=stdout).returncode


def run_verb(*words: str) -> None:
    """Run one verb of mindflood in a process of its own; its output is the user's to see.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it.
        StageFailedError: it failed, and has said why.
        UserError: it was killed.
    """
    from mindflood.interrupts import STOPPED

    status = run_to_its_end(module_command("mindflood", *words))
    if status in (STOPPED, -signal.SIGINT):
        raise KeyboardInterrupt
    if status < 0:
        raise UserError(
            f"'mindflood {words[0]}' was killed by signal {-status} (out of memory?); "
            "the same command continues"
        )
    if status:
        raise StageFailedError(status)


def last_line_of(module: str, *words: str, question: str = "") -> str:
    """Ask a module of the project, in a process of its own, that calls :func:`end_with_starter`.

    Args:
        question: its standard input.

    Returns:
        The last line of its standard output.

    Raises:
        UserError: it failed; the message is the last line of its standard error.
    """
    pipe = subprocess.PIPE
    command = module_command(module, *words)
    answer = _run(command, question, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    if answer.returncode != 0 or not answer.stdout.strip():
        raise UserError((answer.stderr.strip().splitlines() or ["no message"])[-1])
    return str(answer.stdout.splitlines()[-1])


def _run(
    command: Sequence[str], question: str | None = None, **options: Any
) -> subprocess.CompletedProcess:
    watched, ours = os.pipe()
    shared = locks.to_hand_on()
    handed_on = {_LIFELINE: str(watched), locks.HANDED_ON: ",".join(map(str, shared))}
    try:
        with subprocess.Popen(
            command, pass_fds=(watched, *shared), env={**os.environ, **handed_on}, **options
        ) as stage:
            try:
                said = stage.communicate(question)
            except KeyboardInterrupt:
                _end(stage)
                raise
        return subprocess.CompletedProcess(command, stage.returncode, *said)
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
