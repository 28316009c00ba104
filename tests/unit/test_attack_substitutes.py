"""Substitutes of the same part of speech and form, in the word's own case."""

import numpy as np
import pytest

from mindflood.attack import nltk_data
from mindflood.attack.inflection import like
from mindflood.attack.neighbours import NeighbourTable
from mindflood.attack.substitutes import SubstituteSwap, from_table, from_wordnet
from mindflood.attack.tagging import LexiconTagger, NltkTagger
from mindflood.attack.textattack_import import textattack
from mindflood.attack.wordnet import WordNet

FILES = {
    "data.noun": "00000001 00 n 03 film 0 movie 0 motion_picture 0 000 | x\n",
    "data.verb": "00000001 30 v 02 film 0 shoot 0 000 01 + 08 00 | x\n",
    "data.adj": "00000001 00 a 02 bad 0 sad 0 000 | x\n",
    **{"data.adv": "", "noun.exc": "", "verb.exc": "shot shoot\n", "adj.exc": "worse bad\n"},
    "adv.exc": "",
}


@pytest.fixture
def database(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return WordNet(tmp_path)


@pytest.mark.parametrize(
    ("word", "lemma", "other", "part", "expected"),
    [
        ("film", "film", "movie", "n", "movie"),
        ("films", "film", "movie", "n", "movies"),
        ("filming", "film", "shoot", "v", "shooting"),
        ("filmed", "film", "shoot", "v", "shot"),
        ("taken", "take", "walk", "v", "walked"),
        ("went", "go", "take", "v", "took"),
        ("worse", "bad", "sad", "a", "sadder"),
        ("worse", "bad", "zyzzyva", "a", None),
    ],
)
def test_the_other_word_in_the_same_form(word, lemma, other, part, expected):
    assert like(word, lemma, other, part) == expected


def test_wordnet_s_synonyms_in_the_same_form(database):
    substitutes = from_wordnet(database)
    assert substitutes("films", "NOUN") == ["movies"]
    assert substitutes("films", "VERB") == ["shoots"]
    assert substitutes("worse", "ADJ") == ["sadder"]
    assert substitutes("films", "ADJ") == []


def test_the_table_s_neighbours_of_the_same_part_of_speech():
    words = ["film", "quickly", "movie"]
    table = NeighbourTable(words, np.eye(3), np.array([[1, 2], [0, 2], [0, 1]]), "")
    substitutes = from_table(table)
    assert substitutes("film", "NOUN") == ["movie"]
    assert substitutes("film", "ADV") == ["quickly"]
    assert substitutes("zebra", "NOUN") == []


@pytest.mark.parametrize("tagger", [LexiconTagger(), NltkTagger()], ids=["lexicon", "nltk"])
def test_a_swap_keeps_case_and_leaves_function_words(database, tagger):
    if isinstance(tagger, NltkTagger) and nltk_data.tagger() == "missing":
        pytest.skip("the tagger's data are neither here nor within reach")
    text = textattack.shared.AttackedText("Films about the FILM were bad")
    swap = SubstituteSwap(from_wordnet(database), tagger)
    found = {proposal.text for proposal in swap(text)}
    assert "Movies about the FILM were bad" in found
    assert "Films about the MOVIE were bad" in found
    assert "Films about the FILM were sad" in found
    assert all("about the" in proposal for proposal in found)
