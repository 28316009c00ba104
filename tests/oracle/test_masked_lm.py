"""The masked language model against Hugging Face's on PyTorch, and what is hidden from it."""

import mindspore as ms
import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from mindspore import Tensor
from safetensors.numpy import save_file

from mindflood.masked_lm.masking import Masking
from mindflood.masked_lm.model import BertForMaskedLM, MaskedCrossEntropy
from mindflood.models.classifier import load_classifier

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 20,
    "initializer_range": 0.3,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SPECIAL = [0, 1, 2, 3, 4]
MASK = 4


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Our model over a random encoder, and PyTorch's read from what ours would export."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("masked-lm")
    config = transformers.BertConfig(**SIZES)
    transformers.BertModel(config).save_pretrained(folder / "encoder")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    ours = BertForMaskedLM(load_classifier(folder / "encoder", num_labels=2), seed=3)
    ours.bias.set_data(Tensor(np.linspace(-1, 1, 50, dtype=np.float32)))
    (folder / "exported").mkdir()
    save_file(
        dict(ours.weights()), folder / "exported" / "model.safetensors", metadata={"format": "pt"}
    )
    config.save_pretrained(folder / "exported")
    theirs, loading = transformers.BertForMaskedLM.from_pretrained(
        folder / "exported", output_loading_info=True
    )
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    return ours, theirs.eval()


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    ids = generator.integers(5, 50, (3, 12)).astype(np.int32)
    mask = np.ones_like(ids)
    mask[1, 7:], ids[1, 7:] = 0, 0
    return ids, mask, Masking(0.3, MASK, SPECIAL, 50)(ids, (1, 2))


def test_scores_equal_hugging_face(pair, batch):
    ours, theirs = pair
    ids, mask, hidden = batch
    ms.set_context(mode=ms.PYNATIVE_MODE)
    inputs = (hidden.input_ids, mask, np.zeros_like(ids), hidden.places)
    scores = ours(*map(Tensor, inputs)).asnumpy()
    with torch.no_grad():
        everywhere = theirs(torch.tensor(hidden.input_ids).long(), torch.tensor(mask)).logits
    expected = everywhere.reshape(-1, 50)[torch.tensor(hidden.places).long()].numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-4)


def test_the_gradient_equals_hugging_face_s_with_the_decoder_tied(pair, batch):
    ours, theirs = pair
    ids, mask, hidden = batch
    ms.set_context(mode=ms.PYNATIVE_MODE)
    real = hidden.weights > 0
    labels = np.full(ids.size, -100)
    labels[hidden.places[real]] = hidden.labels[real]
    theirs.zero_grad()
    loss = theirs(
        torch.tensor(hidden.input_ids).long(),
        torch.tensor(mask),
        labels=torch.tensor(labels.reshape(ids.shape)),
    ).loss
    loss.backward()
    network = MaskedCrossEntropy(ours)
    table = ours.encoder.backbone.embeddings.word_embeddings.weight
    inputs = [hidden.input_ids, mask, np.zeros_like(ids)]
    inputs += [hidden.places, hidden.labels, hidden.weights]
    gradient = ms.value_and_grad(network, None, [table, ours.bias])
    value, (of_table, of_bias) = gradient(*map(Tensor, inputs))
    assert float(value.asnumpy()) == pytest.approx(float(loss), abs=1e-4)
    expected = theirs.bert.embeddings.word_embeddings.weight.grad.numpy().copy()
    expected[0] = 0  # PyTorch gives the padding's row the decoder's gradient only
    found = of_table.asnumpy().copy()
    found[0] = 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        of_bias.asnumpy(), theirs.cls.predictions.bias.grad.numpy(), rtol=0, atol=1e-4
    )


def test_pooler_and_classifier_are_neither_trained_nor_exported(pair):
    ours, _ = pair
    names = {parameter.name for parameter in ours.trainable_params()}
    assert not [name for name in names if "pooler" in name or name.startswith("classifier")]
    assert names == {name for name, _ in ours.weights()}


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 8),
    length=st.integers(3, 20),
    share=st.sampled_from([0.15, 0.5]),
    seed=st.integers(0, 999),
)
def test_what_is_hidden(rows, length, share, seed):
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, 50, (rows, length)).astype(np.int32)
    ids[:, 0] = 2
    masking = Masking(share, MASK, SPECIAL, 50)
    hidden = masking(ids, (seed, 1))
    again = masking(ids, (seed, 1))
    assert np.array_equal(hidden.input_ids, again.input_ids)
    assert len(hidden.places) == max(1, int(np.ceil(share * rows * length)))
    real = hidden.weights > 0
    places, labels = hidden.places[real], hidden.labels[real]
    ordinary = int((ids > 4).sum())
    assert len(set(places.tolist())) == len(places) <= ordinary
    assert len(places) == min(ordinary, max(1, round(share * ordinary)), len(hidden.places))
    assert np.array_equal(ids.reshape(-1)[places], labels)
    assert (labels > 4).all()
    changed = np.flatnonzero(hidden.input_ids.reshape(-1) != ids.reshape(-1))
    assert set(changed) <= set(places.tolist())
    if len(places):
        assert hidden.weights.sum() == pytest.approx(1, abs=1e-5)


def test_eighty_ten_ten():
    """Devlin et al. 2019, §3.1, on 15,000 hidden tokens; the bounds are four deviations wide."""
    ids = np.random.default_rng(0).integers(5, 5000, (1000, 100)).astype(np.int32)
    hidden = Masking(0.15, MASK, SPECIAL, 5000)(ids, (0, 0))
    now = hidden.input_ids.reshape(-1)[hidden.places]
    shares = [(now == MASK).mean(), (now == hidden.labels).mean()]
    assert shares == [pytest.approx(0.8, abs=0.013), pytest.approx(0.1, abs=0.01)]
    random = now[(now != MASK) & (now != hidden.labels)]
    assert random.min() > 4
    assert len(set(random.tolist())) > 1000
