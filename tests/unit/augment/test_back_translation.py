"""Back-translation by a stand-in for the program on PATH, and two sentences by the real one."""

import os
import shutil
import stat
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mindflood.augment import apertium
from mindflood.augment.back_translation import BackTranslation, plain
from mindflood.augment.contractions import joined
from mindflood.augment.negation import denials
from mindflood.config.input_space import AugmentationSettings
from mindflood.errors import UserError

# Reads and writes as apertium does; "Spanish" is upper case, and some words come back as others.
PROGRAM = """#!/usr/bin/env python3
import sys
if sys.argv[1:] == ["-l"]:
    print("  eng-spa\\n  spa-eng\\n  eng-cat")
    sys.exit()
assert sys.argv[1] == "-u", sys.argv
text = sys.stdin.read()
if "CRASH" in text.upper():
    sys.exit("lt-proc: a segmentation fault")
if sys.argv[2] == "eng-spa":
    text = text.upper()
else:
    text = text.lower().replace("journey", "trip").replace("not ", "")
    text = text.replace("tree", "\\n\\n").replace("nil", "")
    text = "\\n".join(line.capitalize() for line in text.split("\\n"))
sys.stdout.write(text)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "apertium"
    path.write_text(PROGRAM)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def same(texts):
    return torch.ones(len(texts), 1)


def made(texts, vectors=same, **settings):
    maker = BackTranslation(vectors, AugmentationSettings(**settings))
    return list(maker(texts)), maker


@pytest.mark.usefixtures("program")
def test_texts_come_back_in_their_order():
    texts = [f"journey {number} of\nmany" for number in range(50)]
    expected = [f"trip {number} of many" for number in range(50)]
    assert [text.lower() for text in apertium.there_and_back(texts, "spa")] == expected
    rows, maker = made([" ".join(text.split()) for text in texts])
    assert rows == list(enumerate(expected))
    assert maker.made == 50


@pytest.mark.usefixtures("program")
def test_a_lost_not_is_not_trained_on():
    texts = ["it is not a good journey", "a good journey", "a good film", "nothing but a journey"]
    texts += ["not a journey without a plot"]
    rows, maker = made(texts)
    assert rows == [(1, "a good trip"), (3, "nothing but a trip")]
    assert (maker.counts.negation, maker.counts.unchanged) == (2, 1)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_text_that_translates_to_nothing_stays_in_its_place(at):
    texts = ["a journey", "a good journey"]
    texts.insert(at, "nil")
    found = [text.lower() for text in apertium.there_and_back(texts, "spa")]
    expected = ["a trip", "a good trip"]
    expected.insert(at, "")
    assert found == expected


@pytest.mark.usefixtures("program")
def test_what_a_translator_has_no_room_for_is_counted(monkeypatch):
    monkeypatch.setattr(
        BackTranslation, "_translations", lambda _, texts: iter([["a trip", None], [None, None]])
    )
    rows, maker = made(["a journey", "a long journey"])
    assert rows == [(0, "a trip")]
    assert (maker.made, maker.counts.too_long) == (4, 3)


@pytest.mark.usefixtures("program")
def test_what_means_something_else_is_refused():
    def vectors(texts):
        return torch.tensor([[1.0, 0.0] if "journey" in text else [0.79, 0.61] for text in texts])

    assert made(["a journey"], vectors)[1].counts.dissimilar == 1
    assert made(["a journey"], vectors, similarity=0.7)[0] == [(0, "a trip")]


@pytest.mark.usefixtures("program")
def test_capitals_stay_where_the_text_has_some():
    rows, _ = made(["A journey", "a journey"])
    assert rows == [(0, "A trip"), (1, "a trip")]


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("texts", "pivot", "message"),
    [
        (["a tree", "a journey"], "spa", "apertium spa-eng: 2 texts went in and 3 came out"),
        (["crash"], "spa", "apertium -u eng-spa: failed: lt-proc: a segmentation fault"),
        (["a"], "cat", "no translator cat-eng; install Debian's: .* apertium-eng-cat"),
        (["a"], "fra", "no translator eng-fra; install"),
    ],
)
def test_faults_are_told_in_a_line(texts, pivot, message):
    with pytest.raises(UserError, match=message):
        made(texts, pivots=(pivot,))


def test_without_the_program_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"apertium is not there; install .* apertium-eng-spa"):
        made(["a"])


@pytest.mark.skipif(shutil.which("apertium") is None, reason="Apertium is not installed")
def test_the_real_one():
    if not {"eng-spa", "spa-eng"} <= apertium.language_pairs():
        pytest.skip("the pair eng-spa is not installed")
    texts = ["a charming and often affecting journey .", "the acting is wooden"]
    rows, _ = made(texts)
    assert rows == [(0, "a charming and often affecting trip .")]  # the other comes back unchanged


@pytest.mark.parametrize(
    ("divided", "whole"),
    [
        ("i do n't know", "i don't know"),
        ("it 's ca n't", "it's can't"),
        ("they 're , we 've i 'd you 'll i 'm", "they're , we've i'd you'll i'm"),
        ("the film 's plot", "the film's plot"),
        ("'s no n't", "'s non't"),
        ("DO N'T", "DON'T"),
        ("in the '90s it 'stays", "in the '90s it 'stays"),
    ],
)
def test_contractions_are_joined(divided, whole):
    assert joined(divided) == whole


@given(st.text())
def test_joining_takes_spaces_away_and_nothing_else(text):
    assert joined(text).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it is not good", 1), ("it isn't good", 1), ("it is n't good", 1), ("it isn’t", 1),
        ("nothing outstanding", 1), ("Never again", 1), ("without a plot", 1),
        ("no pastry is violated without a shot", 2), ("neither good nor bad, not at all", 3),
        ("at all exceptional", 0), ("a notable knot", 0), ("", 0),
    ],
)  # fmt: skip
def test_negations(text, found):
    assert denials(text) == found


def test_plain_texts():
    assert plain("A  film .") == plain("a film.")
