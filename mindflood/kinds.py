"""The kinds of task: what a row is, what the network's head puts out for it, and its loss.

============== ====================== ============================ ==============================
kind           a row                  the head                     a row's loss
============== ====================== ============================ ==============================
classification a text or a pair       a score a class              cross-entropy
regression     a text or a pair       a number                     squared error
choice         a question             a score each of its choices  cross-entropy over the choices
tagging        a sentence of words    a score a tag, each word     mean cross-entropy of its words
============== ====================== ============================ ==============================
"""

from collections.abc import Mapping
from typing import Literal

from mindflood.errors import UserError

Kind = Literal["classification", "regression", "choice", "tagging"]

NAMES: Mapping[Kind, str] = {
    "classification": "a classification",
    "regression": "a regression",
    "choice": "a choice among answers",
    "tagging": "a tagging of words",
}
WITHOUT_CLASSES: Mapping[Kind, str] = {
    "regression": "its labels are numbers, not classes",
    "choice": "the class of a question would be the place of its answer, which is arbitrary",
}
"""Why gradient accordance, which compares the gradients of the rows of a class, has none."""


_MODELS: Mapping[Kind, str] = {
    "classification": "classifiers",
    "regression": "models that regress",
    "choice": "models that choose",
    "tagging": "taggers",
}


def check_kind(what: str, named: str, kind: Kind, wanted: Kind) -> None:
    """Refuse a task or model of another kind than something is for.

    Args:
        what: the plural that the message begins with, "attacks".
        named: the task or model.

    Raises:
        UserError: its kind is another.
    """
    if kind != wanted:
        raise UserError(f"{what} are for {_MODELS[wanted]}, and {named} is {NAMES[kind]}")


def check_classification(what: str, named: str, kind: Kind) -> None:
    """Refuse a kind of task that something cannot do.

    Args:
        what: the plural that the message begins with, "attacks".
        named: the task or model that is none.

    Raises:
        UserError: it is no classification.
    """
    check_kind(what, named, kind, "classification")
