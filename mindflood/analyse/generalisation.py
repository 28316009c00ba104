"""Accuracy in and out of the distribution of the training data (Altinisik et al., Table 4)."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mindflood.analyse.rows import sampled
from mindflood.attack.chosen import read_rows
from mindflood.attack.results.accuracy import predictions
from mindflood.attack.victim.wrapper import Victim
from mindflood.cards.degenerate import signs_of_degeneracy
from mindflood.cards.schema import GeneralisationAnalysis, MeasuredAccuracy
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import TASKS, Task, get_task
from mindflood.errors import UserError

Sample = tuple[str, Examples]  # of a task, under its name


def other_data(words: Sequence[str], task: Task, limit: int | None, seed: int) -> list[Sample]:
    """Rows of what each ``TASK=DATA`` or ``TASK`` names.

    Raises:
        UserError: a task is unknown, has other labels than ``task``, or is named twice; or there is
            no such data.
    """
    found: dict[str, Examples] = {}
    for word in words:
        name, _, data = word.partition("=")
        other = _with_labels_of(task, word, name)
        if name in found:
            raise UserError(f"--on {word}: {name} is named twice; analyse one of the two at a time")
        there = read_rows(Source(other, data or None), other.attacked_split, whole_file=True)
        found[name] = sampled(there, limit, seed)
    return list(found.items())


def accuracies(
    victim: Victim, own: Sample, others: Sequence[Sample], label_names: Sequence[str]
) -> GeneralisationAnalysis:
    """Accuracy on the task's own held-out rows, and on those of the others.

    Args:
        label_names: name of class 0, 1, ... of all of them.

    Returns:
        ``in`` and ``out``: task, accuracy (a fraction) and number of examples of each; and
        ``warnings``, where the predictions are no classifier's.
    """
    warnings: list[str] = []

    def measured(sample: Sample) -> MeasuredAccuracy:
        task, examples = sample
        found = predictions(victim, examples)
        signs = signs_of_degeneracy(found, examples.labels, label_names)
        warnings.extend(f"on {task} {sign}" for sign in signs)
        accuracy = float(np.mean(found == examples.labels))
        return {"task": task, "accuracy": accuracy, "num_examples": len(examples)}

    found: GeneralisationAnalysis = {
        "in": measured(own),
        "out": [measured(other) for other in others],
    }
    return {**found, "warnings": warnings} if warnings else found


def _with_labels_of(task: Task, word: str, name: str) -> Task:
    if task.own and name not in TASKS:  # other rows under the same columns
        return dataclasses.replace(task, name=name, own_files={}, hub=None)
    other = get_task(name)
    if other.label_names != task.label_names or len(other.text_columns) != len(task.text_columns):
        raise UserError(
            f"--on {word}: {name} tells {', '.join(other.label_names)} apart in "
            f"{len(other.text_columns)} text(s), {task.name} {', '.join(task.label_names)} in "
            f"{len(task.text_columns)}; give a task with the same labels"
        )
    return other
