"""JSON documents with something wrong in them, for the fuzzers of the readers."""

import copy
import json
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

# What a stranger's file may hold where a number, a name or a list is expected.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**200), 10**200),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, 1e308, -1e308, 1e16]),
    st.text(max_size=6),
    st.sampled_from(["\x1b[31m", "\ud800", "\u202e", "=1+1", "", "$\\frac{", "[bold]", "a" * 3000]),
    st.lists(st.integers(-2, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)
# Text that Python's own writer would not make.
_RAW = ("[" * 100_000, "9" * 5_000, "-" + "9" * 400, "1e999", "NaN", "-Infinity", "tru")
_HOLE = "a hole in the document"


def places(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every value within a document, its own included."""
    found = [so_far]
    if isinstance(value, dict):
        found += [place for key in value for place in places(value[key], (*so_far, key))]
    elif isinstance(value, list):
        found += [place for at, one in enumerate(value) for place in places(one, (*so_far, at))]
    return found


def changed(document: Any, place: tuple[Any, ...], change: Any) -> Any:
    """A copy in which ``change(parent, key)`` was done at a place that is not the root."""
    document = copy.deepcopy(document)
    parent = document
    for key in place[:-1]:
        parent = parent[key]
    change(parent, place[-1])
    return document


def _set(value: Any, parent: Any, key: Any) -> None:
    parent[key] = value


def _delete(parent: Any, key: Any) -> None:
    del parent[key]


@st.composite
def damaged(draw: st.DrawFn, document: Any, indent: int | None = None) -> bytes:
    """The document as a file with one to three things wrong in it: values, keys or bytes."""
    raw = draw(st.sampled_from([None, None, None, *_RAW]))
    for _ in range(draw(st.integers(0 if raw else 1, 2))):
        place = draw(st.sampled_from(places(document)))
        if not place:
            document = draw(st.one_of(st.just(document), ODD))
        elif draw(st.booleans()):
            document = changed(document, place, partial(_set, draw(ODD)))
        else:
            document = changed(document, place, _delete)
    inner = [place for place in places(document) if place]
    if raw and inner:
        place = draw(st.sampled_from(inner))
        document = changed(document, place, partial(_set, _HOLE))
    content = json.dumps(document, indent=indent).replace(f'"{_HOLE}"', raw or "").encode()
    return draw(torn(content)) if draw(st.integers(0, 9)) == 0 else content


@st.composite
def torn(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes that were cut short, or some of which were replaced."""
    damaged = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        damaged[draw(st.integers(0, len(damaged) - 1))] = draw(st.integers(0, 255))
    return bytes(damaged[: draw(st.integers(0, len(damaged)))] if draw(st.booleans()) else damaged)


def write(path: Path, content: bytes) -> None:
    """Put a file there, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
