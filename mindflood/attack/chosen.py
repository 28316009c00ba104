"""The random sample of a task's rows that is attacked, and one share of it: a machine's of many."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mindflood.data.record import is_divided_file, read_record, run_above
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Split, Task
from mindflood.errors import UserError

SHARE_CARD = "share.json"  # a card that no report takes for a model of its own


@dataclass(frozen=True)
class Share:
    """The ``number``-th (from 1) of ``of`` shares."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Share":
        """``i/n`` as a share.

        Raises:
            UserError: it is not two whole numbers with 1 <= i <= n.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UserError(f"--shard {text}: expected i/n with 1 <= i <= n, for instance 1/4")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """This share of ``rows``: every ``of``-th, so that long texts spread over all shares.

        Raises:
            UserError: there are more shares than rows.
        """
        if self.of > len(rows):
            raise UserError(
                f"--shard {self}: there are {len(rows)} samples; expected at most as many shares"
            )
        return rows[self.number - 1 :: self.of]


def check_ray(asked_by: str = "--ray") -> None:
    """Check that Ray is installed.

    Args:
        asked_by: what of the user's the message names.

    Raises:
        UserError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        instead = (
            "share the samples out with --shard i/n and merge them with 'mindflood merge-attacks'"
            if asked_by == "--ray"
            else "leave it out: adversarial.workers are processes then"
        )
        raise UserError(
            f"{asked_by}: the package ray is not installed; pip install 'mindflood[ray]', or "
            f"{instead}"
        )


_WHOLE_FILE = "all"  # in place of a split: every row of a file


class Rows(NamedTuple):
    """All rows of a split, or of a file that was handed over (``all``), and where they are from."""

    split: str
    examples: Examples
    origin: str

    def told(self, count: int, seed: int) -> str:
        """In words, how many of them are looked at."""
        if count == len(self.examples):
            return f"all {count} {self.origin}"
        return f"{count} of {len(self.examples)} {self.origin} (seed {seed})"


def read_rows(source: Source, split: Split, *, whole_file: bool) -> Rows:
    """The rows of a split; of a source that is one file all of them, where ``whole_file``.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    if whole_file and source.file is not None:
        return Rows(_WHOLE_FILE, source.whole(), f"rows of {source.file}")
    origin = f"rows of split {split}, {source.described(split)}"
    return Rows(split, source.examples(split), origin)


@dataclass(frozen=True)
class ChosenRows:
    """The sample of :class:`Rows`.

    Attributes:
        split: which split; ``all`` of a whole file.
        whole: all rows of it.
        rows: int64, those of the sample, ascending.
        share: which of them are attacked here; None: all.
        origin: where they are from, and how many are attacked, in words.
    """

    split: str
    whole: Examples
    rows: np.ndarray
    share: Share | None = None
    origin: str = ""

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
    *,
    whole_file: bool = False,
    own_names: Sequence[str] = (),
) -> ChosenRows:
    """The sample of a task.

    Args:
        split: None takes the split the paper attacks.
        data, own_names: source of the examples, as :class:`mindflood.data.sources.Source` takes
            them.
        asked, seed: as in :func:`choose_rows`.
        whole_file: where ``data`` is a file, its rows are the split, and all of them the sample
            unless ``asked`` says otherwise.

    Raises:
        UserError: there is no such data, nothing to attack, or less than one row a share.
    """
    source = Source(task, data, own_names)
    there = read_rows(source, split or task.attacked_split, whole_file=whole_file)
    if asked is None and there.split == _WHOLE_FILE:
        asked = len(there.examples)
    rows = choose_rows(len(there.examples), task, asked, seed)
    if share is not None:
        share.rows(rows)
    return ChosenRows(there.split, there.examples, rows, share, there.told(len(rows), seed))


def is_share_of_training(model: str, data: str | None) -> bool:
    """Whether ``data`` is the file of which other rows than the test rows trained a run's model."""
    run = run_above(Path(model)) if data is not None and Path(model).is_dir() else None
    record = None if run is None else read_record(run)
    return data is not None and record is not None and is_divided_file(record, Path(data))


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
