"""A RUN folder or MindSpore checkpoint as a Hugging Face folder, verified in PyTorch."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor
from safetensors.numpy import save_file

from mindflood.bridge.model_card import model_card
from mindflood.config import Config
from mindflood.config_file import from_yaml
from mindflood.data.batching import encode, load_tokenizer
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError
from mindflood.files import read_json, whole_folder, write_json, write_text
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.pretrained import from_pretrained, resolve_encoder
from mindflood.models.tokenizer_files import TOKENIZER_FILES
from mindflood.report.cards import Card, read_card
from mindflood.training.checkpoint import read_checkpoint
from mindflood.training.run_folder import epoch_weights
from mindflood.training.state import checkpoints

TOLERANCE = 1e-4
VERIFIED_ROWS = 64
_ARCHITECTURES = {
    "bert": "BertForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
}
# MindSpore's own layers name these parameters otherwise than Hugging Face.
_MINDSPORE_NAMES = {"gamma": "weight", "beta": "bias", "embedding_table": "weight"}


@dataclass(frozen=True)
class Verification:
    """How far PyTorch's logits are from MindSpore's, on ``rows`` real inputs."""

    rows: int
    largest_difference: float


@dataclass(frozen=True)
class _Source:
    """What is exported: weights, where the architecture and tokenizer are, and the task."""

    checkpoint: Path
    encoder: Path
    task: Task
    data: str | None
    max_length: int
    card: Card | None
    layers: int | None = None
    epoch: str = ""


def export_torch(
    run: str | Path,
    out: str | Path,
    *,
    epoch: int | None = None,
    encoder: str | None = None,
    encoder_layers: int | None = None,
    task: str | None = None,
    data: str | None = None,
) -> Verification:
    """Write a folder that ``AutoModelForSequenceClassification.from_pretrained`` loads.

    The folder appears only once a separate PyTorch process has loaded it, with no missing and no
    unexpected key, and its logits on real rows of the task are within 1e-4 of MindSpore's.

    Args:
        run: a RUN folder, or a MindSpore ``.ckpt`` file of a BERT or RoBERTa classifier.
        out: the folder to write; replaced where it is an earlier export.
        epoch: for a RUN folder: the kept weights of that epoch (from 1); None is the final model.
        encoder, encoder_layers, task, data: for a ``.ckpt`` file: where architecture and tokenizer
            come from, how many of its layers there are, and the task whose labels and rows are
            used; for a RUN folder its config tells.

    Raises:
        UserError: the run is incomplete, a file is corrupt, the weights do not fit, ``out`` is some
            other folder, or PyTorch disagrees.
    """
    run, out = Path(run), Path(out)
    if run.is_dir():
        source = _of_run(run, epoch)
    elif epoch is not None:
        raise UserError(f"{run}: a .ckpt file has no epochs; --epoch is for a RUN folder")
    else:
        source = _of_checkpoint(run, encoder, encoder_layers, task, data)
    if out.exists() and not (out / "config.json").exists() and any(out.iterdir()):
        raise UserError(f"{out}: is not empty and no earlier export; choose another folder")
    model = from_pretrained(
        source.encoder, label_names=source.task.label_names, layers=source.layers
    )
    _load(model, source.checkpoint)
    split = source.task.attacked_split
    rows = load_examples(source.task, split, source.data, limit=VERIFIED_ROWS, whole_file=True)
    with whole_folder(out) as beside:
        _write_model(beside, model, source)
        logits = _logits(model, source, rows)
        result = _verify_in_pytorch(beside, rows, logits, source.max_length)
        write_text(
            beside / "README.md", model_card(source.card, source.task.name, result, source.epoch)
        )
    return result


def _of_run(run: Path, epoch: int | None) -> _Source:
    config: Config = from_yaml(run / "config.yaml")
    if not (run / "card.json").exists():
        raise UserError(
            f"{run}: the run is not complete (no card.json); finish it with the same "
            "'mindflood train' command"
        )
    card = read_card(run / "card.json")
    if epoch is None:
        found = checkpoints(run / "checkpoints")
        if not found:
            raise UserError(f"{run / 'checkpoints'}: no checkpoint here; train the run again")
        weights, when = found[-1][1], ""
    else:
        weights, when = epoch_weights(run, epoch), f"{epoch} of {config.training.epochs}"
        card = {**card, "clean_accuracy": None, "attacks": {}}  # those of the final model
    return _Source(
        weights,
        resolve_encoder(config.encoder),
        get_task(config.task.name),
        config.task.data,
        config.task.max_length,
        card,
        config.encoder_layers,
        when,
    )


def _of_checkpoint(
    path: Path, encoder: str | None, layers: int | None, task: str | None, data: str | None
) -> _Source:
    if not path.exists():
        raise UserError(f"{path}: no such RUN folder or .ckpt file")
    if encoder is None or task is None:
        raise UserError(
            f"{path}: a bare checkpoint says nothing of its architecture, tokenizer and labels; "
            "add --encoder FOLDER and --task NAME"
        )
    return _Source(path, resolve_encoder(encoder), get_task(task), data, 128, None, layers)


def _load(model: BertForSequenceClassification, checkpoint: Path) -> None:
    arrays = {_hugging_face_name(k): v for k, v in read_checkpoint(checkpoint).items()}
    for parameter in model.get_parameters():
        value = arrays.get(parameter.name)
        if value is None or value.shape != tuple(parameter.shape):
            had = "nothing" if value is None else f"shape {list(value.shape)}"
            raise UserError(
                f"{checkpoint}: has {had} for {parameter.name}, expected shape "
                f"{list(parameter.shape)}: the checkpoint is of another architecture or label set"
            )
        parameter.set_data(Tensor(value.astype(np.float32)))


def _hugging_face_name(name: str) -> str:
    stem, _, last = name.rpartition(".")
    return f"{stem}.{_MINDSPORE_NAMES.get(last, last)}"


def _write_model(folder: Path, model: BertForSequenceClassification, source: _Source) -> None:
    arrays = {p.name: p.asnumpy() for p in model.get_parameters()}
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    layers = model.config.num_hidden_layers
    write_json(folder / "config.json", _hugging_face_config(source, layers))
    for name in TOKENIZER_FILES:
        if (source.encoder / name).exists():
            shutil.copyfile(source.encoder / name, folder / name)


def _hugging_face_config(source: _Source, layers: int) -> dict[str, Any]:
    """The encoder's own configuration with the classifier's architecture, depth and labels."""
    stated: dict[str, Any] = dict(read_json(source.encoder / "config.json"))
    for key in ("_name_or_path", "transformers_version", "auto_map"):
        stated.pop(key, None)
    names = source.task.label_names
    kind = stated.setdefault("model_type", "bert")
    return stated | {
        "architectures": [_ARCHITECTURES[kind]],
        "num_hidden_layers": layers,
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "problem_type": "single_label_classification",
    }


def _logits(model: BertForSequenceClassification, source: _Source, rows: Examples) -> np.ndarray:
    encoded = encode(rows, load_tokenizer(source.encoder), source.max_length)
    every = np.arange(len(rows))
    ids, mask, segments = encoded.padded(every, int(encoded.lengths.max()))
    model.set_train(False)
    with _PyNative():
        return model(Tensor(ids), Tensor(mask), Tensor(segments)).asnumpy()


class _PyNative:
    """One forward pass is not worth compiling a graph."""

    def __enter__(self) -> None:
        self.mode = ms.get_context("mode")
        ms.set_context(mode=ms.PYNATIVE_MODE)

    def __exit__(self, *error: object) -> None:
        ms.set_context(mode=self.mode)


def _verify_in_pytorch(
    folder: Path, rows: Examples, logits: np.ndarray, max_length: int
) -> Verification:
    """Compare in a process of its own: this one never imports torch."""
    question = {"texts": rows.texts, "logits": logits.tolist(), "max_length": max_length}
    answer = subprocess.run(
        [sys.executable, "-P", "-m", "mindflood.bridge.verify", str(folder)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"the export was not written: PyTorch could not load it: {last}")
    found: Mapping[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    if found["wrong_keys"]:
        raise UserError(
            f"the export was not written: wrong keys for PyTorch: {found['wrong_keys']}"
        )
    difference = float(found["largest_difference"])
    if not difference <= TOLERANCE:
        raise UserError(
            f"the export was not written: PyTorch's logits differ from MindSpore's by "
            f"{difference:.1e}, more than {TOLERANCE:g}"
        )
    return Verification(len(rows), difference)
