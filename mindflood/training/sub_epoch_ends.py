"""Where the sub-epochs of a run end, and whether a trace has a line for each."""

import itertools
from collections.abc import Sequence
from typing import Any

from mindflood.errors import UserError


def sub_epoch_ends(steps_per_epoch: int, sub_epochs: int, epochs: int = 1) -> list[int]:
    """Steps of a run after which a sub-epoch ends; they differ by at most one in length."""
    within = [round(steps_per_epoch * (part + 1) / sub_epochs) for part in range(sub_epochs)]
    return [epoch * steps_per_epoch + end for epoch in range(epochs) for end in within]


def check_fits(steps_per_epoch: int, sub_epochs: int) -> None:
    """Refuse sub-epochs too short to probe.

    Raises:
        UserError: one would have fewer than the two steps whose batches accordance compares.
    """
    if steps_per_epoch < 2 * sub_epochs:
        most = steps_per_epoch // 2
        remedy = f"use at most {most}" if most else "train on more rows or lower batch_size"
        raise UserError(
            f"accordance.sub_epochs: {sub_epochs} do not fit into an epoch of {steps_per_epoch} "
            f"steps, as each compares the gradients of at least two batches; {remedy}"
        )


def check_no_gap(records: Sequence[Any], expected: Sequence[int], name: str) -> None:
    """Refuse a trace that has not exactly one line for each of the steps ``expected``, in order.

    Raises:
        UserError: names the first line that is missing or belongs to another step.
    """
    for number, (record, step) in enumerate(itertools.zip_longest(records, expected), start=1):
        found = record.get("step") if isinstance(record, dict) else record
        if found != step or isinstance(found, bool):
            there = "no line" if found is None else f"step {found!r}"
            wanted = "none" if step is None else f"the sub-epoch that ends at step {step}"
            raise UserError(
                f"{name}, line {number}: {there}, expected {wanted}: the trace is damaged; restore "
                "it, or delete its run folder to probe again"
            )
