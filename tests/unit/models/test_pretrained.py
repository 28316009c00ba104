"""Hugging Face folders: what loads, and what is refused with one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mindflood.errors import UserError
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.models.config import BertConfig
from mindflood.models.pretrained import described_encoder, resolve_encoder
from mindflood.models.weights import INDEX

CONFIG = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 12,
    "id2label": {"0": "bad", "1": "good", "2": "neutral"},
}


def tensors(prefix: str = "bert.", head: bool = True) -> dict[str, np.ndarray]:

    sizes = {key: value for key, value in CONFIG.items() if key != "id2label"}
    model = BertForSequenceClassification(BertConfig(**sizes, num_labels=3), seed=5)
    named = {p.name: p.asnumpy() for p in model.get_parameters()}
    kept = {n: a for n, a in named.items() if head or not n.startswith("classifier.")}
    return {n.replace("bert.", prefix, 1): array for n, array in kept.items()}


def write(folder: Path, weights: dict[str, np.ndarray], **changes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | changes))
    save_file(weights, folder / "model.safetensors")
    return folder


def values(model) -> dict[str, np.ndarray]:
    return {p.name: p.asnumpy() for p in model.get_parameters()}


def assert_same(model, expected: dict[str, np.ndarray]) -> None:
    loaded = values(model)
    for name, array in expected.items():
        np.testing.assert_array_equal(loaded[name], array, err_msg=name)


def test_a_fine_tuned_folder_keeps_its_head_and_labels(tmp_path):
    model = load_classifier(write(tmp_path / "m", tensors()))
    assert_same(model, tensors())
    assert model.config.label_names == ("bad", "good", "neutral")


@pytest.mark.parametrize("seed", [0, 1])
def test_a_bare_encoder_gets_a_head_from_the_seed(tmp_path, seed):
    folder = write(tmp_path / "m", tensors(prefix="", head=False))
    first, second = (values(load_classifier(folder, seed=s)) for s in (seed, seed))
    other = values(load_classifier(folder, seed=seed + 1))
    head = "classifier.weight"
    np.testing.assert_array_equal(first[head], second[head])
    assert np.abs(first[head] - other[head]).max() > 1e-4
    assert 0.005 < first[head].std() < 0.05  # initializer_range is 0.02
    assert not first["classifier.bias"].any()


def test_another_number_of_classes_gets_a_fresh_head(tmp_path):
    model = load_classifier(write(tmp_path / "m", tensors()), label_names=("no", "yes"))
    assert model.classifier.weight.shape == (2, 8)
    assert model.config.label_names == ("no", "yes")


def test_old_layer_norm_names_and_position_buffers_are_understood(tmp_path):
    old = {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): a
        for n, a in tensors().items()
    }
    old["bert.embeddings.position_ids"] = np.arange(12)[None]
    assert_same(load_classifier(write(tmp_path / "m", old)), tensors())


def test_heads_of_other_tasks_may_stay_behind(tmp_path):
    others = {"cls.predictions.bias": np.zeros(30, np.float32)}
    assert_same(
        load_classifier(write(tmp_path / "m", tensors() | others)),
        tensors(),
    )


def test_a_missing_pooler_is_initialised(tmp_path):
    weights = {n: a for n, a in tensors().items() if ".pooler." not in n}
    model = load_classifier(write(tmp_path / "m", weights))
    assert values(model)["bert.pooler.dense.weight"].std() > 0.005


def test_the_first_layers_alone_are_kept(tmp_path):
    folder = write(tmp_path / "m", tensors())
    model = load_classifier(folder, layers=1)
    kept = {n: a for n, a in tensors().items() if ".layer.1." not in n}
    assert values(model).keys() == kept.keys()
    assert_same(model, kept)
    assert model.config.num_hidden_layers == 1
    assert described_encoder(str(folder), 1) == f"{folder}, first 1 of 2 layers"
    assert described_encoder(str(folder), 2) == described_encoder(str(folder), None) == str(folder)


def test_one_rate_may_take_the_place_of_the_folders_dropouts(tmp_path):
    folder = write(tmp_path / "m", tensors(), hidden_dropout_prob=0.2, classifier_dropout=0.5)
    own, none = (
        load_classifier(folder).config,
        load_classifier(folder, dropout=0.0).config,
    )
    rates = ("hidden_dropout_prob", "attention_probs_dropout_prob", "head_dropout_prob")
    assert [getattr(own, rate) for rate in rates] == [0.2, 0.1, 0.5]
    assert [getattr(none, rate) for rate in rates] == [0, 0, 0]


@pytest.mark.parametrize("layers", [0, 3])
def test_layers_that_are_not_there_are_refused(tmp_path, layers):
    folder = write(tmp_path / "m", tensors())
    for use in (
        lambda: load_classifier(folder, layers=layers),
        lambda: described_encoder(str(folder), layers),
    ):
        with pytest.raises(UserError, match=f"expected 1 to 2, .* not {layers}") as caught:
            use()
        assert str(caught.value).startswith(f"{folder}: encoder_layers")


def test_shards_are_read_through_the_index(tmp_path):
    folder, weights = write(tmp_path / "m", tensors()), tensors()
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({n: weights[n] for n in part}, folder / file)
    index = {"weight_map": {n: file for file, part in shards.items() for n in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_same(load_classifier(folder), weights)
    (folder / "b.safetensors").unlink()
    with pytest.raises(UserError, match=r"b\.safetensors: no such file"):
        load_classifier(folder)


@pytest.mark.parametrize("name", ["../a.safetensors", "a\0b", "\ud800", "", None])
def test_a_shard_is_called_like_a_file_of_the_folder(tmp_path, name):
    folder = write(tmp_path / "m", tensors())
    (folder / "model.safetensors").unlink()
    (folder / INDEX).write_text(json.dumps({"weight_map": {"classifier.bias": name}}))
    with pytest.raises(UserError, match=f"{INDEX}: expected a weight_map from tensors to file"):
        load_classifier(folder)


def test_half_precision_files_become_float32(tmp_path):
    weights = {n: a.astype(np.float16) for n, a in tensors().items()}
    expected = {n: a.astype(np.float32) for n, a in weights.items()}
    assert_same(load_classifier(write(tmp_path / "m", weights)), expected)


def drop_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["bert.encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors")


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02.")


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def setting(**changes):
    def change(folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps(CONFIG | changes))

    return change


def add_tensor(name: str, array: np.ndarray):
    def change(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        save_file({**weights, name: array}, folder / "model.safetensors")

    return change


def adapter(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")


REFUSED = {
    "adapter": (adapter, "is an adapter .* of a model, not a model; put it"),
    "third-layer": (
        add_tensor("bert.encoder.layer.2.output.dense.weight", np.zeros((8, 16), np.float32)),
        r"no place for bert\.encoder\.layer\.2\.output\.dense\.weight \(1 such",
    ),
    "added-parts": (
        add_tensor("bert.encoder.layer.0.adapter.weight", np.zeros((2, 8), np.float32)),
        r"no place for bert\.encoder\.layer\.0\.adapter\.weight",
    ),
    "quantised": (
        add_tensor("bert.pooler.dense.scale", np.zeros(8, np.int8)),
        r"bert\.pooler\.dense\.scale has the type I8, expected floating-point",
    ),
    "pickle": (only_a_pickle, r"pytorch_model\.bin: pickled weights are not loaded"),
    "truncated": (truncate, r"model\.safetensors: truncated or corrupt"),
    "not-safetensors": (
        lambda f: (f / "model.safetensors").write_bytes(b"hello"),
        r"model\.safetensors: truncated or corrupt",
    ),
    "no-weights": (lambda f: (f / "model.safetensors").unlink(), r"expected model\.safetensors"),
    "no-config": (lambda f: (f / "config.json").unlink(), r"config\.json: no such file"),
    "config-not-json": (lambda f: (f / "config.json").write_text("{"), "expected a JSON file"),
    "tensor-missing": (drop_tensor, r"lack bert\.encoder\.layer\.1\.output\.dense\.weight"),
    "other-shape": (
        setting(vocab_size=31),
        r"bert\.embeddings\.word_embeddings\.weight has the shape \[30, 8\].*\[31, 8\]",
    ),
    "other-architecture": (setting(model_type="gpt2"), "model_type 'gpt2' is not supported"),
    "other-activation": (setting(hidden_act="swish"), "hidden_act 'swish' is not supported"),
    "relative-positions": (
        setting(position_embedding_type="relative_key"),
        "position_embedding_type 'relative_key' is not supported",
    ),
    "labels-with-a-gap": (setting(id2label={"0": "a", "2": "b"}), "id2label: expected the keys"),
    "labels-in-a-list": (setting(id2label=["1", "0"]), "id2label: expected the keys"),
    "text-for-a-number": (setting(hidden_size="8"), "hidden_size: expected an integer"),
    "heads-do-not-divide": (setting(num_attention_heads=3), "not a multiple"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_folders_are_refused_in_one_line(tmp_path, name):
    spoil, message = REFUSED[name]
    folder = write(tmp_path / "m", tensors())
    spoil(folder)
    with pytest.raises(UserError, match=message) as caught:
        load_classifier(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_encoders_are_found(tmp_path):
    assert (resolve_encoder("embedded") / "model.safetensors").exists()
    assert resolve_encoder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "no such folder"),
        ("/nowhere/at/all", "no such folder"),
        ("two words", "neither a folder nor a valid model id"),
        ("some/model", "download from the hub did not finish"),
    ],
)
def test_unknown_encoders_are_refused(name, message, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=message):
        resolve_encoder(name)
