"""MPNet, DistilBERT and ELECTRA all the way: train, export, predict, attack, analyse."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from mindflood.cli import main
from mindflood.models.pretrained import resolve_encoder
from tests.end_to_end.test_export import in_mindspore, in_pytorch
from tests.oracle.encoders import CLASSES, torch_config

SIZES = {"vocab_size": 30527, "hidden_size": 32, "intermediate_size": 64}


def an_encoder(kind: str, folder: Path) -> Path:
    """A small random one, bare, with a tokenizer that its hub's folder would have."""
    torch.manual_seed(0)
    more = {"embedding_size": 16} if kind == "electra" else {}
    config = torch_config(kind, **SIZES | {"max_position_embeddings": 66} | more)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    words = resolve_encoder("embedded") / "vocab.txt"
    if kind != "mpnet":
        shutil.copy(words, folder / "vocab.txt")
        return folder
    listed = words.read_text(encoding="utf-8").splitlines()
    named = {"[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
    lines = ["<s>", "<pad>", "</s>", "<unk>", *(w for w in listed if w not in named), "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "MPNetTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mpnet", "distilbert", "electra"])
def test_an_encoder_is_trained_exported_asked_and_attacked(kind, tmp_path, write_config, capsys):
    encoder = an_encoder(kind, tmp_path / "encoder")
    config = write_config(encoder=str(encoder), method="flooding-x", task__max_length=24)
    run = tmp_path / "runs" / "flooding-x-seed0"
    assert main(["train", str(config)]) == 0
    assert (run / "accordance.jsonl").read_text()
    assert main(["export", str(run)]) == 0
    assert "PyTorch's logits are within" in capsys.readouterr().out
    seen = in_pytorch(run / "model")
    assert not any(seen["loading"].values())
    assert seen["kind"] == f"{CLASSES[kind]}ForSequenceClassification"
    np.testing.assert_allclose(in_mindspore(run / "model"), seen["logits"], atol=1e-4)
    assert main(["predict", str(run), "a fine film ."]) == 0
    out = capsys.readouterr().out
    assert "positive" in out or "negative" in out
    words = ["--task", "corpus", "--recipe", "textbugger", "--num-examples", "2"]
    assert main(["attack", str(run), *words, "--profile", "offline"]) == 0
    assert main(["analyse", "noise", str(run)]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mpnet", "distilbert", "electra"])
def test_the_first_layer_alone_is_exported(kind, tmp_path, write_config):
    encoder = an_encoder(kind, tmp_path / "encoder")
    config = write_config(encoder=str(encoder), encoder_layers=1, training__epochs=1)
    run = tmp_path / "runs" / "finetune-seed0"
    assert main(["train", str(config)]) == 0
    assert main(["export", str(run)]) == 0
    key = "n_layers" if kind == "distilbert" else "num_hidden_layers"
    assert json.loads((run / "model" / "config.json").read_text())[key] == 1
    seen = in_pytorch(run / "model")
    assert not any(seen["loading"].values())
    np.testing.assert_allclose(in_mindspore(run / "model"), seen["logits"], atol=1e-4)
