"""SSMBA on a small masked language model: what is drawn, from which law, and when a text ends."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats
from transformers import AutoModelForMaskedLM, AutoTokenizer

from mindflood.attack.resources.masked_lm import MaskedLM
from mindflood.augment.ssmba import MOST_FAILURES, SSMBA, drawn
from mindflood.config.input_space import AugmentationSettings
from mindflood.errors import UserError
from tests.unit.attack_models import SPECIAL, save_masked_lm

TEXTS = ["the film is very good", "a dull plot , a bad actor .", "the", "the plot was not warm ."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked-lm")
    save_masked_lm(folder)
    return folder


@pytest.fixture(scope="module")
def masked_lm(folder):
    return MaskedLM.from_folder(folder, kept=1, device="cpu")


def made(masked_lm, texts=TEXTS, **settings):
    maker = SSMBA(masked_lm, AugmentationSettings(**settings))
    return list(maker(texts)), maker


def test_scores_are_the_model_s_own(folder, masked_lm):
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(folder).eval(), masked_lm.tokenizer
    rows = [tokenizer(text)["input_ids"] for text in TEXTS]
    places = [[1, 3], [2], [], [4, 5, 1]]
    for ids, at, found in zip(rows, places, masked_lm.scores(rows, places), strict=True):
        with torch.no_grad():
            expected = model(input_ids=torch.tensor([ids])).logits[0][at]
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("top_k", [None, 1, 5, 10**6])
@pytest.mark.parametrize("variant", ["paper", "release"])
def test_the_law_is_softmax_s(masked_lm, top_k, variant):
    _, maker = made(masked_lm, [], top_k=top_k, variant=variant)
    logits = torch.randn(3, masked_lm.model.config.vocab_size, generator=torch.manual_seed(0)) * 3
    law = maker.probabilities(logits)
    vocabulary = masked_lm.tokenizer.get_vocab()
    never = [at for token, at in vocabulary.items() if token.startswith("[unused")]
    never += masked_lm.tokenizer.all_special_ids
    assert len(never) > 900
    assert not law[:, never].any()
    np.testing.assert_allclose(law.sum(1), 1)
    for row, scores in zip(law, logits.double(), strict=True):
        scores[never] = -torch.inf
        plain = torch.softmax(scores, 0)
        allowed = int((scores > -torch.inf).sum())
        best = plain.argsort(descending=True)[: min(top_k or allowed, allowed)]
        weights = plain[best].exp() if top_k and variant == "release" else plain[best]
        expected = torch.zeros_like(plain)
        expected[best] = weights / weights.sum()
        np.testing.assert_allclose(row, expected.numpy(), atol=1e-12)


def test_the_release_s_softmax_of_a_softmax_is_nearly_flat(masked_lm):
    """A token of 0.9 among 10 is drawn with about 0.21."""
    _, maker = made(masked_lm, [], top_k=10, variant="release")
    law = torch.full((masked_lm.model.config.vocab_size,), 1e-9)
    ordinary = torch.nonzero(~maker.never)[:10, 0]
    law[ordinary], law[ordinary[0]] = 0.1 / 9, 0.9
    assert maker.probabilities(law.log()[None]).max() == pytest.approx(0.21, abs=0.005)
    paper = dataclasses.replace(maker.settings, variant="paper")
    assert SSMBA(masked_lm, paper).probabilities(law.log()[None]).max() == pytest.approx(0.9)


def test_draws_follow_the_law():
    law = np.array([[0.0, 0.5, 0.2, 0.3, 0.0]])
    generator = np.random.default_rng(0)
    found = drawn(np.repeat(law, 100_000, axis=0), generator)
    counts = np.bincount(found, minlength=5)
    assert counts[[0, 4]].tolist() == [0, 0]
    assert stats.chisquare(counts[1:4], 100_000 * law[0, 1:4]).pvalue > 1e-3


def test_new_texts_are_new_and_of_their_originals(masked_lm):
    rows, maker = made(masked_lm, samples=3, corruption=0.5)
    for number, text in enumerate(TEXTS):
        mine = [new for row, new in rows if row == number]
        assert len({*mine, text}) == len(mine) + 1 <= 4
        assert all(new and not set(SPECIAL) & set(new.split()) for new in mine)
    assert [row for row, _ in rows] == sorted(row for row, _ in rows)
    assert maker.counts.too_short == 1  # "the"


def test_what_becomes_of_a_text_depends_on_its_place_and_the_seed_alone(masked_lm, monkeypatch):
    whole, _ = made(masked_lm, samples=2, corruption=0.5)
    monkeypatch.setattr("mindflood.augment.ssmba._AT_ONCE", 1)
    assert made(masked_lm, samples=2, corruption=0.5)[0] == whole
    assert made(masked_lm, samples=2, corruption=0.5, seed=1)[0] != whole


def test_p_of_zero_makes_nothing(masked_lm):
    rows, maker = made(masked_lm, corruption=0.0)
    assert rows == []
    assert maker.counts.nothing_new == len(TEXTS) - 1


def test_a_text_ends_after_so_many_failures(masked_lm, monkeypatch):
    asked = []
    scores = MaskedLM.scores
    monkeypatch.setattr(
        MaskedLM, "scores", lambda self, rows, places: asked.append(1) or scores(self, rows, places)
    )
    made(masked_lm, TEXTS[:1], corruption=0.0)
    assert len(asked) == MOST_FAILURES + 1


def test_capitals_alone_are_nothing_new(masked_lm):
    assert made(masked_lm, ["The FILM is very good"], corruption=0.0)[0] == []


def test_a_text_beyond_the_model_is_told(masked_lm):
    rows, maker = made(masked_lm, ["the film " * 300])
    assert (rows, maker.counts.too_long) == ([], 1)


def test_a_model_of_another_vocabulary_is_refused(masked_lm, folder):
    other = MaskedLM.from_folder(folder, kept=1, device="cpu")
    other.tokenizer = AutoTokenizer.from_pretrained(folder)
    other.tokenizer.add_tokens(["unheardof"])
    with pytest.raises(UserError, match=r"masked_lm: the model has \d+ tokens and its"):
        SSMBA(other, AugmentationSettings())
