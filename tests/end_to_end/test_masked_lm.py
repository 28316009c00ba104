"""A masked language model made of a task's text: it learns, and PyTorch has the same scores."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch

from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.masked_lm.settings import (
    QUALITY,
    MaskedLMSettings,
    cached_folder,
    described,
    training_pieces,
)

CORPUS = get_task("corpus")


@pytest.fixture(scope="module")
def settings(tiny_encoder):
    return MaskedLMSettings(
        encoder=str(tiny_encoder), texts=400, steps=60, learning_rate=1e-2, piece_words=20
    )


@pytest.fixture(scope="module")
def made(settings, tmp_path_factory):
    """The folder of a model of the built-in corpus, and its quality."""
    from mindflood.masked_lm.train import make

    folder = tmp_path_factory.mktemp("masked-lm") / "model"
    return folder, make(CORPUS, None, settings, folder)


@pytest.mark.slow
def test_over_the_embedded_encoder_it_finds_words_by_their_context(tmp_path):
    from transformers import AutoTokenizer

    from mindflood.masked_lm.train import make

    settings = MaskedLMSettings(texts=2000, steps=100)
    quality = make(CORPUS, None, settings, tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    held_out = training_pieces(CORPUS, "dev", None, settings)
    counts = Counter(token for piece in held_out for token in tokenizer.tokenize(piece))
    commonest = counts.most_common(1)[0][1] / counts.total()
    assert quality.tokens > 200
    assert quality.accuracy > 2 * commonest


@pytest.mark.slow
def test_pytorch_fills_the_blanks_it_was_measured_on(made, settings):
    """The measured accuracy, found again by PyTorch on blanks of our own."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(made[0])
    model = AutoModelForMaskedLM.from_pretrained(made[0], use_safetensors=True).eval()
    generator, right, hidden = np.random.default_rng(1), 0, 0
    for piece in training_pieces(CORPUS, "dev", None, settings)[:150]:
        ids = tokenizer(piece, truncation=True, max_length=64, return_tensors="pt")["input_ids"]
        places = 1 + generator.choice(ids.shape[1] - 2, 2, replace=False)
        blank = ids.clone()
        blank[0, places] = tokenizer.mask_token_id
        with torch.no_grad():
            found = model(blank).logits[0, places].argmax(-1)
        right += int((found == ids[0, places]).sum())
        hidden += 2
    deviation = 3 * np.sqrt(0.25 / hidden)
    assert right / hidden == pytest.approx(made[1].accuracy, abs=deviation)


@pytest.mark.slow
def test_the_folder_says_how_good_it_is(made, settings):
    quality = json.loads((made[0] / QUALITY).read_text())
    assert quality["largest_difference"] <= 1e-4
    assert f"{100 * made[1].accuracy:.1f} % of {made[1].tokens} hidden tokens" in described(made[0])
    config = json.loads((made[0] / "config.json").read_text())
    assert config["architectures"] == ["BertForMaskedLM"]


@pytest.mark.slow
def test_the_attack_ranks_by_it(made):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from mindflood.attack.resources.masked_lm import MaskedLM

    masked_lm = MaskedLM.from_folder(made[0], kept=7, device="cpu")
    texts = ["the film was very [MASK] and long .", "the soup was cold", "dull"]
    tokenizer = AutoTokenizer.from_pretrained(made[0])
    model = AutoModelForMaskedLM.from_pretrained(made[0], use_safetensors=True).eval()
    for text, ranking in zip(texts, masked_lm(texts), strict=True):
        ids = tokenizer(text, return_tensors="pt")  # alone: no padding
        with torch.no_grad():
            scores = model(**ids).logits[0]
        expected = scores[ranking.places].topk(7).indices
        assert torch.equal(ranking.tokens, expected)
        assert ("[MASK]" in text) == (len(ranking.places) == 1)
    assert [r.tokens.tolist() for r in masked_lm(texts[::-1])] == [
        r.tokens.tolist() for r in masked_lm(texts)[::-1]
    ]


def test_a_key_of_its_own_for_every_text_and_setting(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    (tmp_path / "data").mkdir()
    rows = "sentence\tlabel\n" + "".join(f"row {i} is good\t{i % 2}\n" for i in range(40))
    (tmp_path / "data" / "train.tsv").write_text(rows)
    task, data = get_task("sst2"), str(tmp_path / "data")
    first = cached_folder(task, data, settings)
    assert first == cached_folder(task, data, settings)
    other = MaskedLMSettings(**{**vars(settings), "steps": 121})
    assert cached_folder(task, data, other) != first
    (tmp_path / "data" / "train.tsv").write_text(rows.replace("good", "bad"))
    assert cached_folder(task, data, settings) != first


def test_no_framework_is_imported_for_the_key():
    program = (
        "import sys; from mindflood.masked_lm import settings, command;"
        "print([m for m in ('torch', 'mindspore', 'textattack') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_folder_that_is_no_masked_language_model(tiny_encoder):
    from mindflood.attack.resources.masked_lm import MaskedLM

    with pytest.raises(UserError, match=r"no masked language model.*mindflood masked-lm"):
        MaskedLM.from_folder(tiny_encoder, kept=3)


def test_a_roberta_is_refused_before_training(tmp_path):
    from transformers import RobertaConfig, RobertaModel

    from mindflood.masked_lm.model import load

    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 20}
    RobertaModel(RobertaConfig(**shape, intermediate_size=8)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="use the embedded encoder or another BERT"):
        load(str(tmp_path), 0)
