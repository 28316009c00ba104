"""What is exported: a RUN folder or a checkpoint, with all that an export has to know of it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from mindflood.cards.cards import Card, read_card
from mindflood.config.load import from_yaml
from mindflood.config.settings import Config
from mindflood.data.batching import load_tokenizer
from mindflood.data.class_names import check_label_order
from mindflood.data.own import training_labels
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError
from mindflood.models.config import BertConfig
from mindflood.models.pretrained import resolve_encoder
from mindflood.models.tokenizer_files import check_vocabulary, stated_length
from mindflood.training.run_folder import epoch_weights
from mindflood.training.state import checkpoints

_LEAST = 3  # tokens: two special ones and one of the text


@dataclass(frozen=True)
class Source:
    """Weights, where the architecture and tokenizer are, the task, and the length in tokens.

    ``epoch`` ("3 of 10") tells the weights of an epoch from the final ones; ``of_task`` is whether
    a RUN folder tells that a bare checkpoint was trained on the task.
    """

    checkpoint: Path
    encoder: Path
    task: Task
    data: str | None
    max_length: int
    card: Card | None
    layers: int | None = None
    epoch: str = ""
    of_task: bool = False

    def __post_init__(self) -> None:
        config = BertConfig.from_folder(self.encoder)
        if not _LEAST <= self.max_length <= config.max_length:
            raise UserError(
                f"max_length {self.max_length}: expected {_LEAST} to {config.max_length}, the "
                f"positions of {self.encoder}"
            )
        check_vocabulary(self.encoder, load_tokenizer(self.encoder).size, config.vocab_size)


def of_run(run: Path, epoch: int | None) -> Source:
    """The final model of a RUN folder, or the kept weights of an epoch.

    Raises:
        UserError: the run is not complete, or has not kept them.
    """
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
    return Source(
        weights,
        resolve_encoder(config.encoder),
        config.task.as_task,
        config.task.data,
        config.task.max_length,
        card,
        config.encoder_layers,
        when,
    )


def of_checkpoint(
    path: Path,
    encoder: str | None,
    layers: int | None,
    task: str | Task | None,
    data: str | None,
    max_length: int | None,
) -> Source:
    """A bare checkpoint.

    Args:
        max_length: tokens that it was trained with; None: of the RUN folder that it lies in, else
            the most that the encoder and its tokenizer take.

    Raises:
        UserError: encoder or task are not given, or what is known of either contradicts the other.
    """
    if not path.exists():
        raise UserError(f"{path}: no such RUN folder or .ckpt file")
    if encoder is None or task is None:
        raise UserError(
            f"{path}: a bare checkpoint says nothing of its architecture, tokenizer and labels; "
            "add --encoder FOLDER and --task NAME, or for your own data --data, --text and --label"
        )
    folder, wanted = resolve_encoder(encoder), get_task(task) if isinstance(task, str) else task
    if not wanted.label_names:
        wanted = dataclasses.replace(wanted, label_names=training_labels(wanted, data))
    config = BertConfig.from_folder(folder)
    _check_label_names(str(folder), config, wanted)
    described = _config_of(path)
    if described is not None:
        run = from_yaml(described)
        alike = run.task.as_task.label_names == wanted.label_names if wanted.own else False
        if run.task.name != wanted.name and not alike:
            raise UserError(
                f"{path}: is of a run on {run.task.name}, not on {wanted.name}; give --task "
                f"{run.task.name}, or export {described.parent}"
            )
        max_length = max_length or run.task.max_length
    if max_length is None:
        max_length = min(stated_length(folder) or config.max_length, config.max_length)
    return Source(
        path, folder, wanted, data, max_length, None, layers, of_task=described is not None
    )


def _config_of(path: Path) -> Path | None:
    """The config of the RUN folder in which a checkpoint, or an attacked epoch's weights, lies."""
    run: Path | None = None
    if path.parent.name == "checkpoints":
        run = path.parent.parent
    elif path.parent.parent.name == "adversarial":
        run = path.parent.parent.parent
    config = None if run is None else run / "config.yaml"
    return config if config is not None and config.exists() else None


def _check_label_names(folder: str, config: BertConfig, task: Task) -> None:
    """Refuse a classifier whose own names of its classes are not the task's."""
    names = config.label_names
    if all(name.upper().removeprefix("LABEL_").isdigit() for name in names):  # generic ones
        return
    check_label_order(folder, names, task.label_names)
    letters = [[_letters(name) for name in side] for side in (names, task.label_names)]
    alike = all(
        any(other.startswith(name) or name.startswith(other) for other in letters[1])
        for name in letters[0]
    )
    if len(names) != len(task.label_names) or not alike:
        raise UserError(
            f"{folder}: is a classifier of {', '.join(names)}, and {task.name} has the labels "
            f"{', '.join(task.label_names)}; give the task of the checkpoint, or an encoder that "
            "is no classifier"
        )


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
