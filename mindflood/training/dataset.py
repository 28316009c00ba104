"""The rows a run trains on and is evaluated on, and batches of token ids made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mindflood.config.settings import Config
from mindflood.data.batching import Batches, encode_rows, load_tokenizer
from mindflood.data.encodings import most_choices
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Split, Task
from mindflood.data.tokens import FastTokenizer
from mindflood.errors import UserError
from mindflood.models.config import BertConfig
from mindflood.models.tokenizer_files import check_vocabulary
from mindflood.training.augmented_rows import augmented


@dataclass(frozen=True)
class Rows:
    """The texts and labels of a run.

    Attributes:
        train: to train on: all of the split, or a seeded sample.
        evaluation: of each epoch's evaluation.
        test: of the clean accuracy: the split that is attacked, whole.
        splits: which split each of the three is of, under their names.
        origins: where each is from: a file, or a split of the hub.
        division: how a part of the source was divided into splits; None where none was.
        made_of: of each training row the place of the one that it was made of, or its own, int64
            ``[n]``; None where none was made.
    """

    task: Task
    train: Examples
    evaluation: Examples
    test: Examples
    splits: Mapping[str, Split]
    origins: Mapping[str, str]
    division: str | None
    made_of: np.ndarray | None = None

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Fingerprint of the texts and labels of each of the three, in their order."""
        return {name: getattr(self, name).fingerprint() for name in self.splits}


@dataclass(frozen=True)
class Datasets:
    """Training rows, the rows of each epoch's evaluation, and the rows of the clean accuracy.

    ``choices`` are the texts of the question that has the most; 1 where rows are no questions.
    """

    task: Task
    train: Batches
    evaluation: Batches
    clean: Batches
    mean_words: float
    rows: Rows
    choices: int = 1

    @property
    def mean_choices(self) -> float:
        """Of a tested question, whose choice at random is right once in so many; else 1."""
        if self.task.kind != "choice":
            return 1.0
        return float(1 / np.mean([1 / (len(texts) - 1) for texts in self.rows.test.texts]))


def training_rows(config: Config) -> Examples:
    """The labelled rows to train on: all, or a seeded sample."""
    source = Source(config.task.as_task, config.task.data)
    return source.examples("train").sample(config.task.train_examples, config.seed)


def rows_of(config: Config) -> Rows:
    """Read everything a run reads; what augments it is made where it is not there.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`; or a user's own training rows
            are all of one class.
    """
    task, settings = config.task.as_task, config.task
    source = Source(task, settings.data)
    splits: dict[str, Split] = {"train": "train", "evaluation": "dev", "test": task.attacked_split}
    train = source.examples("train").sample(settings.train_examples, config.seed)
    if task.own and len({*train.labels.tolist()}) == 1:
        raise UserError(
            f"{source.origin('train')}: all {len(train)} rows to train on have the label "
            f"'{task.label_names[train.labels[0]]}'; a classifier needs rows of two classes"
        )
    made_of = None
    if config.augment is not None:
        train, made_of = augmented(config, train)
    return Rows(
        task,
        train,
        source.examples("dev").sample(settings.eval_examples, config.seed),
        source.examples(task.attacked_split),
        splits,
        {name: source.origin(split) for name, split in splits.items()},
        source.division(),
        made_of,
    )


def load_datasets(config: Config, encoder: Path, rows: Rows | None = None) -> Datasets:
    """Tokenise everything a run reads, with the tokenizer of the folder ``encoder``.

    Args:
        rows: in place of those that the config names.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`; or the encoder has no
            embeddings for some of the tokenizer's tokens.
    """
    tokenizer_of(encoder)
    rows = rows or rows_of(config)
    choices = most_choices(rows.train, rows.evaluation, rows.test) if asks(rows.task) else 1

    def batches(examples: Examples, *, shuffle: bool) -> Batches:
        return batches_of(config, encoder, rows.task, examples, shuffle=shuffle, choices=choices)

    words = [sum(len(text.split()) for text in row) for row in rows.train.texts]
    return Datasets(
        rows.task,
        batches(rows.train, shuffle=True),
        batches(rows.evaluation, shuffle=False),
        batches(rows.test, shuffle=False),
        float(np.mean(words)),
        rows,
        choices,
    )


def asks(task: Task) -> bool:
    """Whether rows are questions with choices."""
    return task.kind == "choice"


def tokenizer_of(encoder: Path) -> FastTokenizer:
    """An encoder's tokenizer.

    Raises:
        UserError: the encoder has no embeddings for some of its tokens.
    """
    tokenizer = load_tokenizer(encoder)
    check_vocabulary(encoder, tokenizer.size, BertConfig.from_folder(encoder).vocab_size)
    return tokenizer


def batches_of(
    config: Config,
    encoder: Path,
    task: Task,
    examples: Examples,
    *,
    shuffle: bool,
    choices: int = 1,
    weights: np.ndarray | None = None,
) -> Batches:
    """Tokenised rows, as :func:`load_datasets`; ``weights`` are those of their losses."""
    tokenizer = tokenizer_of(encoder)
    return Batches(
        encode_rows(task, examples, tokenizer, config.task.max_length, choices),
        examples.labels,
        config.training.batch_size,
        task.num_labels,
        buckets=config.training.buckets,
        seed=config.seed,
        shuffle=shuffle,
        group_by_length=config.training.group_by_length,
        weights=weights,
    )
