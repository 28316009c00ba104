"""The offline profile's constraints and the recipe's fingerprint."""

import math

import numpy as np
import pytest
import torch

from mindflood.attack.constraints import LexiconPartOfSpeech, SentenceSimilarity, parts_of_speech
from mindflood.attack.fingerprint import recipe_fingerprint
from mindflood.attack.recipes.textfooler import textfooler_stop_words
from mindflood.attack.textattack_import import textattack

SENTENCE = "the quick actor made a very good film about the long and cold winter of his short life"


def swap(sentence, index, word):
    before = textattack.shared.AttackedText(sentence)
    after = before.replace_word_at_index(index, word)
    after.attack_attrs["last_transformation"] = textattack.transformations.WordSwapQWERTY()
    return before, after


@pytest.mark.parametrize(
    ("word", "other", "allowed"),
    [
        ("good", "excellent", True),
        ("good", "quickly", False),
        ("film", "make", True),  # noun for verb
        ("Film", "movie", True),
        ("zzyzx", "movie", True),  # unknown words pass as nouns
        ("zzyzx", "terribly", False),
    ],
)
def test_lexicon_swaps(word, other, allowed):
    before, after = swap(f"the {word} one", 1, other)
    assert LexiconPartOfSpeech()(after, before) is allowed


def test_lexicon_without_verb_noun_swaps():
    before, after = swap("the ability one", 1, "become")
    assert parts_of_speech("ability") == {"NOUN"}
    assert parts_of_speech("become") == {"VERB"}
    assert LexiconPartOfSpeech()(after, before)
    assert not LexiconPartOfSpeech(allow_verb_noun_swap=False)(after, before)


class Angles:
    """Unit vectors at an angle that the sentence's winter decides."""

    def __init__(self, degrees):
        self.degrees = degrees
        self.asked = []

    def __call__(self, sentences):
        self.asked += sentences
        angles = [0.0 if "winter" in s else math.radians(self.degrees) for s in sentences]
        return torch.tensor([[math.cos(a), math.sin(a)] for a in angles])


@pytest.mark.parametrize(("degrees", "kept"), [(28, True), (29, False)])
def test_similarity_threshold_is_on_the_angle_over_pi(degrees, kept):
    # 1 - θ/π ≥ 0.840845057 means θ ≤ 28.65°
    vectors = Angles(degrees)
    constraint = SentenceSimilarity(
        vectors,
        threshold=0.840845057,
        metric="angular",
        compare_against_original=False,
        window_size=15,
        skip_text_shorter_than_window=True,
    )
    index = SENTENCE.split().index("winter")
    before, after = swap(SENTENCE, index, "summer")
    assert (len(constraint.call_many([after], before)) == 1) is kept
    assert {len(window.split()) for window in vectors.asked} == {15}


def test_texts_shorter_than_the_window_are_not_checked():
    constraint = SentenceSimilarity(
        Angles(90),
        threshold=0.84,
        metric="angular",
        window_size=15,
        skip_text_shorter_than_window=True,
    )
    before, after = swap("a cold winter", 2, "summer")
    assert len(constraint.call_many([after], before)) == 1


def test_stop_words_are_textfooler_s_own():
    words = textfooler_stop_words()
    assert len(words) == 266
    assert {"the", "whereupon", "empty", "hundred", "won't"} <= words
    assert not {"good", "film", "will"} & words


def an_attack(min_cos_sim=0.5, batch_size=32, stop_words=("a", "the")):
    words = ["good", "fine"]
    matrix = np.eye(2, dtype=np.float32)
    embedding = textattack.shared.WordEmbedding(
        matrix, {word: i for i, word in enumerate(words)}, dict(enumerate(words))
    )
    parts = textattack.constraints
    wrapper = type("Wrapper", (), {"model": torch.nn.Identity()})()
    goal = textattack.goal_functions.UntargetedClassification(wrapper, model_batch_size=batch_size)
    return textattack.Attack(
        goal,
        [
            parts.pre_transformation.StopwordModification(stopwords=stop_words),
            parts.semantics.WordEmbeddingDistance(embedding, min_cos_sim=min_cos_sim),
        ],
        textattack.transformations.WordSwapEmbedding(50, embedding),
        textattack.search_methods.GreedyWordSwapWIR("delete"),
    )


def fingerprint(attack, profile="offline", resources=None):
    return recipe_fingerprint(attack, "textfooler", profile, resources or {})


def test_fingerprint_is_the_same_for_the_same_parts():
    assert fingerprint(an_attack()) == fingerprint(an_attack(stop_words=("the", "a")))
    assert fingerprint(an_attack()) == fingerprint(an_attack(batch_size=7))


@pytest.mark.parametrize(
    "other",
    [
        lambda: fingerprint(an_attack(min_cos_sim=0.6)),
        lambda: fingerprint(an_attack(stop_words=("a",))),
        lambda: fingerprint(an_attack(), profile="paper"),
        lambda: fingerprint(an_attack(), resources={"tagger": "1234"}),
    ],
    ids=["threshold", "stop words", "profile", "tagger"],
)
def test_fingerprint_follows_every_part(other):
    assert fingerprint(an_attack()) != other()
