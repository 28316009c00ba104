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
from mindflood.cards.degenerate import signs_in_answers
from mindflood.data.batching import encode_rows, load_tokenizer
from mindflood.data.encodings import EncodedRows, most_choices
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import whole_folder, write_text
from mindflood.kinds import Kind
from mindflood.metrics import measured, undefined
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.own_folder import check_replaceable, write_mark
from mindflood.terminal import tell
from mindflood.training.evaluation import answers

VERIFIED_ROWS = 64
_CLASSES: dict[Kind, str] = {
    "classification": "ForSequenceClassification",
    "regression": "ForSequenceClassification",
    "choice": "ForMultipleChoice",
    "tagging": "ForTokenClassification",
}


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
    task: str | Task | None = None,
    data: str | None = None,
    max_length: int | None = None,
) -> Verification:
    """Write a folder that a class of Hugging Face loads, the one of the task's kind.

    That is ``AutoModelForSequenceClassification``, of a regression with one output,
    ``AutoModelForMultipleChoice`` or ``AutoModelForTokenClassification``.

    The folder appears only once a separate PyTorch process has loaded it, with no missing and no
    unexpected key. Where its logits on real rows of the task are not those of MindSpore, or are
    not those of a classifier of the task, the folder says so in its ``README.md`` and in its mark,
    ``mindflood.json``, and the run in its card. Its tokenizer cuts where the training did.

    Args:
        run: a RUN folder, or a MindSpore ``.ckpt`` file of a classifier.
        out: the folder to write; replaced where it is an earlier export and nothing else.
        epoch: for a RUN folder: the kept weights of that epoch (from 1); None is the final model.
        encoder: for a ``.ckpt`` file: where architecture and tokenizer come from; for a RUN folder
            its config tells, as it does what follows.
        encoder_layers: for a ``.ckpt`` file: how many of the encoder's layers there are.
        task: for a ``.ckpt`` file: whose labels and rows are used.
        data: for a ``.ckpt`` file: where that task's rows are.
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
    split = source.task.attacked_split
    rows = load_examples(source.task, split, source.data, limit=VERIFIED_ROWS, whole_file=True)
    model = load_classifier(
        source.encoder,
        label_names=source.task.label_names,
        layers=source.layers,
        kind=source.task.kind,
        choices=most_choices(rows) if source.task.kind == "choice" else 1,
    )
    load(model, source.checkpoint)
    with whole_folder(out, may_replace=check_replaceable) as beside:
        _write_model(beside, model, source)
        encoded, rows = _uncut(source, rows)
        logits, labels = _logits(model, encoded, rows)
        agreement = _verify_in_pytorch(beside, source, rows, compared(logits, labels))
        result = Verification(agreement, _warnings(agreement, logits, labels, source))
        text = model_card(
            source.card, source.task.name, agreement.sentence(), result.warnings, source.epoch,
            kind=source.task.kind, marks=source.task.marks,
        )  # fmt: skip
        write_text(beside / "README.md", text)
        write_mark(beside, _facts(source, result))
    if run.is_dir() and result.warnings:
        where = f"the model of epoch {epoch}: " if epoch is not None else ""
        merge_warnings(run / "card.json", [where + warning for warning in result.warnings])
    return result


def _write_model(folder: Path, model: BertForSequenceClassification, source: Source) -> None:
    """The encoder's own configuration gets the classifier's architecture, depth and labels."""
    names, kind = source.task.label_names, source.task.kind
    architecture = model.config.architecture
    depth = architecture.keys.get("num_hidden_layers") or "num_hidden_layers"
    changes = {
        "model_type": model.config.model_type,
        "architectures": [architecture.family + _CLASSES[kind]],
        depth: model.config.num_hidden_layers,
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
    }
    if _CLASSES[kind] == "ForSequenceClassification":
        regression = kind == "regression"
        changes["problem_type"] = "regression" if regression else "single_label_classification"
    weights = {parameter.name: parameter.asnumpy() for parameter in model.get_parameters()}
    write_model(
        folder, weights, source.encoder, changes, source.max_length, words=kind == "tagging"
    )


def _uncut(source: Source, rows: Examples) -> tuple[EncodedRows, Examples]:
    """The rows as token ids; of questions only those that fit, where there are some.

    A RoBERTa's question is one text for Hugging Face's tokenizer, which would cut its answer.
    """

    def encoded(rows: Examples) -> EncodedRows:
        tokenizer = load_tokenizer(source.encoder)
        return encode_rows(source.task, rows, tokenizer, source.max_length, places)

    places = most_choices(rows) if source.task.kind == "choice" else 0
    whole = encoded(rows)
    fitting = np.flatnonzero(whole.lengths < source.max_length)
    if source.task.kind != "choice" or not len(fitting):
        return whole, rows
    rows = rows.take(fitting)
    return encoded(rows), rows


def _logits(
    model: BertForSequenceClassification, encoded: EncodedRows, rows: Examples
) -> tuple[np.ndarray, np.ndarray]:
    """MindSpore's logits, and the labels as :func:`mindflood.models.loss.row_losses` has them."""
    every, length = np.arange(len(rows)), int(encoded.lengths.max())
    inputs = [array.reshape(-1, length) for array in encoded.padded(every, length)]
    model.set_train(False)
    with _PyNative():
        logits = model(*map(Tensor, inputs)).asnumpy()
    return logits, encoded.targets(rows.labels, every, length)


def compared(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The logits that count: of tags those of words, [words, k]; a missing choice's are 0."""
    if logits.ndim == 3:
        return logits[labels >= 0]
    if labels.ndim == 2:
        return np.where(labels >= 0, logits, 0)
    return logits


class _PyNative:
    """One forward pass is not worth compiling a graph."""

    def __enter__(self) -> None:
        self.mode = ms.get_context("mode")
        ms.set_context(mode=ms.PYNATIVE_MODE)

    def __exit__(self, *error: object) -> None:
        ms.set_context(mode=self.mode)


def _verify_in_pytorch(
    folder: Path, source: Source, rows: Examples, logits: np.ndarray
) -> Agreement:
    """Compare in a process of its own: this one never imports torch."""
    question = json.dumps(
        {
            "kind": source.task.kind,
            "texts": rows.texts,
            "logits": logits.tolist(),
            "marks": source.task.marks,
        }
    )
    return told_by_pytorch("mindflood.bridge.verify", str(folder), question=question)


def _warnings(
    agreement: Agreement, logits: np.ndarray, labels: np.ndarray, source: Source
) -> tuple[str, ...]:
    found = [] if agreement.holds else [agreement.sentence()]
    task = source.task
    pairs = [answers(*row) for row in zip(logits, labels, strict=True)]
    predictions, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    choices = 1 / np.mean(1 / (labels >= 0).sum(axis=1)) if task.kind == "choice" else 1.0
    signs = signs_in_answers(task.kind, predictions, right, task.label_names, choices)
    untold = source.card is None and not source.of_task  # what the checkpoint was trained on
    if untold and not signs and task.kind == "classification":
        signs = _no_better_than_one_answer(predictions, right, task.label_names)
    signs += undefined(measured(task.metrics, predictions, right), predictions)
    found += [f"on {len(labels)} rows of {task.name}, {sign}" for sign in signs]
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
