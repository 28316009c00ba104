"""Where ``--csv`` may write: never over a file that is no such log."""

from pathlib import Path

from mindflood.errors import UserError
from mindflood.files import check_file

_HEADER = "original_text,perturbed_text,original_score,perturbed_score,original_output,"
_BEGINNING = 200  # characters in which the header, quoted or not, has begun


def check_log(path: Path) -> None:
    """Find out whether TextAttack's CSV log can be written to ``path``; leaves nothing.

    Only an empty file is replaced, or one that begins with the log's header.

    Raises:
        UserError: it cannot, or something else is there.
    """
    check_file(path)
    if not path.exists():
        return
    if not path.is_file():
        raise UserError(f"{path}: is no file; name another with --csv")
    with path.open(encoding="utf-8", errors="replace") as file:
        beginning = file.read(_BEGINNING).removeprefix("\ufeff").replace('"', "")
    if beginning.strip() and not beginning.startswith(_HEADER):
        raise UserError(
            f"{path}: is there, and is no log of an attack; name another with --csv, or move it "
            "away"
        )
