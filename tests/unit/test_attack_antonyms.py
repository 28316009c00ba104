"""WordNet's files, the opposites found in them, and the table without them."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack import antonym_shares, antonyms, opposites, wordnet
from mindflood.attack.antonyms import Antonyms, antonyms_among, from_wordnet, share_of
from mindflood.attack.neighbour_file import Content, table_path, write
from mindflood.attack.neighbours import NeighbourTable
from mindflood.attack.wordnet import WordNet, find_wordnet

# good ↔ bad with the satellites superb and lousy, light(a) ↔ heavy, rise ↔ fall, film = movie.
ADJECTIVES = """  1 This is the licence, which begins with blanks.
00000100 00 a 02 good 0 well-behaved 0 002 ! 00000200 a 0101 & 00000300 s 0000 | better
00000200 00 a 01 bad 0 002 ! 00000100 a 0101 & 00000400 s 0000 | below average | or worse
00000300 00 s 01 superb(p) 0 001 & 00000100 a 0000 | of surpassing excellence
00000400 00 s 02 lousy 0 rotten 1 001 & 00000200 a 0000 | very bad
00000500 00 a 0a a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 light 0 001 ! 00000600 a 0a01 | ten words
00000600 00 a 01 heavy 0 001 ! 00000500 a 010a | of great weight
"""
NOUNS = """00000100 00 n 02 Film 0 movie 0 001 @ 00000900 n 0000 | a form of entertainment
"""
VERBS = """00000100 30 v 01 rise 0 001 ! 00000200 v 0101 01 + 02 00 | move upward
00000200 30 v 01 fall 0 001 ! 00000100 v 0101 01 + 02 00 | descend
"""
FILES = {
    **{"data.adj": ADJECTIVES, "data.noun": NOUNS, "data.verb": VERBS, "data.adv": ""},
    **{"adj.exc": "worse bad\nbetter good well\n", "verb.exc": "rose rise\nfell fall\n"},
    **{"noun.exc": "", "adv.exc": ""},
}
WORDS = ["good", "better", "bad", "worse", "superb", "lousy", "light", "heavy", "rose", "falls"]


@pytest.fixture
def database(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return WordNet(tmp_path)


def test_base_forms_by_ending_and_by_exception(database):
    assert database.lemmas("worse") == {("a", "bad")}
    assert database.lemmas("falls") == {("v", "fall")}
    assert database.lemmas("films") == {("n", "film")}
    assert database.lemmas("heavier") == frozenset()  # morphy knows no y → i
    assert database.lemmas("zebra") == frozenset()


def test_synonyms_are_single_words_of_the_same_meaning(database):
    assert database.synonyms(("n", "film")) == {"movie"}
    assert database.synonyms(("a", "good")) == frozenset()  # well-behaved is no single word
    assert database.synonyms(("a", "lousy")) == {"rotten"}
    assert "light" in database.synonyms(("a", "a"))


@pytest.mark.parametrize(
    ("pair", "direct", "indirect"),
    [
        (("good", "bad"), True, True),
        (("better", "worse"), True, True),
        (("rose", "falls"), True, True),
        (("light", "heavy"), True, True),  # the tenth word of a synset: numbers are hexadecimal
        (("superb", "lousy"), False, True),
        (("superb", "bad"), False, True),
        (("superb", "good"), False, False),
        (("good", "heavy"), False, False),
    ],
)
def test_pairs_of_opposite_meaning(database, pair, direct, indirect):
    for wanted, of in (
        (direct, from_wordnet(database, WORDS, indirect=False)),
        (indirect, from_wordnet(database, WORDS)),
    ):
        found = Antonyms(of, "WordNet", "")
        assert (pair in found) is wanted
        assert (pair[::-1] in found) is wanted


def test_the_archive_that_nltk_downloads_is_read_in_place(database, tmp_path):
    archive = tmp_path / "wordnet.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in FILES.items():
            file.writestr(f"wordnet/{name}", content)
    assert WordNet(archive).synsets == database.synsets
    assert WordNet(archive).fingerprint != database.fingerprint


def test_where_wordnet_is_looked_for(database, tmp_path, monkeypatch):
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    assert find_wordnet() == tmp_path
    (tmp_path / "data.adv").unlink()
    assert find_wordnet() != tmp_path


names = st.from_regex(r"[a-z]{1,8}(_[a-z]{1,4})?", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(words=st.lists(names, min_size=1, max_size=20), place=st.integers(0, 19), gloss=names)
def test_a_line_is_read_back(words, place, gloss):
    place %= len(words)
    fields = " ".join(f"{word} 0" for word in words)
    pointers = f"002 ~ 00000007 v 0000 ! 00000042 v {place + 1:02x}01"
    line = f"00000001 30 v {len(words):02x} {fields} {pointers} 01 + 08 00 | {gloss} | x"
    ((key, synset),) = wordnet._synsets("v", [line]).items()
    assert key == ("v", 1)
    assert synset.words == tuple(words)
    assert synset.antonyms == ((words[place], ("v", 42), 0),)


@pytest.mark.parametrize(
    ("one", "other", "opposite"),
    [
        ("good", "awful", True),
        ("fair", "unfair", True),
        ("careful", "careless", True),
        ("gripping", "tedious", True),  # praise and blame of stories
        ("valuable", "invaluable", False),
        ("side", "inside", False),
        ("good", "excellent", False),
        ("awful", "terrible", False),
    ],
)
def test_own_opposites(one, other, opposite):
    found = Antonyms(opposites.among([one, other]), "mindflood's own list", "")
    assert ((one, other) in found) is opposite
    assert ((other, one) in found) is opposite


def test_every_listed_line_has_two_sides_that_share_no_word():
    for left, right in opposites._listed():
        assert left
        assert right
        assert not left & right


@settings(max_examples=30, deadline=None)
@given(data=st.data(), count=st.integers(2, 12))
def test_the_table_without_antonyms(data, count):
    words = [f"w{number}" for number in range(count)]
    order = [data.draw(st.permutations([o for o in range(count) if o != i])) for i in range(count)]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(words), st.sampled_from(words))))
    of = opposites.symmetric({one: {other} for one, other in pairs})
    table = NeighbourTable(words, np.eye(count), np.array(order), "table")
    filtered = table.without(Antonyms(of, "WordNet", "source"))
    assert share_of(words, filtered.neighbours, of) == 0
    for index, word in enumerate(words):
        expected = [o for o in order[index] if words[o] not in of.get(word, ())]
        assert filtered.nearest_neighbours(index, count) == expected
        assert filtered.nearest_neighbours(index, 2) == expected[:2]
    assert table.neighbours.tolist() == order  # the table it was made of is as it was
    hits = sum(words[o] in of.get(w, ()) for w, row in zip(words, order, strict=True) for o in row)
    assert share_of(words, table.neighbours, of) == pytest.approx(hits / (count * (count - 1)))


def test_shares_of_antonyms_before_and_after_our_own_list(database, tmp_path, monkeypatch):
    """Of eight entries WordNet calls four antonyms: good-bad, which our list has, superb-lousy."""
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(antonym_shares, "embedded_encoder", lambda: tmp_path)
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(antonym_shares, "wordnet", lambda: None)
    assert antonym_shares.antonym_shares() == antonym_shares.NO_WORDNET
    monkeypatch.setattr(antonym_shares, "wordnet", lambda: database)
    assert antonym_shares.antonym_shares() == antonym_shares.NO_TABLE
    words = ["good", "bad", "superb", "lousy"]
    neighbours = np.array([[1, 2], [0, 3], [3, 0], [2, 1]])
    own = {"good": frozenset({"bad"}), "bad": frozenset({"good"})}
    monkeypatch.setattr(opposites, "among", lambda words: own)
    write(table_path(tmp_path), Content(words, np.eye(4, dtype=np.float32), neighbours))
    assert antonym_shares.antonym_shares() == (4 / 8, 2 / 6)


def test_the_fingerprint_names_the_source(database, monkeypatch):
    table = NeighbourTable(["good", "bad"], np.eye(2), np.array([[1], [0]]), "table")
    found = {}
    for name, here in (("own", None), ("wordnet", database)):
        monkeypatch.setattr(antonyms, "wordnet", lambda here=here: here)
        found[name] = antonyms_among(table.words)
    assert [found[name].source for name in found] == ["mindflood's own list", "WordNet"]
    fingerprints = {table.without(found[name]).fingerprint for name in found}
    assert len(fingerprints | {table.fingerprint}) == 3
    assert np.array_equal(table.without(found["own"]).neighbours, [[-1], [-1]])


@pytest.mark.skipif(find_wordnet() is None, reason="no WordNet on this machine")
def test_this_machine_s_wordnet():
    database = WordNet(find_wordnet())
    found = Antonyms(
        from_wordnet(database, ["hot", "colder", "excellent", "lousy", "film"]), "WordNet", ""
    )
    assert ("hot", "colder") in found
    assert ("excellent", "film") not in found
    assert len(database.synsets) > 100_000
    assert "movie" in database.synonyms(("n", "film"))
