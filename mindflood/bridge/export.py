"""A RUN folder or MindSpore checkpoint as a Hugging Face folder, verified in PyTorch."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor

from mindflood.bridge.agreement import Agreement
from mindflood.bridge.checkpoint_weights import load
from mindflood.bridge.hugging_face import told_by_pytorch, write_model
from mindflood.bridge.model_card import model_card
from mindflood.bridge.source import Source, of_checkpoint, of_run
from mindflood.cards.cards import merge_warnings
from mindflood.cards.degenerate import signs_of_degeneracy
from mindflood.data.batching import encode, load_tokenizer
from mindflood.data.sources import Examples, load_examples
from mindflood.errors import UserError
from mindflood.files import whole_folder, write_text
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.own_folder import check_replaceable, write_mark
from mindflood.terminal import tell

VERIFIED_ROWS = 64


@dataclass(frozen=True)
class Verification:
    """How PyTorch's logits agree with MindSpore's on real rows, and what is doubtful.

    ``warnings`` are sentences without a full stop: the two do not agree, or the predictions are
    not those of a classifier of the task.
    """

    agreement: Agreement
    warnings: tuple[str, ...]


def export_torch(
    run: str | Path,
    out: str | Path,
    *,
    epoch: int | None = None,
    encoder: str | None = None,
    encoder_layers: int | None = None,
    task: str | None = None,
    data: str | None = None,
    max_length: int | None = None,
) -> Verification:
    """Write a folder that ``AutoModelForSequenceClassification.from_pretrained`` loads.

    The folder appears only once a separate PyTorch process has loaded it, with no missing and no
    unexpected key. Where its logits on real rows of the task are not those of MindSpore, or are
    not those of a classifier of the task, the folder says so in its ``README.md`` and in its mark,
    ``mindflood.json``, and the run in its card. Its tokenizer cuts where the training did.

    Args:
        run: a RUN folder, or a MindSpore ``.ckpt`` file of a classifier.
        out: the folder to write; replaced where it is an earlier export and nothing else.
        epoch: for a RUN folder: the kept weights of that epoch (from 1); None is the final model.
        encoder, encoder_layers, task, data: for a ``.ckpt`` file: where architecture and tokenizer
            come from, how many of its layers there are, and the task whose labels and rows are
            used; for a RUN folder its config tells.
        max_length: for a ``.ckpt`` file: the tokens that it was trained with; None: as many as the
            encoder and its tokenizer take.

    Raises:
        UserError: the run is incomplete, a file is corrupt, the weights do not fit, ``out`` is some
            other folder, or PyTorch cannot load the export.
    """
    run, out = Path(run), Path(out)
    if run.is_dir():
        if max_length is not None:
            raise UserError(f"{run}: its config tells the length; --max-length is for a .ckpt file")
        source = of_run(run, epoch)
    elif epoch is not None:
        raise UserError(f"{run}: a .ckpt file has no epochs; --epoch is for a RUN folder")
    else:
        source = of_checkpoint(run, encoder, encoder_layers, task, data, max_length)
    check_replaceable(out)
    model = load_classifier(
        source.encoder, label_names=source.task.label_names, layers=source.layers
    )
    load(model, source.checkpoint)
    split = source.task.attacked_split
    rows = load_examples(source.task, split, source.data, limit=VERIFIED_ROWS, whole_file=True)
    with whole_folder(out, may_replace=check_replaceable) as beside:
        _write_model(beside, model, source)
        logits = _logits(model, source, rows)
        agreement = _verify_in_pytorch(beside, rows, logits)
        result = Verification(agreement, _warnings(agreement, logits, rows, source))
        text = model_card(
            source.card, source.task.name, agreement.sentence(), result.warnings, source.epoch
        )
        write_text(beside / "README.md", text)
        write_mark(beside, _facts(source, result))
    if run.is_dir() and result.warnings:
        where = f"the model of epoch {epoch}: " if epoch is not None else ""
        merge_warnings(run / "card.json", [where + warning for warning in result.warnings])
    return result


def _write_model(folder: Path, model: BertForSequenceClassification, source: Source) -> None:
    """The encoder's own configuration gets the classifier's architecture, depth and labels."""
    names, architecture = source.task.label_names, model.config.architecture
    depth = architecture.keys.get("num_hidden_layers") or "num_hidden_layers"
    changes = {
        "model_type": model.config.model_type,
        "architectures": [architecture.classifier],
        depth: model.config.num_hidden_layers,
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "problem_type": "single_label_classification",
    }
    weights = {parameter.name: parameter.asnumpy() for parameter in model.get_parameters()}
    write_model(folder, weights, source.encoder, changes, source.max_length)


def _logits(model: BertForSequenceClassification, source: Source, rows: Examples) -> np.ndarray:
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


def _verify_in_pytorch(folder: Path, rows: Examples, logits: np.ndarray) -> Agreement:
    """Compare in a process of its own: this one never imports torch."""
    question = json.dumps({"texts": rows.texts, "logits": logits.tolist()})
    return told_by_pytorch("mindflood.bridge.verify", str(folder), question=question)


def _warnings(
    agreement: Agreement, logits: np.ndarray, rows: Examples, source: Source
) -> tuple[str, ...]:
    found = [] if agreement.holds else [agreement.sentence()]
    predictions, names = logits.argmax(axis=1), source.task.label_names
    signs = signs_of_degeneracy(predictions, rows.labels, names)
    if source.card is None and not signs:  # nobody has told us what the checkpoint was trained on
        signs = _no_better_than_one_answer(predictions, rows.labels, names)
    found += [f"on {len(rows)} rows of {source.task.name}, {sign}" for sign in signs]
    return tuple(found)


def _no_better_than_one_answer(
    predictions: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> list[str]:
    counts = np.bincount(labels, minlength=len(names))
    accuracy, share = float(np.mean(predictions == labels)), float(counts.max() / len(labels))
    if accuracy > share:
        return []
    return [
        f"the accuracy of {100 * accuracy:.1f} % is no better than to answer "
        f"'{names[int(counts.argmax())]}' always ({100 * share:.1f} %): it may be of another task"
    ]


def _facts(source: Source, result: Verification) -> dict[str, Any]:
    """What the mark tells a program; NaN, which JSON has not, is null."""
    agreement = dataclasses.asdict(result.agreement)
    return {
        "task": source.task.name,
        "max_length": source.max_length,
        "verification": {
            "agrees": result.agreement.holds,
            **{name: None if value != value else value for name, value in agreement.items()},
        },
        "warnings": list(result.warnings),
    }


def warn(out: Path, warnings: Sequence[str]) -> None:
    """Say on standard error what is doubtful about a model that was written."""
    for warning in warnings:
        tell(f"mindflood: warning: {out}: {warning}")
