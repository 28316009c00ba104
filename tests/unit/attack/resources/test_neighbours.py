"""The table of substitutes that ships: what is in it, and what is not."""

import os
from pathlib import Path

import measure_neighbours
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack import substitutes
from mindflood.attack.resources.inflection import Reading, base_forms, inflected
from mindflood.attack.resources.neighbours import all_words, in_form, neighbours
from mindflood.attack.resources.opposition import antonyms, opposite_valence
from mindflood.attack.resources.relations import known, relations

ROWS = sorted(all_words())


def test_every_word_is_known_and_near_words_come_first():
    assert len(ROWS) > 30_000
    for part, base in ROWS:
        row = neighbours(part, base)
        assert base in known(part)
        assert len({found.base for found in row}) == len(row) > 0
        assert [found.similarity for found in row] == sorted(
            (found.similarity for found in row), reverse=True
        )
        for found in row:
            assert found.base in known(part)
            assert found.base != base
            assert -0.2 <= found.similarity <= 1
            assert 0 <= found.share <= 1


def test_no_word_has_an_opposite():
    for part, base in ROWS:
        for found in neighbours(part, base):
            assert not antonyms(base, found.base)
            assert not opposite_valence(base, found.base)


def test_cosines_are_the_same_both_ways():
    """And so is what no relation, whose share depends on the direction, has a part in."""
    for part, base in ROWS:
        for found in neighbours(part, base):
            back = {other.base: other.similarity for other in neighbours(part, found.base)}
            assert back.get(base, found.similarity) == found.similarity


@settings(max_examples=200)
@given(row=st.sampled_from(ROWS), data=st.data())
def test_substitutes_are_the_neighbours_in_the_word_s_form(row, data):
    part, base = row
    tags = {"n": ["NN", "NNS"], "v": ["VB", "VBD", "VBG", "VBZ"], "a": ["JJ", "JJR"], "r": ["RB"]}
    tag = data.draw(st.sampled_from(tags[part]))
    found = in_form(Reading(part, base, tag))
    assert [form for form, _ in found] == [
        form for other in neighbours(part, base) if (form := inflected(part, other.base, tag))
    ]


@pytest.mark.parametrize(
    ("word", "some", "none"),
    [
        ("film", {"movie", "picture"}, {"book"}),
        ("films", {"movies", "pictures"}, {"movie"}),
        ("terrible", {"awful", "horrible"}, {"good", "wonderful"}),
        ("boring", {"dull", "tedious"}, {"exciting", "bored", "entertaining"}),
        ("gripping", {"engrossing", "absorbing", "fascinating"}, {"pinch"}),
        ("touching", {"affecting"}, {"scratched"}),
        ("play", {"act"}, {"golf"}),
        ("proves", {"shows", "demonstrates"}, {"proving", "proof"}),
        ("Film", {"movie"}, {"Movie"}),
        ("zyzzyvas", set(), {"zyzzyva"}),
    ],
)
def test_substitutes_of_a_word(word, some, none):
    found = substitutes(word)
    assert some <= set(found)
    assert not none & set(found)
    assert word.lower() not in found


def test_synonyms_of_a_word_of_one_sense_are_in_it():
    for part, base, other in (("a", "engrossing", "fascinating"), ("n", "movie", "film")):
        assert other in relations(part, base).related["synonym"]
        assert other in {found.base for found in neighbours(part, base)}
        assert base not in base_forms(other)


def test_simlex_999():
    """People's ratings of similarity, on the rows by which no threshold was chosen."""
    pytest.importorskip("gensim", reason="SimLex-999 comes with gensim")
    rows = measure_neighbours.simlex()[1::2]
    found = (measure_neighbours.accepted(rows, *band) for band in measure_neighbours.BANDS)
    shares = [hits / count for hits, count in found]
    assert shares[0] <= 0.01
    assert shares[1] <= 0.04
    assert shares[3] >= 0.5


def test_it_goes_far_enough():
    path = Path(os.environ.get("MINDFLOOD_DATA", "")) / "sst2" / "dev.tsv"
    if not path.is_file():
        pytest.skip("no SST-2 in MINDFLOOD_DATA")
    _, some, three = measure_neighbours.coverage(path)
    assert some >= 0.88
    assert three >= 0.72
