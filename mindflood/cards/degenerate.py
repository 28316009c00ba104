"""What predictions say of a model that is no classifier: its accuracy alone would not tell."""

from collections.abc import Sequence

import numpy as np

from mindflood.kinds import Kind


def signs_of_degeneracy(
    predictions: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> list[str]:
    """A sentence for each sign that predictions and labels do not belong together; most often none.

    Args:
        predictions, labels: class of each row, integers ``[n]``.
        label_names: name of class 0, 1, ...; their number k makes chance 1/k.

    Returns:
        Sentences without a full stop: the rows have one class only, one class only is predicted, or
        the accuracy is below chance. A single row shows none of it.
    """
    if len(labels) < 2:
        return []
    found = []
    there = np.unique(labels)
    if len(there) == 1:
        found.append(f"all {len(labels)} rows have the label '{label_names[there[0]]}'")
    predicted = np.unique(predictions)
    if len(predicted) == 1 and not np.array_equal(there, predicted):
        found.append(f"the model answers '{label_names[predicted[0]]}' to every row")
    accuracy, chance = float(np.mean(predictions == labels)), 1 / len(label_names)
    if accuracy < chance:
        found.append(
            f"the accuracy of {100 * accuracy:.1f} % is below chance ({100 * chance:.1f} %): "
            "the labels may be in another order, or of another task"
        )
    return found


def signs_in_answers(
    kind: Kind,
    predictions: np.ndarray,
    labels: np.ndarray,
    label_names: Sequence[str],
    choices: float = 1.0,
) -> list[str]:
    """What speaks against a network of any kind of task in its answers, [n].

    Args:
        predictions, labels: classes, of tags those of all words; numbers; or places of answers.
        choices: of a question: one at random is right once in so many.

    Returns:
        Sentences without a full stop. Of a regression what makes it undefined is said elsewhere.
    """
    if kind == "regression" or len(labels) < 2:
        return []
    if kind != "choice":
        return signs_of_degeneracy(predictions, labels, label_names)
    accuracy, chance = float(np.mean(predictions == labels)), 1 / choices
    if accuracy >= chance:
        return []
    return [f"the accuracy of {100 * accuracy:.1f} % is below chance ({100 * chance:.1f} %)"]
