"""Accuracy in and out of the distribution of the training data (Altinisik et al., Table 4)."""

from typing import Any

from mindflood.analyse.subject import Subject
from mindflood.attack.accuracy import clean_accuracy
from mindflood.attack.victim import Victim
from mindflood.data.sources import load_examples
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError


def other_data(word: str, task: Task) -> tuple[Task, str | None]:
    """``TASK=DATA`` or ``TASK`` as task and where its data is.

    Raises:
        UserError: the task is unknown, or has other labels than ``task``.
    """
    name, _, data = word.partition("=")
    other = get_task(name)
    if other.label_names != task.label_names or len(other.text_columns) != len(task.text_columns):
        raise UserError(
            f"--on {word}: {name} tells {', '.join(other.label_names)} apart in "
            f"{len(other.text_columns)} text(s), {task.name} {', '.join(task.label_names)} in "
            f"{len(task.text_columns)}; give a task with the same labels"
        )
    return other, data or None


def accuracies(
    subject: Subject,
    victim: Victim,
    others: list[tuple[Task, str | None]],
    limit: int | None,
    seed: int,
) -> dict[str, Any]:
    """Accuracy on the task's own held-out rows, and on those of the others.

    Returns:
        ``in`` and ``out``: task, accuracy (a fraction) and number of examples of each.
    """

    def measured(task: Task, data: str | None) -> dict[str, Any]:
        examples = load_examples(task, task.attacked_split, data, limit=limit, seed=seed)
        accuracy = clean_accuracy(victim, examples)
        return {"task": task.name, "accuracy": accuracy, "num_examples": len(examples)}

    return {
        "in": measured(subject.task, subject.data),
        "out": [measured(task, data) for task, data in others],
        "seed": seed,
    }
