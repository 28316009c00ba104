"""Copies of an attack share what is large and nothing that changes; words are divided once."""

import lru
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification

from mindflood.attack.driver.own_copy import own_copy, remembered_words
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from tests.unit.attack_models import SHAPE, WORDS, save_tokenizer

TEXTS = ["the film was very good", "a dull plot is not very long , the actor was bad .", "warm"]
_CHANGE = (
    textattack.Attack,
    textattack.goal_functions.GoalFunction,
    textattack.search_methods.SearchMethod,
    textattack.transformations.Transformation,
    textattack.constraints.Constraint,
    textattack.constraints.PreTransformationConstraint,
    lru.LRU,
    list,
    dict,
    set,
)


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("victim")
    BertForSequenceClassification(BertConfig(**SHAPE)).save_pretrained(folder)
    save_tokenizer(folder)
    vectors = np.random.default_rng(0).normal(size=(len(WORDS), 4)).astype(np.float32)
    nearest = np.argsort(-vectors @ vectors.T, axis=1)
    embedding = textattack.shared.WordEmbedding(
        vectors, {word: i for i, word in enumerate(WORDS)}, dict(enumerate(WORDS)), nearest
    )
    swap = textattack.transformations
    return textattack.Attack(
        textattack.goal_functions.UntargetedClassification(Victim(folder, device="cpu")),
        [
            textattack.constraints.pre_transformation.RepeatModification(),
            textattack.constraints.semantics.WordEmbeddingDistance(embedding, min_cos_sim=0.1),
        ],
        swap.CompositeTransformation([swap.WordSwapEmbedding(5, embedding)]),
        textattack.search_methods.GreedyWordSwapWIR("delete"),
    )


def changing(value, found):
    """Every object reachable through an attack's parts that an attack could change, by id."""
    if id(value) in found or not isinstance(value, _CHANGE):
        return found
    found[id(value)] = value
    inner = value if isinstance(value, list | set) else ()
    inner = value.values() if isinstance(value, dict) else inner
    inner = vars(value).values() if isinstance(value, _CHANGE[:6]) else inner
    for part in inner:
        changing(getattr(part, "__self__", part), found)
    return found


def test_copies_share_nothing_that_an_attack_changes(attack):
    one, other = changing(own_copy(attack, 100), {}), changing(own_copy(attack, 100), {})
    assert {type(value) for value in one.values()} > {textattack.Attack, lru.LRU, list}
    assert len(one) == len(other) == len(changing(attack, {}))
    assert not one.keys() & other.keys()
    assert not one.keys() & changing(attack, {}).keys()


def test_copies_share_model_and_table_and_hold_together(attack):
    copy = own_copy(attack, 100)
    assert copy.goal_function.model is attack.goal_function.model
    swap = copy.transformation.transformations[0]
    assert swap.embedding is attack.transformation.transformations[0].embedding
    assert copy.search_method.get_goal_results.__self__ is copy.goal_function
    assert copy.search_method.get_transformations.__self__ is copy


def test_a_copy_attacks_as_the_attack_does_and_leaves_it_alone(attack):
    label = int(attack.goal_function.model(TEXTS[1:2]).argmax())
    copy, untouched = own_copy(attack, 3), own_copy(attack, 3)
    copied = copy.attack(TEXTS[1], label)
    assert not hasattr(untouched.goal_function, "num_queries")
    assert len(attack.goal_function._call_model_cache) == 0
    whole = attack.attack(TEXTS[1], label)
    attack.clear_cache()
    assert copied.num_queries == whole.num_queries > 5
    assert type(copied) is type(whole)
    assert copied.perturbed_text() == whole.perturbed_text()


def test_caches_of_candidates_are_bounded(attack):
    copy = own_copy(attack, 1000)
    assert copy.constraints_cache.get_size() == 1000
    assert copy.transformation_cache.get_size() < 1000


@settings(deadline=None)  # the first Chinese character loads a dictionary
@given(text=st.text(max_size=60) | st.sampled_from(["it's", "", "re-do", "naïve café"]))
def test_remembered_words_are_textattack_s(text):
    module = textattack.shared.attacked_text
    expected = module.words_from_text(text)
    with remembered_words():
        first = module.words_from_text(text)
        first.append("a caller's own")
        again = module.words_from_text(text)
    assert again == expected
    assert module.words_from_text is textattack.shared.utils.words_from_text
