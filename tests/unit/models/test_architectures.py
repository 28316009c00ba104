"""What a ``config.json`` of each architecture says, and what is refused of it."""

import json
from pathlib import Path

import pytest

from mindflood.errors import UserError
from mindflood.models.architectures import ARCHITECTURES
from mindflood.models.config import BertConfig


def stated(folder: Path, **keys: object) -> BertConfig:
    (folder / "config.json").write_text(json.dumps(keys))
    return BertConfig.from_folder(folder)


def test_distilberts_own_keys_are_read(tmp_path):
    config = stated(
        tmp_path,
        model_type="distilbert",
        dim=48,
        n_layers=3,
        n_heads=4,
        hidden_dim=96,
        activation="relu",
        dropout=0.3,
        attention_dropout=0.05,
        seq_classif_dropout=0.4,
    )
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (48, 3, 4)
    assert (config.intermediate_size, config.hidden_act) == (96, "relu")
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.3, 0.05)
    assert config.head_dropout_prob == 0.4
    assert stated(tmp_path, model_type="distilbert", hidden_size=24).hidden_size == 24


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bert", {"vocab_size": 30522, "max_length": 512, "word_size": 768}),
        ("roberta", {"vocab_size": 50265, "max_length": 510, "pad_token_id": 1}),
        ("mpnet", {"vocab_size": 30527, "max_length": 510, "pad_token_id": 1}),
        ("distilbert", {"num_hidden_layers": 6, "head_dropout_prob": 0.2, "max_length": 512}),
        ("electra", {"hidden_size": 256, "word_size": 128, "num_attention_heads": 4}),
    ],
)
def test_what_is_not_stated_is_as_in_hugging_face(kind, expected, tmp_path):
    config = stated(tmp_path, model_type=kind, pad_token_id=None)
    assert {name: getattr(config, name) for name in expected} == expected


def test_only_an_electra_has_words_of_another_size(tmp_path):
    keys = {"hidden_size": 48, "num_attention_heads": 4, "embedding_size": 16}
    assert stated(tmp_path, model_type="electra", **keys).word_size == 16
    assert stated(tmp_path, model_type="bert", **keys).word_size == 48


def test_mpnets_head_has_the_rate_of_its_states(tmp_path):
    keys = {"model_type": "mpnet", "hidden_dropout_prob": 0.1, "classifier_dropout": 0.5}
    assert stated(tmp_path, **keys).head_dropout_prob == 0.1


def test_a_head_may_have_a_rate_of_its_own(tmp_path):
    """As Hugging Face's DistilBertForTokenClassification and ElectraForMultipleChoice drop out."""
    keys = {"model_type": "distilbert", "dropout": 0.3, "seq_classif_dropout": 0.4}
    assert stated(tmp_path, **keys).head_dropout_prob == 0.4
    tagger = stated(tmp_path, **keys, architectures=["DistilBertForTokenClassification"])
    assert tagger.head_dropout_prob == 0.3
    assert tagger.with_dropout(0.05).head_dropout_prob == 0.05
    keys = {"model_type": "electra", "classifier_dropout": 0.4, "summary_last_dropout": 0.2}
    assert stated(tmp_path, **keys).head_dropout_prob == 0.4
    keys["architectures"] = ["ElectraForMultipleChoice"]
    assert stated(tmp_path, **keys).head_dropout_prob == 0.2
    del keys["summary_last_dropout"]
    assert stated(tmp_path, **keys).head_dropout_prob == 0.1


REFUSED = {
    "bert": ({"is_decoder": True}, "is_decoder True is not supported; choose"),
    "mpnet": (
        {"relative_attention_num_buckets": 16},
        "relative_attention_num_buckets 16 is not supported; .* 32",
    ),
    "mpnet ": ({"pad_token_id": 0}, "pad_token_id 0 is not supported; .* from 1"),
    "distilbert": ({"sinusoidal_pos_embds": True}, "sinusoidal_pos_embds True is not supported"),
    "electra": (
        {"position_embedding_type": "relative_key"},
        "position_embedding_type 'relative_key' is not supported",
    ),
    "electra ": ({"embedding_size": 512}, "embedding_size 512 above hidden_size 256 is not"),
    "electra  ": (
        {"summary_activation": "tanh"},
        "summary_activation 'tanh' is not supported; choose a model whose head of choices",
    ),
    "xlnet": ({}, f"'xlnet' is not supported; the supported are {', '.join(ARCHITECTURES)}"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_supported_is_refused_in_one_line(kind, tmp_path):
    keys, message = REFUSED[kind]
    with pytest.raises(UserError, match=message) as caught:
        stated(tmp_path, model_type=kind.strip(), **keys)
    assert str(tmp_path / "config.json") in str(caught.value)
    assert "\n" not in str(caught.value)
