"""Write every key of a card, with its type and meaning, into ``docs/cards.md``.

    python tools/make_cards_page.py

They come from ``mindflood/cards/schema.py``. What stands above the mark in the page is written by
hand and stays.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter
from typing_extensions import get_original_bases, get_type_hints, is_typeddict

from mindflood.cards.kinds import plain, words
from mindflood.cards.schema import Card
from mindflood.files import write_text

PAGE = Path(__file__).parents[1] / "docs" / "cards.md"
MARK = "<!-- Below: tools/make_cards_page.py -->\n"


def page(before: str) -> str:
    """The page with its keys written anew.

    Args:
        before: the page as it is.
    """
    above, mark, _ = before.partition(MARK)
    if not mark:
        raise ValueError(f"{PAGE}: no line '{MARK.strip()}'")
    return above + MARK + "\n".join(_sections())


def _sections() -> Iterator[str]:
    """A section for each object of a card, in the order in which they stand in it."""
    places: dict[Any, str] = {Card: ""}
    todo: list[Any] = [Card]
    while todo:
        form = todo.pop(0)
        inner = []
        for key, kind in get_type_hints(form, include_extras=True).items():
            below = _object_in(kind)
            if below is not None and below not in places:
                places[below] = _within(places[form], key, kind)
                inner.append(below)
        todo = inner + todo
        yield from _section(places[form], form, places)


def _section(place: str, form: Any, places: dict[Any, str]) -> Iterator[str]:
    title = f"`{place}`" if place else "The card"
    yield f"\n## {title}\n\n{_plain_code(inspect.getdoc(form) or '')}\n"
    yield "| Key | Type | Meaning |\n|---|---|---|"
    meanings = _meanings(form)
    for key, kind in get_type_hints(form, include_extras=True).items():
        name = f"`{key}`" if key in form.__required_keys__ else f"`{key}` (optional)"
        below = _object_in(kind)
        more = f" See `{places[below]}`." if below is not None else ""
        yield f"| {name} | {words(kind)} | {meanings[key]}{more} |"


def _meanings(form: Any) -> dict[str, str]:
    """Key → its sentence; those of a base are said there."""
    found: dict[str, str] = {}
    for base in get_original_bases(form):
        if is_typeddict(base):
            found |= _meanings(base)
    for key, described in TypeAdapter(form).json_schema()["properties"].items():
        if "description" in described:
            found[key] = _plain_code(" ".join(described["description"].split()))
    return found


def _object_in(kind: Any) -> Any:
    """The form of the object, or objects, that a key holds; None where they have none."""
    kind = plain(kind)
    while get_origin(kind) in (dict, list):
        kind = plain(get_args(kind)[-1])
    return kind if is_typeddict(kind) else None


def _within(place: str, key: str, kind: Any) -> str:
    at = f"{place}.{key}" if place else key
    several = get_origin(plain(kind))
    return at + {dict: ".NAME", list: "[N]"}.get(several, "")


def _plain_code(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    write_text(PAGE, page(PAGE.read_text(encoding="utf-8")))
