"""The tagger on sentences as TextAttack divides them."""

import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from mindflood.attack.resources import tagger
from mindflood.attack.resources.tagger import (
    EDGE,
    certainties,
    part_of_speech,
    tag_scores,
    tagged,
)
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("the film held my interest", "DT NN VBD PRP$ NN"),
        ("does n't have much to say", "VBZ RB VBP JJ TO VB"),
        ("this film proves that it has heart", "DT NN VBZ IN PRP VBZ NN"),
        ("one of the most beautiful films", "CD IN DT RBS JJ NNS"),
        ("a gripping drama", "DT JJ NN"),
        ("a play well acted", "DT NN RB VBN"),
        ("they play well", "PRP VBP RB"),
    ],
)
def test_tags_follow_the_sentence(text, tags):
    assert " ".join(tagged(text.split())) == tags


def test_capitals_do_not_matter_and_no_words_have_no_tags():
    assert tagged(["The", "Film"]) == tagged(["the", "film"])
    assert tagged([]) == ()


def test_the_tags_are_the_likeliest_of_all():
    words = ("they", "play", "films", "well")
    follows = tagger._follows()
    scores = [tag_scores(word) for word in words]

    def total(tags):
        path = [EDGE, *tags, EDGE]
        steps = sum(itertools.starmap(follows, itertools.pairwise(path)))
        return steps + sum(score[tag] for score, tag in zip(scores, tags, strict=True))

    assert tagged(words) == max(itertools.product(*scores), key=total)


@pytest.mark.parametrize("text", ["they play films well", "a telling film", "good"])
def test_certainties_are_sums_over_all_tags(text):
    words = text.split()
    follows = tagger._follows()
    scores = [tag_scores(word) for word in words]
    totals = {}
    for tags in itertools.product(*scores):
        path = [EDGE, *tags, EDGE]
        steps = sum(itertools.starmap(follows, itertools.pairwise(path)))
        own = sum(score[tag] for score, tag in zip(scores, tags, strict=True))
        totals[tags] = np.exp(steps + own)
    found = certainties(words)
    for place, likeliest in enumerate(tagged(words)):
        part = part_of_speech(likeliest)
        same = sum(t for tags, t in totals.items() if part_of_speech(tags[place]) == part)
        assert found[place] == pytest.approx(same / sum(totals.values()))


def test_probabilities_of_what_follows_a_tag_sum_to_one():
    pairs, alone, _ = tagger._counts()
    follows = tagger._follows()
    for last in {last for last, _ in pairs}:
        assert np.exp([follows(last, tag) for tag in alone]).sum() == pytest.approx(1)


def test_parts_of_speech():
    assert [part_of_speech(tag) for tag in ("NNS", "VBG", "JJR", "RB", "NNP", "DT")] == [
        *"nvarn",
        "DT",
    ]


@pytest.mark.slow
def test_on_the_english_web_treebank(monkeypatch, capsys):
    """Its test part, where this machine has it; the counts are of its development part."""
    folder = Path(os.environ.get("MINDFLOOD_DATA", "")) / "ud_english_ewt"
    if not folder.is_dir():
        pytest.skip("no English Web Treebank in MINDFLOOD_DATA")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import make_tagger

    make_tagger.report(list(make_tagger.sentences(folder / "en_ewt-ud-test.conllu")))
    share = capsys.readouterr().out.rsplit("|", 2)[1]  # of the words that it is sure of
    assert float(share) > 90
    sys.modules.pop("make_tagger")
