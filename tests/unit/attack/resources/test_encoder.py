"""The sentence vectors against NumPy."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from mindflood.attack.resources import encoder as encoder_module
from mindflood.attack.resources.encoder import Place, SentenceVectors
from tests.unit.attack_models import SHAPE, save_tokenizer

SENTENCES = ["the film was good", "dull", "the actor is not very bad , the plot was warm ."]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    shape = {key: value for key, value in SHAPE.items() if key != "num_labels"}
    BertModel(BertConfig(**shape)).save_pretrained(folder)
    save_tokenizer(folder)
    return SentenceVectors(folder, device="cpu")


def test_vectors_are_the_mean_of_the_unpadded_states(encoder):
    vectors = encoder.encode(SENTENCES)
    for sentence, vector in zip(SENTENCES, vectors, strict=True):
        inputs = encoder.tokenizer(sentence, return_tensors="pt")  # alone: no padding
        with torch.no_grad():
            states = encoder.model(**inputs).last_hidden_state[0].numpy()
        mean = states.mean(0)
        np.testing.assert_allclose(vector.numpy(), mean / np.linalg.norm(mean), atol=1e-5)


def test_remembered_vectors_equal_fresh_ones(encoder, monkeypatch):
    first = encoder(SENTENCES)
    monkeypatch.setattr(encoder.model, "forward", None)  # encoding again would fail
    again = encoder([SENTENCES[2], SENTENCES[0], SENTENCES[2]])
    assert torch.equal(again, first[[2, 0, 2]])
    monkeypatch.undo()
    torch.testing.assert_close(torch.stack(encoder.encode(SENTENCES)), first, atol=1e-5, rtol=0)


def test_a_word_s_vector_is_the_mean_of_its_tokens_states(encoder):
    text = "the actor is very unactorly"
    places = [Place(text, text.index(word), text.index(word) + len(word)) for word in text.split()]
    found = encoder.of_words(places)
    inputs = encoder.tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = inputs.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        states = encoder.model(**inputs).last_hidden_state[0].numpy()
    for place, vector in zip(places, found, strict=True):
        own = [i for i, (a, b) in enumerate(offsets) if a < b and place.start <= a < place.end]
        mean = states[own].mean(0)
        np.testing.assert_allclose(vector.numpy(), mean / np.linalg.norm(mean), atol=1e-5)


def test_a_word_behind_what_is_read_has_the_last_token_s_vector(encoder, monkeypatch):
    monkeypatch.setattr(encoder_module, "_MAX_TOKENS", 16)
    text = "film " * 20
    found = encoder.of_words([Place(text, 90, 94), Place(text, 95, 99)])
    assert torch.equal(found[0], found[1])
