"""What ships of WordNet and VADER, and which words turn each other round."""

import re

import pytest

from mindflood.attack.resources import shipped
from mindflood.attack.resources.opposition import antonyms, opposed, opposite_valence, rating
from mindflood.attack.resources.relations import known, relations, uses, valence
from mindflood.errors import UserError


def test_facts_of_wordnet():
    film = relations("n", "film")
    assert {"movie", "picture"} <= set(film.related["synonym"])
    assert film.related["synonym"]["movie"] > film.related["synonym"].get("cinema", 0)
    assert uses("n", "film") > 0
    assert "moving" in relations("a", "touching").related["similar"]
    assert "dog" in relations("n", "poodle").related["broader"]
    assert "poodle" in relations("n", "dog").related["narrower"]
    assert relations("n", "zyzzyvas") == (0, {}, frozenset())


def test_synonyms_and_opposites_go_both_ways():
    for part in "nvar":
        for word in known(part):
            facts = relations(part, word)
            for other in facts.opposites:
                assert word in relations(part, other).opposites
            for other in facts.related.get("synonym", ()):
                assert word in relations(part, other).related["synonym"]


def test_the_valences_are_vader_s():
    assert valence("good") == 1.9
    assert valence("terrible") == -2.1
    assert valence("film") is None


# Listed by hand, from successes of an attack that turned the sentence round.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good", "bad"), ("hot", "cold"), ("love", "hate"), ("big", "small"), ("rich", "poor"),
        ("happy", "sad"), ("strong", "weak"), ("win", "lose"), ("funny", "unfunny"),
        ("winning", "losers"), ("disappointment", "hopeful"), ("courage", "helpless"),
        ("allows", "prevented"), ("careful", "careless"), ("increasing", "decreased"),
        ("superb", "awful"), ("gripping", "boring"), ("better", "worse"), ("badly", "nicely"),
    ],
)  # fmt: skip
def test_opposites(one, other):
    assert opposed(one, other)
    assert opposed(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good", "excellent"),
        ("awful", "terrible"),
        ("film", "movie"),
        ("flammable", "inflammable"),
    ],
)
def test_no_opposites(one, other):
    assert not opposed(one, other)


def test_antonyms_of_no_valence_and_valence_of_no_antonyms():
    assert antonyms("northern", "southern")
    assert not opposite_valence("northern", "southern")
    assert opposite_valence("charming", "stupid")
    assert rating("charmingly") > 0 > rating("unfunny")
    assert rating("film") == 0


def test_a_damaged_file_is_one_line(tmp_path, monkeypatch):
    content = shipped.shipped_file("valence").read_bytes()
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"valence.txt.xz: missing.* install it again$"):
        shipped.read_lines("valence")
    for place in (len(content) // 2, len(content) - 5):
        damaged = bytearray(content)
        damaged[place] ^= 1
        (tmp_path / "valence.txt.xz").write_bytes(damaged)
        with pytest.raises(UserError, match="missing or damaged"):
            shipped.read_lines("valence")


def test_the_same_lines_give_the_same_bytes_and_others_another_fingerprint(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    seen = set()
    for lines in (["a 1"], ["a 1"], ["a 2"]):
        shipped.write_lines("valence", lines)
        shipped.shipped_fingerprint.cache_clear()
        seen.add(shipped.shipped_fingerprint("valence"))
        assert shipped.read_lines("valence") == lines
    shipped.shipped_fingerprint.cache_clear()
    assert len(seen) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", fingerprint) for fingerprint in seen)
