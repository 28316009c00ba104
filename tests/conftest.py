"""What several tests share: a tiny encoder with a real vocabulary, and the command line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import yaml

os.environ.setdefault("GLOG_v", "3")
# MindSpore's messages need the implementation that is not the default, and a test of Ray, which has
# protobuf too, may come first. Only tests have both in one process.
os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes: a core each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine that is busy is slow: how long an example takes says nothing of the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

ROOT = Path(__file__).parents[1]
TINY = {
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
    "pad_token_id": 0,
}


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised 2-layer BERT with the embedded encoder's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    from mindflood.models.pretrained import resolve_encoder

    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    torch.manual_seed(0)
    BertModel(BertConfig(**TINY)).save_pretrained(folder, safe_serialization=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(resolve_encoder("embedded") / name, folder / name)
    return folder


@pytest.fixture
def write_config(tmp_path: Path, tiny_encoder: Path) -> Callable[..., Path]:
    """Write a small config, changed by ``section__key=value`` keywords; returns its path."""

    def write(name: str = "config.yaml", **changes: object) -> Path:
        config: dict = {
            "output": str(tmp_path / "runs"),
            "encoder": str(tiny_encoder),
            "task": {
                "name": "corpus", "train_examples": 96, "eval_examples": 32, "max_length": 32,
            },
            "method": "finetune",
            "training": {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3},
        }  # fmt: skip
        for dotted, value in changes.items():
            section = config
            *parents, key = dotted.split("__")
            for parent in parents:
                section = section.setdefault(parent, {})
            section[key] = value
        path = tmp_path / name
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.fixture
def mindflood() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mindflood", *map(str, words)],
            capture_output=True,
            text=True,
            env=os.environ | environment,
            check=False,
        )

    return run


def read_lines(path: Path) -> list[dict]:
    """The records of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def weights_of(checkpoint: Path) -> dict[str, np.ndarray]:
    """Network and optimizer arrays of a checkpoint, without the record of time."""
    from mindflood.training.checkpoint import read_checkpoint

    arrays = read_checkpoint(checkpoint)
    return {name: value for name, value in arrays.items() if "seconds" not in name}
