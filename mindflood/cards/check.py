"""Whether a card has the form of :mod:`mindflood.cards.schema`; one line says where it has not."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mindflood.cards.kinds import shown, within, words
from mindflood.cards.schema import Card
from mindflood.errors import UserError

Place = Sequence[str | int]  # keys and indices, from the outside in


def check_card(card: Any, path: Path) -> None:
    """Raise :class:`UserError` naming ``path`` and the first key that is wrong."""
    try:
        _checker().validate_python(card)
    except ValidationError as error:
        raise UserError(f"{path}: {_told(error.errors(include_url=False)[0])}") from None


@cache
def _checker() -> TypeAdapter[Card]:
    return TypeAdapter(Card)


def _told(fault: Any) -> str:
    """pydantic's fault as a line: the key, what was expected and what was found."""
    place = fault["loc"]
    if fault["type"] == "misfit":
        said, key = fault["ctx"]["said"], fault["ctx"]["key"]
        return f"key '{_dotted((*place, key) if key else place)}': {said}"
    if fault["type"] == "lacking":
        place = (*place, fault["ctx"]["key"])
    expected = words(within(Card, place))
    if fault["type"] in ("missing", "lacking"):
        return f"key '{_dotted(place)}' is missing: expected {expected}"
    return f"key '{_dotted(place) or 'card'}': expected {expected}, found {shown(fault['input'])}"


def _dotted(place: Place) -> str:
    """For instance ``epochs[0].attacks.pso-paper.failed``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")
