"""Words and their sub-words against the fast tokenizer and plain loops."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from mindflood.analyse.neurons.tagger import Tagger, pooled, word_spans
from tests.unit.analyse.neurons.taggers import a_tagger

SENTENCES = [
    ["the", "filming", "is", "good", "."],
    ["a", "dull-warm", "plot"],
    ["filming"],
    ["very", "\u200b", "bad"],  # of the second word the tokenizer leaves nothing
    ["the", "actor"] * 9 + ["is", "filmings", "good"],  # more than the 24 tokens it takes
]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def tagger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return Tagger(str(a_tagger(tmp_path_factory.mktemp("tagger"), request.param)))


def test_spans_are_those_of_word_ids(tagger):
    tokenizer = AutoTokenizer.from_pretrained(tagger.folder, add_prefix_space=True)
    encoded = tagger.encode(SENTENCES)
    for at, words in enumerate(SENTENCES[:4]):
        word_ids = tokenizer(words, is_split_into_words=True).word_ids()
        expected = [
            [word, word_ids.index(word), len(word_ids) - word_ids[::-1].index(word)]
            for word in sorted({word for word in word_ids if word is not None})
        ]
        assert word_spans(encoded.encodings[at]).tolist() == expected


def test_words_beyond_the_length_are_left_out_and_so_is_one_that_is_cut(tagger):
    tokenizer = AutoTokenizer.from_pretrained(tagger.folder, add_prefix_space=True)
    whole = [
        word
        for word in range(len(SENTENCES[4]))
        if len(tokenizer(SENTENCES[4][: word + 1], is_split_into_words=True).input_ids) <= 24
    ]
    assert 0 < len(whole) < len(SENTENCES[4])
    spans = word_spans(tagger.encode(SENTENCES).encodings[4])
    assert spans[:, 0].tolist() == whole


def test_a_cut_word_is_left_out(tmp_path):
    tagger = Tagger(str(a_tagger(tmp_path / "model")))
    sentence = ["the"] * 21 + ["filming"]  # film and ##ing: the second does not fit
    assert len(tagger.encode([sentence]).input_ids[0]) == 24
    assert word_spans(tagger.encode([sentence]).encodings[0])[:, 0].tolist() == list(range(21))


@pytest.mark.parametrize("subwords", ["last", "first", "average"])
def test_activations_are_the_models_hidden_states(tagger, subwords, capsys):
    found = tagger.words(SENTENCES, subwords, "words")
    model = AutoModelForTokenClassification.from_pretrained(tagger.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(tagger.folder, add_prefix_space=True)
    row = 0
    for at, words in enumerate(SENTENCES):
        encoded = tokenizer(
            words, is_split_into_words=True, return_tensors="pt", truncation=True, max_length=24
        )
        with torch.no_grad():
            out = model(**encoded, output_hidden_states=True)
        ids = encoded.word_ids()
        kept = [place for place in found.places.tolist() if place[0] == at]
        for _, word in kept:
            tokens = [token for token, of in enumerate(ids) if of == word]
            chosen = {"last": tokens[-1:], "first": tokens[:1], "average": tokens}[subwords]
            layers = [state[0, chosen].mean(0) for state in out.hidden_states]
            np.testing.assert_allclose(
                found.activations[row : row + 1][0], torch.cat(layers).numpy(), atol=2e-5
            )
            assert found.predictions[row] == int(out.logits[0, tokens[0]].argmax())
            row += 1
    assert row == len(found.places) == found.activations.shape[0]
    assert tagger.neurons == found.activations.shape[1] == 3 * 32


def test_no_word_is_no_row():
    states = np.zeros((3, 4, 8), np.float32)
    for subwords in ("last", "first", "average"):
        assert pooled(states, np.zeros((0, 3), np.int64), subwords).shape == (0, 24)
