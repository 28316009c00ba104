"""The random sample of a task's rows that is attacked, or one share of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mindflood.attack.shares import Share
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Split, Task
from mindflood.errors import UserError


@dataclass(frozen=True)
class ChosenRows:
    """Rows of a split.

    Attributes:
        split: where they are from.
        whole: all rows of the split.
        rows: int64, those of the sample, ascending.
        share: which of them are attacked here; None: all.
    """

    split: Split
    whole: Examples
    rows: np.ndarray
    share: Share | None = None

    @cached_property
    def examples(self) -> Examples:
        """The sample, whatever the share."""
        return self.whole.take(self.rows)

    @cached_property
    def attacked_here(self) -> list[tuple[int, tuple[str, ...], int]]:
        """Row, texts and label of the rows of the share."""
        mine = self.rows if self.share is None else self.share.rows(self.rows)
        return [(row, self.whole.texts[row], int(self.whole.labels[row])) for row in map(int, mine)]


def chosen_rows(
    task: Task,
    split: Split | None,
    data: str | None,
    asked: int | None,
    seed: int,
    share: Share | None = None,
) -> ChosenRows:
    """The sample of a task.

    Args:
        split: None takes the split the paper attacks.
        data: source of the examples, as :func:`mindflood.data.sources.load_examples` takes it.
        asked, seed: as in :func:`choose_rows`.

    Raises:
        UserError: there is no such data, nothing to attack, or less than one row a share.
    """
    split = split or task.attacked_split
    whole = load_examples(task, split, data)
    chosen = ChosenRows(split, whole, choose_rows(len(whole), task, asked, seed), share)
    if share is not None:
        share.rows(chosen.rows)
    return chosen


def choose_rows(total: int, task: Task, asked: int | None, seed: int) -> np.ndarray:
    """Rows of the sample that is attacked, ascending; all where the sample is that large.

    A smaller sample of the same seed is part of a larger one.

    Args:
        total: number of rows there are.
        asked: size of the sample; None takes the task's own.

    Returns:
        int64, each below ``total``, none twice.

    Raises:
        UserError: there is nothing to attack.
    """
    if asked is not None and asked < 1:
        raise UserError(f"--num-examples {asked}: expected 1 or more")
    if total == 0:
        raise UserError("the split that is attacked is empty; choose other data with --data")
    count = asked or task.attacked_examples or total
    return np.sort(np.random.default_rng(seed).permutation(total)[:count])
