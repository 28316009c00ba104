"""The bridge, seen from PyTorch: the exported folder loads cleanly and says the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mindflood.cli import main
from mindflood.training.state import checkpoints

LOAD = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folder = sys.argv[1]
model, loading = AutoModelForSequenceClassification.from_pretrained(
    folder, output_loading_info=True
)
tokenizer = AutoTokenizer.from_pretrained(folder)
tokens = tokenizer(json.loads(sys.argv[2]), padding=True, return_tensors="pt")
with torch.no_grad():
    logits = model.eval()(**tokens).logits
print(json.dumps({
    "loading": {key: list(map(str, value)) for key, value in loading.items()},
    "labels": model.config.id2label, "logits": logits.tolist(), "kind": type(model).__name__,
}))
"""
TEXTS = ["a fine film .", "the food was not exactly good , but we liked the view", "dull"]


def in_pytorch(folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), json.dumps(TEXTS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def in_mindspore(folder: Path) -> np.ndarray:
    import mindspore as ms
    from mindspore import Tensor

    from mindflood.data.batching import encode, load_tokenizer
    from mindflood.data.sources import Examples
    from mindflood.models.pretrained import from_pretrained

    ms.set_context(mode=ms.PYNATIVE_MODE)
    rows = Examples(tuple((text,) for text in TEXTS), np.zeros(len(TEXTS), np.int64))
    encoded = encode(rows, load_tokenizer(folder), 32)
    ids, mask, segments = encoded.padded(np.arange(len(rows)), int(encoded.lengths.max()))
    return from_pretrained(folder)(Tensor(ids), Tensor(mask), Tensor(segments)).asnumpy()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = folder / "config.yaml"
    config.write_text(
        f"output: {folder}/runs\nencoder: {tiny_encoder}\nmethod: flooding\nflood_level: 0.5\n"
        "task: {name: corpus, train_examples: 64, eval_examples: 32, max_length: 32}\n"
        "training: {epochs: 1, batch_size: 16, learning_rate: 1e-3}\n"
    )
    assert main(["train", str(config)]) == 0
    return folder / "runs" / "flooding-seed0"


def test_a_run_becomes_a_hugging_face_folder(run, tmp_path, capsys):
    out = tmp_path / "model"
    assert main(["export", str(run), str(out)]) == 0
    assert "of MindSpore's on 64 rows" in capsys.readouterr().out
    seen = in_pytorch(out)
    assert not any(seen["loading"].values())
    assert seen["kind"] == "BertForSequenceClassification"
    assert seen["labels"] == {"0": "negative", "1": "positive"}
    card = (out / "README.md").read_text()
    assert "flooding (flood level: 0.5; seed 0)" in card
    assert "Clean accuracy" in card
    np.testing.assert_allclose(in_mindspore(out), seen["logits"], atol=1e-5)


def test_a_bare_checkpoint_becomes_a_hugging_face_folder(run, tiny_encoder, tmp_path):
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    out, whole = tmp_path / "model", tmp_path / "whole"
    words = ["export", str(checkpoint), str(out), "--encoder", str(tiny_encoder)]
    assert main([*words, "--task", "corpus"]) == 0
    assert main(["export", str(run), str(whole)]) == 0
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_run_of_the_first_layer_exports_that_layer_alone(tmp_path, write_config, capsys):
    config = write_config(encoder_layers=1, training__epochs=1)
    assert main(["train", str(config), "encoder_layers=3"]) == 2
    assert "encoder_layers: expected 1 to 2" in capsys.readouterr().err
    run, out, bare = tmp_path / "runs" / "finetune-seed0", tmp_path / "model", tmp_path / "bare"
    assert not run.exists(), "a mistake leaves nothing behind"
    assert main(["train", str(config)]) == 0
    trained = [path.read_bytes() for _, path in checkpoints(run / "checkpoints")]
    assert main(["export", str(run), str(out)]) == 0
    assert json.loads((out / "config.json").read_text())["num_hidden_layers"] == 1
    seen = in_pytorch(out)
    assert not any(seen["loading"].values())
    np.testing.assert_allclose(in_mindspore(out), seen["logits"], atol=1e-5)
    assert "first 1 of 2 layers" in (out / "README.md").read_text()
    card = json.loads((run / "card.json").read_text())
    assert card["encoder"].endswith(", first 1 of 2 layers")
    (run / "card.json").unlink()  # stopped just before its end: the checkpoint is taken up
    assert main(["train", str(config)]) == 0
    assert [path.read_bytes() for _, path in checkpoints(run / "checkpoints")] == trained
    assert main(["train", str(config), "encoder_layers=2"]) == 2
    assert "holds a run with encoder_layers 1, not 2" in capsys.readouterr().err
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    encoder = card["encoder"].split(",")[0]
    words = ["export", str(checkpoint), str(bare), "--encoder", encoder, "--task", "corpus"]
    assert main(words) == 2
    assert main([*words, "--encoder-layers", "1"]) == 0
    assert (bare / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_the_model_of_an_epoch_is_exported(tmp_path, write_config, run, capsys):
    config = write_config(training__keep_epochs=True)
    assert main(["train", str(config)]) == 0
    kept = tmp_path / "runs" / "finetune-seed0"
    outs = {"1": tmp_path / "1", "2": tmp_path / "2"}
    for epoch, out in outs.items():
        assert main(["export", str(kept), str(out), "--epoch", epoch]) == 0
        assert f"after epoch {epoch} of 2" in (out / "README.md").read_text()
        assert "Clean accuracy" not in (out / "README.md").read_text()
    assert main(["export", str(kept), str(tmp_path / "final")]) == 0
    final = (tmp_path / "final" / "model.safetensors").read_bytes()
    first, last = ((out / "model.safetensors").read_bytes() for out in outs.values())
    assert last == final != first
    capsys.readouterr()
    for where, message in (
        ([kept, "--epoch", "3"], "epoch 3 were not kept (those of 1, 2 were)"),
        ([run, "--epoch", "1"], "epoch 1 were not kept (none were)"),
        ([checkpoints(run / "checkpoints")[-1][1], "--epoch", "1"], "has no epochs"),
    ):
        path, *words = where
        assert main(["export", str(path), str(tmp_path / "none"), *words]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "none").exists()


def test_names_of_mindspores_own_layers_convert(run, tiny_encoder, tmp_path):
    """LayerNorms and embeddings called as MindSpore's own cells call them."""
    import mindspore as ms
    from mindspore import Tensor

    from tests.conftest import weights_of

    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    renamed = tmp_path / "own.ckpt"
    records = []
    for name, value in weights_of(checkpoint).items():
        if name.startswith(("bert.", "classifier.")):
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            name = name.replace("LayerNorm.bias", "LayerNorm.beta")
            name = name.replace("embeddings.weight", "embeddings.embedding_table")
            records.append({"name": name, "data": Tensor(value)})
    ms.save_checkpoint(records, str(renamed))
    assert sum(record["name"].endswith(("gamma", "table")) for record in records) > 5
    out, whole = tmp_path / "model", tmp_path / "whole"
    words = ["export", str(renamed), str(out), "--encoder", str(tiny_encoder)]
    assert main([*words, "--task", "corpus"]) == 0
    assert main(["export", str(run), str(whole)]) == 0
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_checkpoint_of_another_architecture_is_refused(run, tmp_path, capsys):
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    words = ["export", str(checkpoint), str(tmp_path / "out"), "--encoder", "embedded"]
    assert main([*words, "--task", "corpus"]) == 2
    assert "another architecture or label set" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_classifier_from_elsewhere_loads_with_its_head(tmp_path, tiny_encoder):
    """Fine-tuned elsewhere, in PyTorch: the Cell has its logits and label names."""
    make = """
import sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
torch.manual_seed(3)
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], num_labels=3,
    id2label={0: "no", 1: "maybe", 2: "yes"}, label2id={"no": 0, "maybe": 1, "yes": 2})
model.classifier.weight.data.normal_(std=0.5)
model.save_pretrained(sys.argv[2])
AutoTokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
"""
    theirs = tmp_path / "theirs"
    subprocess.run([sys.executable, "-c", make, str(tiny_encoder), str(theirs)], check=True,
                   capture_output=True)  # fmt: skip
    logits = in_mindspore(theirs)
    assert logits.shape == (3, 3)
    np.testing.assert_allclose(logits, in_pytorch(theirs)["logits"], atol=1e-5)
