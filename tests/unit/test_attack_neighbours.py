"""The neighbour table and the sentence vectors against NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from mindflood.attack import neighbours
from mindflood.attack.encoder import SentenceVectors
from mindflood.attack.neighbours import load_neighbour_table, nearest, whole_words
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


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(4, 30), count=st.integers(1, 3), seed=st.integers(0, 99))
def test_nearest_equals_sorting_all_cosines(rows, count, seed):
    points = np.random.default_rng(seed).normal(size=(rows, 5))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cosines = points @ points.T
    np.fill_diagonal(cosines, -2)
    expected = np.argsort(-cosines, axis=1)[:, :count]
    assert nearest(torch.from_numpy(points), count).tolist() == expected.tolist()


def test_whole_words_are_english_letters_only():
    vocabulary = dict.fromkeys(
        ["film", "##ing", "a", "[CLS]", "don't", "3d", "über", "電影", "zoo"], 0
    )
    assert whole_words(vocabulary) == ["film", "zoo"]


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


def test_the_cached_table_equals_the_computed_one(encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    computed = load_neighbour_table(encoder)
    monkeypatch.setattr(neighbours, "_compute", None)  # a second computation would fail
    cached = load_neighbour_table(encoder)
    assert cached.words == computed.words == whole_words(encoder.tokenizer.get_vocab())
    assert np.array_equal(cached.neighbours, computed.neighbours)
    assert cached.fingerprint == computed.fingerprint
    index = cached.word2index("good")
    found = cached.nearest_neighbours(index, 4)
    cosines = [cached.get_cos_sim(index, other) for other in found]
    assert cosines == sorted(cosines, reverse=True)
    assert index not in found
    assert cached.get_mse_dist(index, found[0]) == pytest.approx(2 - 2 * cosines[0], abs=1e-4)
    with pytest.raises(KeyError):
        cached.word2index("zebra")


def test_the_table_is_named_by_its_content(encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    first = load_neighbour_table(encoder)
    (file,) = tmp_path.glob("*.safetensors")
    for part in ("words", "vectors", "neighbours"):
        tensors = load_file(file)
        changed = tensors[part].clone()
        changed.view(-1)[[0, 1]] = changed.view(-1)[[1, 0]]
        save_file({**tensors, part: changed}, file)
        assert load_neighbour_table(encoder).fingerprint != first.fingerprint
        save_file(tensors, file)
    assert load_neighbour_table(encoder).fingerprint == first.fingerprint


def test_the_table_is_of_float64_and_rounded(encoder, tmp_path, monkeypatch):
    """So that the last digits of a machine's float32 leave no trace in it."""
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    table = load_neighbour_table(encoder)
    model = BertModel.from_pretrained(encoder.folder).double().eval()
    for word, vector in zip(table.words, table.vectors, strict=True):
        with torch.no_grad():
            states = model(**encoder.tokenizer(word, return_tensors="pt")).last_hidden_state[0]
        mean = states.numpy().mean(0)
        exact = mean / np.linalg.norm(mean)
        assert exact.dtype == np.float64
        assert np.array_equal(vector, np.round(exact, 5).astype(np.float32))


@pytest.mark.parametrize("damage", ["truncated", "a key is missing"])
def test_a_damaged_cache_is_computed_again(encoder, tmp_path, monkeypatch, damage):
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    words = load_neighbour_table(encoder).words
    (file,) = tmp_path.glob("*.safetensors")
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-10])
    else:
        tensors = load_file(file)
        save_file({"vectors": tensors["vectors"].clone()}, file)
    assert load_neighbour_table(encoder).words == words
    assert set(load_file(file)) == {"words", "vectors", "neighbours"}
