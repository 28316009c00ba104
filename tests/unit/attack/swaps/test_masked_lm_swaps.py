"""The swaps of a masked language model against TextAttack's own, which scores every combination."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from mindflood.attack.resources.masked_lm import MaskedLM
from mindflood.attack.swaps.masked_lm_swaps import BaeSwap, BertAttackSwap
from mindflood.attack.textattack_import import textattack
from tests.unit.attack_models import LONGEST, SHAPE, SPECIAL, WORDS, save_tokenizer

PIECES = ["##s", "##ly", "##ing", "##er", "##.", "!", "-", "##'", "##a", "'"]
PIECES += ["#", "##恤", "T", "电"]
VOCABULARY = [*SPECIAL, *WORDS, *PIECES]
TEXT_WORDS = [
    *WORDS[:-2],
    "films",
    "filming",
    "actorsly",
    "plotser",
    "Good",
    "unknown",
    "dullinglys",
]
texts = st.lists(st.sampled_from([*TEXT_WORDS, ",", "."]), min_size=1, max_size=9).map(" ".join)
only_a_function = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A random masked language model with sub-words, and its tokenizer."""
    folder = tmp_path_factory.mktemp("masked-lm")
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(**{**SHAPE, "vocab_size": len(VOCABULARY)})).eval()
    save_tokenizer(folder, pieces=PIECES)
    return model, AutoTokenizer.from_pretrained(folder)


def stock(parts, method, count):
    """TextAttack's swap, which fills every text up to the model's length."""
    return textattack.transformations.WordSwapMaskedLM(
        method=method,
        masked_language_model=parts[0],
        tokenizer=parts[1],
        max_length=LONGEST,
        max_candidates=count,
        min_confidence=0.0,
    )


def asked(parts, kept):
    return MaskedLM(*parts, kept=kept, fingerprint="", device="cpu")


def proposals(swap, text):
    return [proposal.text for proposal in swap(textattack.shared.AttackedText(text))]


@only_a_function
@given(text=texts, count=st.integers(1, 5))
def test_bert_attack_has_textattack_s_candidates(parts, text, count):
    ours = BertAttackSwap(asked(parts, count), count)
    assert proposals(ours, text) == proposals(stock(parts, "bert-attack", count), text)


@only_a_function
@given(text=texts, count=st.integers(1, 8))
def test_bae_has_textattack_s_candidates(parts, text, count):
    ours = BaeSwap(asked(parts, len(VOCABULARY)), count)
    assert proposals(ours, text) == proposals(stock(parts, "bae", count), text)


def test_texts_longer_than_the_model_reads(parts):
    text = " ".join(["the film was filming"] * 12)
    for ours, method in ((BertAttackSwap, "bert-attack"), (BaeSwap, "bae")):
        swap = ours(asked(parts, len(VOCABULARY)), 3)
        assert proposals(swap, text) == proposals(stock(parts, method, 3), text)


@only_a_function
@given(texts=st.lists(texts, min_size=1, max_size=6))
def test_a_ranking_does_not_depend_on_its_company(parts, texts):
    masked_lm = asked(parts, 5)
    together = masked_lm(texts)
    for text, ranking in zip(texts, together, strict=True):
        (alone,) = asked(parts, 5)([text])
        assert torch.equal(alone.places, ranking.places)
        assert torch.equal(alone.tokens, ranking.tokens)


def test_a_ranking_is_of_the_scores(parts):
    model, tokenizer = parts
    text = "the film was [MASK] and dull"
    (ranking,) = asked(parts, 6)([text])
    inputs = tokenizer(text, return_tensors="pt")
    place = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    with torch.no_grad():
        expected = model(**inputs).logits[0, place].topk(6).indices
    assert ranking.places.tolist() == [place]
    assert torch.equal(ranking.tokens[0], expected)
