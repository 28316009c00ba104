"""How likely a reader is to write a substitute: its facts and the regression's arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.neighbours import neighbours
from mindflood.attack.resources.phrases import in_phrase, is_phrase
from mindflood.attack.resources.shipped import read_lines
from mindflood.attack.resources.substitution import INTERCEPT, NAMES, WEIGHTS, facts, log_odds


def written(part: str, base: str) -> tuple[int, dict[str, dict[str, int]]]:
    """Uses and relations as the line of the shipped file has them."""
    (line,) = (x for x in read_lines("relations") if x.startswith(f"{part}\t{base}\t"))
    _, _, uses, *fields = line.split("\t")
    related = {}
    for field in fields:
        kind, *others = field.split()
        if kind != "opposite":
            related[kind] = {o.split(":")[0]: int(o.split(":")[1]) for o in others}
    return int(uses), related


@pytest.mark.parametrize(
    ("part", "base", "other"),
    [("n", "film", "movie"), ("v", "see", "watch"), ("a", "funny", "laughable"),
     ("n", "nightmare", "dream"), ("n", "vehicle", "truck")],
)  # fmt: skip
def test_facts_are_what_the_files_say(part: str, base: str, other: str) -> None:
    (neighbour,) = (n for n in neighbours(part, base) if n.base == other)
    (own, related), (theirs, _) = written(part, base), written(part, other)
    kinds = {kind for kind, others in related.items() if other in others}
    share, synonym, broader, logarithm, ratio = facts(part, base, neighbour)
    assert share == (neighbour.share if kinds else 0)
    assert (synonym, broader) == ("synonym" in kinds, "broader" in kinds)
    assert logarithm == pytest.approx(math.log10(theirs + 0.5))
    assert ratio == pytest.approx(math.log10((theirs + 0.5) / (own + 0.5)))


@given(st.floats(-1, 1), st.tuples(*[st.floats(-3, 3)] * 5))
def test_log_odds_are_the_regression_s(cosine: float, known: tuple[float, ...]) -> None:
    assert len(WEIGHTS) == len(NAMES) == 1 + len(known)
    expected = np.dot(WEIGHTS, [cosine, *known]) + INTERCEPT
    assert log_odds(cosine, known) == pytest.approx(expected)


def test_the_nearer_of_two_words_in_the_text_is_likelier() -> None:
    (movie,) = (n for n in neighbours("n", "film") if n.base == "movie")
    known = facts("n", "film", movie)
    assert log_odds(0.9, known) > log_odds(0.2, known)


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [("falls", "short", True), ("grab", "bags", True), ("high", "school", True),
     ("good", "film", False), ("Falls", "short", False)],
)  # fmt: skip
def test_phrases_in_any_form(first: str, second: str, one: bool) -> None:
    assert is_phrase(first, second) is one
    lines = set(read_lines("phrases"))
    forms = {f"{a} {b}" for a in base_forms(first) for b in base_forms(second)}
    assert bool(forms & lines) is one


def test_a_phrase_is_two_neighbours() -> None:
    words = ["a", "story", "that", "Falls", "short", "of", "high", "hopes", "at", "school"]
    assert [word for i, word in enumerate(words) if in_phrase(words, i)] == ["Falls", "short"]
