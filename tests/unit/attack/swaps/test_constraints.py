"""The offline profile's constraints and the recipe's fingerprint."""

import math

import numpy as np
import pytest
import torch

from mindflood.attack.recipes.textfooler import textfooler_stop_words
from mindflood.attack.resources.substitution import INTERCEPT, WEIGHTS, facts
from mindflood.attack.swaps import constraints, neighbour_swap
from mindflood.attack.swaps.constraints import SentenceSimilarity, Substitutable, place_of
from mindflood.attack.swaps.neighbour_swap import NeighbourSwap, pairs
from mindflood.attack.textattack_import import textattack
from mindflood.fingerprint import recipe_fingerprint

SENTENCE = "the quick actor made a very good film about the long and cold winter of his short life"


def swap(sentence, index, word):
    before = textattack.shared.AttackedText(sentence)
    after = before.replace_word_at_index(index, word)
    after.attack_attrs["last_transformation"] = textattack.transformations.WordSwapQWERTY()
    return before, after


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
    )
    index = SENTENCE.split().index("winter")
    before, after = swap(SENTENCE, index, "summer")
    assert (len(constraint.call_many([after], before)) == 1) is kept
    assert {len(window.split()) for window in vectors.asked} == {15}


def test_texts_shorter_than_the_window_are_compared_too():
    for degrees, kept in ((28, True), (90, False)):
        constraint = SentenceSimilarity(
            Angles(degrees), threshold=0.84, metric="angular", window_size=15
        )
        before, after = swap("a cold winter", 2, "summer")
        assert (len(constraint.call_many([after], before)) == 1) is kept


class WordAngles:
    """Unit vectors of words, at an angle that the word decides."""

    def __init__(self, **degrees):
        self.degrees = degrees
        self.asked = []

    def of_words(self, places):
        self.asked += places
        angles = [math.radians(self.degrees[p.text[p.start : p.end]]) for p in places]
        return torch.tensor([[math.cos(a), math.sin(a)] for a in angles]).reshape(-1, 2)


def test_what_no_reader_would_write_is_refused():
    index, least = SENTENCE.split().index("winter"), 0.4
    (known,) = (
        facts(reading.part, reading.base, neighbour)
        for reading, form, neighbour in pairs("winter", "NN")
        if form == "wintertime"
    )
    # The cosine at which 1 / (1 + exp(-odds)) is the least probability.
    rest = INTERCEPT + sum(w * x for w, x in zip(WEIGHTS[1:], known, strict=True))
    limit = math.degrees(math.acos((math.log(least / (1 - least)) - rest) / WEIGHTS[0]))
    for degrees, allowed in ((limit - 1, True), (limit + 1, False)):
        vectors = WordAngles(winter=0, wintertime=degrees, summer=0)
        constraint = Substitutable(vectors, least, 15)
        before, after = swap(SENTENCE, index, "wintertime")
        _, no_pair = swap(SENTENCE, index, "summer")
        for text in (after, no_pair):
            text.attack_attrs["last_transformation"] = NeighbourSwap()
        assert constraint.call_many([after, no_pair], before) == ([after] if allowed else [])
        assert {len(place.text.split()) for place in vectors.asked} == {15}
        for text in (after, no_pair):  # swaps by letters are not judged
            text.attack_attrs["last_transformation"] = textattack.transformations.WordSwapQWERTY()
        assert constraint.call_many([after, no_pair], before) == [after, no_pair]


@pytest.mark.parametrize("window", [3, 15, None])
def test_the_place_of_a_word(window):
    text = textattack.shared.AttackedText("the film is the film , and the film stays")
    for index, word in enumerate(text.words):
        place = place_of(text, index, window)
        assert place.text[place.start : place.end] == word
        if window is None:
            assert place.text == text.text


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


def test_the_rules_of_the_swap_and_the_weights_are_part_of_it(monkeypatch):
    def made():
        attack = an_attack()
        attack.transformation = neighbour_swap.NeighbourSwap()
        attack.constraints = [constraints.Substitutable(None, 0.4, 15)]
        return fingerprint(attack)

    seen = {made()}
    for module, name, value in (
        (neighbour_swap, "CERTAIN", 0.5),
        (neighbour_swap, "_STAY", frozenset({"film"})),
        (neighbour_swap, "_GOVERNED", {"v": ("TO",)}),
        (constraints, "WEIGHTS", (1.0,) * 6),
        (constraints, "INTERCEPT", 0.0),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            seen.add(made())
    assert len(seen) == 6
    assert made() in seen
