"""Swaps by the table of substitutes, and the constraints on single words."""

import pytest

from mindflood.attack import substitutes
from mindflood.attack.resources.neighbours import all_readings
from mindflood.attack.resources.tagger import tagged
from mindflood.attack.swaps.constraints import NoOpposite, SamePartOfSpeech
from mindflood.attack.swaps.neighbour_swap import NeighbourSwap, fits_article, in_case_of, is_name
from mindflood.attack.textattack_import import textattack


def swapped(text, word, **settings):
    """Substitutes of a word of a text."""
    words = text.split()
    index = words.index(word)
    return NeighbourSwap(**settings).substitutes(words, index, tagged(words)[index])


@pytest.mark.parametrize(
    ("text", "word", "tags"),
    [
        ("the movies were good", "movies", {"NNS"}),
        ("this film proves it", "proves", {"VBZ"}),
        ("it did n't prove anything", "prove", {"VB", "VBP"}),
        ("he wanted to show it", "show", {"VB", "VBP"}),
        ("they showed the truth", "showed", {"VBD", "VBN"}),
        ("the story was written well", "written", {"VBN", "VBD", "JJ"}),
        ("an even funnier story", "funnier", {"JJR"}),
        ("the funniest story", "funniest", {"JJS"}),
        ("a very funny story", "funny", {"JJ"}),
        ("it ended quickly", "quickly", {"RB"}),
    ],
)
def test_a_substitute_takes_the_word_s_form(text, word, tags):
    found = swapped(text, word)
    assert found
    for other in found:
        assert {reading.tag for reading in all_readings(other)} & tags


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("it does n't have a plot", "does"),
        ("it does n't have a plot", "have"),
        ("it has n't ended", "has"),
        ("it is a film", "is"),
        ("it is a film", "a"),
        ("he could see it", "could"),
        ("the film of the year", "of"),
    ],
)
def test_function_words_and_auxiliaries_stay(text, word):
    assert swapped(text, word) == []


def test_a_name_stays_where_capitals_tell():
    assert "cash" not in swapped("a song by Johnny Cash", "Cash")
    assert swapped(["the", "Film", "was", "good"][1] + " was good", "Film")[0][0].isupper()


def test_the_article_fits():
    assert not any(other[0] in "aeiou" for other in swapped("it is a funny film", "funny"))
    assert {"amusing"} <= set(swapped("it is the funny film", "funny"))


@pytest.mark.parametrize(
    ("before", "word", "fits"),
    [
        ("a", "film", True),
        ("a", "awful", False),
        ("an", "awful", True),
        ("an", "film", False),
        ("an", "hour", True),
        ("a", "useful", True),
        ("a", "uninteresting", False),
        ("an", "honest", True),
        ("the", "awful", True),
        ("", "film", True),
    ],
)
def test_articles(before, word, fits):
    assert fits_article(before, word) is fits


@pytest.mark.parametrize(
    ("word", "other", "expected"),
    [("film", "movie", "movie"), ("Film", "movie", "Movie"), ("FILM", "movie", "MOVIE"),
     ("I", "movie", "Movie")],
)  # fmt: skip
def test_case(word, other, expected):
    assert in_case_of(word, other) == expected


def test_words_that_few_readers_know_are_left_out():
    assert "cognise" in substitutes("know")
    assert "cognise" not in swapped("we know the plot", "know")


def test_limits():
    text = "the terrible film"
    every = swapped(text, "terrible")
    assert swapped(text, "terrible", max_candidates=2) == every[:2]
    assert len(swapped(text, "terrible", least=0.6)) < len(every)
    proposals = NeighbourSwap()(textattack.shared.AttackedText(text))
    assert f"the {every[0]} film" in {proposal.text for proposal in proposals}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("his skill at telling a story falls short", "short"),  # one entry of WordNet
        ("a grab bag of genres", "bag"),
        ("a film with telling scenes", "telling"),  # a verb or an adjective
        ("the film suffers from its length", "suffers"),
        ("quite the funny film", "quite"),
        ("they sell a new software licence", "licence"),
        ("a film devoid of charm", "devoid"),
        ("the dog likes a funnier story", "funnier"),
        ("the chairman of the Senate Committee", "Committee"),
    ],
)
def test_phrases_and_words_of_which_it_is_not_clear_how_they_fit_stay(text, word):
    assert swapped(text, word)
    changed = {proposal.text for proposal in NeighbourSwap()(textattack.shared.AttackedText(text))}
    assert changed
    assert all(word in proposal.split() for proposal in changed)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Film of the year by Dance Company", ["Dance", "Company"]),
        ("Film Of The Year", []),  # a headline
        ("THE FILM", []),
        ("the film", []),
    ],
)
def test_names_by_their_capitals(text, names):
    words = text.split()
    assert [word for i, word in enumerate(words) if is_name(words, i)] == names


def swap(sentence, index, word):
    before = textattack.shared.AttackedText(sentence)
    after = before.replace_word_at_index(index, word)
    after.attack_attrs["last_transformation"] = textattack.transformations.WordSwapQWERTY()
    return before, after


@pytest.mark.parametrize(
    ("word", "other", "allowed"),
    [
        ("good", "excellent", True),
        ("good", "film", False),
        ("Good", "terrible", True),  # what it means is another constraint's
    ],
)
def test_the_part_of_speech_stays(word, other, allowed):
    before, after = swap(f"a very {word} story", 2, other)
    assert SamePartOfSpeech()(after, before) is allowed


def test_verbs_for_nouns():
    before, after = swap("the film was good", 1, "become")
    allowed = [SamePartOfSpeech(allow_verb_noun_swap=swap)(after, before) for swap in (True, False)]
    same = tagged(after.words)[1] in ("NN", "NNP")
    assert allowed == [True, same]


@pytest.mark.parametrize(
    ("word", "other", "allowed"),
    [("good", "bad", False), ("good", "fine", True), ("Allows", "prevents", False),
     ("funny", "stupid", False), ("north", "south", False), ("film", "story", True)],
)  # fmt: skip
def test_no_opposites(word, other, allowed):
    before, after = swap(f"the {word} one", 1, other)
    assert NoOpposite()(after, before) is allowed
