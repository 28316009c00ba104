"""Marian's translators from the hub's cache: small real ones, whose weights are random."""

import json
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

from mindflood.augment import marian
from mindflood.errors import UserError

WORDS = ["the", "a", "film", "plot", "actor", "is", "was", "not", "very", "good", "bad", "dull"]
WORDS += ["warm", "long", "short", "clever", "slow", "new"]
TEXTS = [f"the {WORDS[i % 11 + 3]} was {WORDS[i % 7 + 7]} ." for i in range(40)]
TOKENS = 24  # of the longest text that fits
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Translators from English to French and back, as the hub's cache holds them."""
    cache = tmp_path_factory.mktemp("hub")
    pieces = tmp_path_factory.mktemp("pieces")
    (pieces / "text").write_text("\n".join(TEXTS * 3))
    sentencepiece.SentencePieceTrainer.train(
        input=str(pieces / "text"), model_prefix=str(pieces / "m"), vocab_size=60,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    known = sentencepiece.SentencePieceProcessor(model_file=str(pieces / "m.model"))
    tokens = [known.id_to_piece(at) for at in range(known.vocab_size())]
    tokens = ["</s>", "<unk>", *(t for t in tokens if t not in ("</s>", "<unk>", "<s>")), "<pad>"]
    for number, name in enumerate(("opus-mt-en-fr", "opus-mt-fr-en")):
        repository = cache / f"models--Helsinki-NLP--{name}"
        folder = repository / "snapshots" / COMMIT
        folder.mkdir(parents=True)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT)
        for side in ("source", "target"):
            (folder / f"{side}.spm").write_bytes((pieces / "m.model").read_bytes())
        (folder / "vocab.json").write_text(json.dumps({t: at for at, t in enumerate(tokens)}))
        (folder / "tokenizer_config.json").write_text("{}")
        pad = len(tokens) - 1
        torch.manual_seed(number)
        config = MarianConfig(
            vocab_size=len(tokens), d_model=16, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
            decoder_ffn_dim=16, pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
            forced_eos_token_id=0, init_std=1.0,
        )  # fmt: skip
        model = MarianMTModel(config)
        model.final_logits_bias[0, 0] = 4.5  # so that many a text comes to an end
        model.save_pretrained(folder, safe_serialization=True)
    return cache


@pytest.fixture
def translators(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("transformers.utils.hub.TRANSFORMERS_CACHE", str(cache), raising=False)
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(cache), raising=False)
    monkeypatch.setattr(marian, "_TOKENS", TOKENS)
    return cache


def test_texts_go_there_and_back_in_their_order(translators):
    found = marian.there_and_back(TEXTS, "fr", seed=0)
    assert len(found) == len(TEXTS)
    assert sum(text is not None for text in found) > 5
    assert marian.there_and_back(TEXTS, "fr", seed=0) == found
    assert marian.there_and_back(TEXTS, "fr", seed=1) != found
    between = marian._translated(TEXTS, "Helsinki-NLP/opus-mt-en-fr", sampled=False)
    folder = next(translators.glob("*en-fr/snapshots/*"))
    tokenizer, model = (
        MarianTokenizer.from_pretrained(folder),
        MarianMTModel.from_pretrained(folder),
    )
    cut = 0
    for text, there in zip(TEXTS, between, strict=True):  # each alone: this way is not sampled
        batch = tokenizer([text], return_tensors="pt")
        (ids,) = model.eval().generate(**batch, num_beams=1, max_new_tokens=TOKENS)
        ended = len(ids) <= TOKENS  # with the token that it begins with
        cut += not ended
        assert there == (tokenizer.decode(ids, skip_special_tokens=True) if ended else None)
    assert 0 < cut < len(TEXTS)


def test_a_text_that_is_too_long_is_left_out_and_not_cut(translators):
    texts = [TEXTS[0], " ".join(TEXTS[:4]), TEXTS[1]]
    tokenizer = MarianTokenizer.from_pretrained(next(translators.glob("*en-fr/snapshots/*")))
    assert [len(tokenizer(text)["input_ids"]) > TOKENS for text in texts] == [False, True, False]
    found = marian._translated(texts, "Helsinki-NLP/opus-mt-en-fr", sampled=False)
    alone = [marian._translated([text], "Helsinki-NLP/opus-mt-en-fr", sampled=False)[0]
             for text in (TEXTS[0], TEXTS[1])]  # fmt: skip
    assert found == [alone[0], None, alone[1]]
    assert marian.there_and_back(texts, "fr", seed=0)[1] is None


@pytest.mark.usefixtures("translators")
def test_a_translator_that_cannot_be_had_is_told():
    with pytest.raises(UserError, match=r"opus-mt-en-de cannot be had: .* set augmentation.transl"):
        marian.there_and_back(TEXTS, "de", seed=0)
