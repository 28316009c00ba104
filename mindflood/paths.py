"""Paths as a user writes them: in a config, on the command line, in the environment."""

import os
from pathlib import Path


def expanded(path: str | Path) -> str:
    """``path`` with the home folder for a leading ``~`` or ``~NAME``; a hub id stays as it is."""
    return os.path.expanduser(str(path))


def user_path(path: str | Path) -> Path:
    """:func:`expanded` as a path: the type of a command line's argument."""
    return Path(expanded(path))
