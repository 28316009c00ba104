"""What ends a command with a status and a line, and no traceback."""

from mindflood.visible import visible_words


class UserError(Exception):
    """Something the user can mend: bad input, a missing file, a full disk.

    The message is one line that names the file, key or row, what was expected and what to do;
    control characters in what it quotes are written out.
    The command line prints it without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible_words(message))


class StageFailedError(Exception):
    """A stage's process ended with this exit status and has already said why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status
