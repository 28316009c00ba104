"""The one error a user's mistake raises."""


class UserError(Exception):
    """Something the user can mend: bad input, a missing file, a full disk.

    The message is one line that names the file, key or row, what was expected and what to do.
    The command line prints it without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
