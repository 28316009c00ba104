"""Lines to the user, and what becomes of them where nobody reads or the disk is full.

The work of most verbs is files: a reader that has gone (``mindflood run ... | head -1``) does not
end it.
"""

import codecs
import errno
import io
import os
import sys
from typing import Any

from mindflood.errors import UserError
from mindflood.visible import visible_line

_PLAIN = "mindflood.plain"  # an error handler of encodings


def say(*lines: str) -> None:
    """Lines of a verb's result, to the standard output."""
    for line in lines:
        print(visible_line(line), flush=True)


def tell(*lines: str) -> None:
    """Lines about the work, to the standard error stream."""
    for line in lines:
        print(visible_line(line), file=sys.stderr, flush=True)


def guard_streams() -> None:
    """Make this process' standard streams such that writing to them never raises.

    What the terminal's encoding lacks is written out (``\\u03b1``). Streams that something else has
    put in their place, such as a test's, stay as they are.
    """
    _fill_closed_descriptors()
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _guarded(1, sys.stdout)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _guarded(2, sys.stderr)


def check_delivered() -> None:
    """Send off what was said.

    Raises:
        UserError: the standard output could not take it; that its reader has gone is no fault.
    """
    if sys.stdout is None:
        return
    sys.stdout.flush()
    sink = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(sink, _Sink) and sink.failure is not None:
        reason = os.strerror(sink.failure.errno or errno.EIO)
        raise UserError(
            f"standard output: cannot write: {reason}; what was to be written to files is written"
        )


class _Sink(io.FileIO):
    """A descriptor whose writes succeed always; ``failure`` is the first that did not.

    That nobody reads any more (``EPIPE``) is no failure.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno != errno.EPIPE and self.failure is None:
                self.failure = error
            return len(data)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """What stands for a character that an encoding lacks: its number; of a table's no-break space
    a space, which is as wide."""
    if isinstance(error, UnicodeEncodeError):
        if error.object[error.start] == "\N{NO-BREAK SPACE}":
            return " ", error.start + 1
        error.end = error.start + 1  # one at a time
    return codecs.backslashreplace_errors(error)


codecs.register_error(_PLAIN, _plain)


def _guarded(descriptor: int, stream: Any) -> io.TextIOWrapper:
    sink = _Sink(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(sink),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors=_PLAIN,
        line_buffering=sink.isatty() or descriptor == 2,
    )


def _fill_closed_descriptors() -> None:
    """Where a standard stream was closed (``>&-``), the next file opened would get its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
