"""The rows a run trains on and is evaluated on, as batches of token ids."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mindflood.config import Config
from mindflood.data.batching import Batches, encode, load_tokenizer
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Task, get_task


@dataclass(frozen=True)
class Datasets:
    """Training rows, the rows of each epoch's evaluation, and the rows of the clean accuracy.

    ``tokens`` is the tokenizer's largest id + 1.
    """

    task: Task
    train: Batches
    evaluation: Batches
    clean: Batches
    mean_words: float
    tokens: int


def training_rows(config: Config) -> Examples:
    """The labelled rows to train on: all, or a seeded sample."""
    task = get_task(config.task.name)
    settings = config.task
    return load_examples(
        task, "train", settings.data, limit=settings.train_examples, seed=config.seed
    )


def load_datasets(config: Config, encoder: Path) -> Datasets:
    """Tokenise everything a run reads, with the tokenizer of the folder ``encoder``.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`.
    """
    task = get_task(config.task.name)
    settings = config.task
    tokenizer = load_tokenizer(encoder)
    train = training_rows(config)
    evaluation = load_examples(
        task, "dev", settings.data, limit=settings.eval_examples, seed=config.seed
    )
    clean = load_examples(task, task.attacked_split, settings.data)

    def batches(examples: Examples, shuffle: bool) -> Batches:
        return Batches(
            encode(examples, tokenizer, settings.max_length),
            examples.labels,
            config.training.batch_size,
            task.num_labels,
            buckets=config.training.buckets,
            seed=config.seed,
            shuffle=shuffle,
        )

    words = [sum(len(text.split()) for text in row) for row in train.texts]
    return Datasets(
        task,
        batches(train, shuffle=True),
        batches(evaluation, shuffle=False),
        batches(clean, shuffle=False),
        float(np.mean(words)),
        tokenizer.size,
    )
