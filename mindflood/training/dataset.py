"""The rows a run trains on and is evaluated on, and batches of token ids made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mindflood.config.settings import Config
from mindflood.data.batching import Batches, encode, load_tokenizer
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Split, Task, get_task
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
    """

    task: Task
    train: Examples
    evaluation: Examples
    test: Examples
    splits: Mapping[str, Split]
    origins: Mapping[str, str]
    division: str | None

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Fingerprint of the texts and labels of each of the three, in their order."""
        return {name: getattr(self, name).fingerprint() for name in self.splits}


@dataclass(frozen=True)
class Datasets:
    """Training rows, the rows of each epoch's evaluation, and the rows of the clean accuracy."""

    task: Task
    train: Batches
    evaluation: Batches
    clean: Batches
    mean_words: float
    rows: Rows


def training_rows(config: Config) -> Examples:
    """The labelled rows to train on: all, or a seeded sample."""
    source = Source(get_task(config.task.name), config.task.data)
    return source.examples("train").sample(config.task.train_examples, config.seed)


def rows_of(config: Config) -> Rows:
    """Read everything a run reads; what augments it is made where it is not there.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`.
    """
    task, settings = get_task(config.task.name), config.task
    source = Source(task, settings.data)
    splits: dict[str, Split] = {"train": "train", "evaluation": "dev", "test": task.attacked_split}
    train = source.examples("train").sample(settings.train_examples, config.seed)
    return Rows(
        task,
        train if config.augment is None else augmented(config, train),
        source.examples("dev").sample(settings.eval_examples, config.seed),
        source.examples(task.attacked_split),
        splits,
        {name: source.origin(split) for name, split in splits.items()},
        source.division(),
    )


def load_datasets(config: Config, encoder: Path) -> Datasets:
    """Tokenise everything a run reads, with the tokenizer of the folder ``encoder``.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`; or the encoder has no
            embeddings for some of the tokenizer's tokens.
    """
    rows = rows_of(config)
    words = [sum(len(text.split()) for text in row) for row in rows.train.texts]
    return Datasets(
        rows.task,
        batches_of(config, encoder, rows.train, shuffle=True),
        batches_of(config, encoder, rows.evaluation, shuffle=False),
        batches_of(config, encoder, rows.test, shuffle=False),
        float(np.mean(words)),
        rows,
    )


def batches_of(
    config: Config,
    encoder: Path,
    examples: Examples,
    *,
    shuffle: bool,
    weights: np.ndarray | None = None,
) -> Batches:
    """Tokenised rows, as :func:`load_datasets`; ``weights`` are those of their losses."""
    tokenizer = load_tokenizer(encoder)
    check_vocabulary(encoder, tokenizer.size, BertConfig.from_folder(encoder).vocab_size)
    return Batches(
        encode(examples, tokenizer, config.task.max_length),
        examples.labels,
        config.training.batch_size,
        get_task(config.task.name).num_labels,
        buckets=config.training.buckets,
        seed=config.seed,
        shuffle=shuffle,
        group_by_length=config.training.group_by_length,
        weights=weights,
    )
