"""Rows to choose a temperature on: labelled, and none of those that are attacked."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mindflood.attack.chosen import read_rows
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import Split, Task
from mindflood.errors import UserError

FEWEST, MOST = 20, 2000


class HeldOut(NamedTuple):
    """Rows of a split."""

    split: str
    rows: Examples


def held_out_rows(
    task: Task,
    split: Split | None,
    data: str | None,
    attacked: Examples,
    seed: int,
    *,
    whole_file: bool = False,
    own_names: Sequence[str] = (),
) -> HeldOut:
    """A seeded sample of at most 2,000 rows of a split whose texts are not attacked.

    Args:
        split: None takes ``dev``.
        data, own_names: source of the examples, as :class:`mindflood.data.sources.Source` takes
            them.
        attacked: rows to leave out; equal texts leave the sample wherever they stand.
        whole_file: where ``data`` is a file and ``split`` is None, any of its rows may be chosen.

    Raises:
        UserError: fewer than 20 rows are left.
    """
    source = Source(task, data, own_names)
    there = read_rows(source, split or "dev", whole_file=whole_file and split is None)
    taken = set(attacked.texts)
    left = [row for row, texts in enumerate(there.examples.texts) if texts not in taken]
    if len(left) < FEWEST:
        raise UserError(
            f"--temperature: of the {there.origin}, {len(left)} are not attacked, and a "
            f"temperature needs {FEWEST}; attack fewer with --num-examples, or name other rows "
            "with --held-out "
            "(train: the model may have been trained on them, which makes it look too sure)"
        )
    chosen = np.random.default_rng(seed).permutation(len(left))[:MOST]
    rows = there.examples.take([left[place] for place in sorted(chosen)])
    return HeldOut(there.split, rows)
