"""One example as a file has it, before its label is understood."""

from collections.abc import Iterable
from typing import NamedTuple

from mindflood.errors import UserError

_SHOWN = 40


class Row(NamedTuple):
    """One example as the file has it; ``where`` is a line number, or a file inside the source."""

    where: int | str
    texts: tuple[str, ...]
    label: str

    def place(self) -> str:
        """The row, as an error message names it."""
        return f"row {self.where}" if isinstance(self.where, int) else str(self.where)


def shown(value: str) -> str:
    """A value from a file as an error message quotes it: short, nothing that moves a cursor."""
    value = value.strip()
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def check_texts(columns: Iterable[str], texts: Iterable[str], where: str) -> None:
    """Check that there is something in every text.

    Raises:
        UserError: one is empty; ``where`` names the row.
    """
    for column, text in zip(columns, texts, strict=True):
        if not text.strip():
            raise UserError(f"{where}: '{column}' is empty; remove the row")
