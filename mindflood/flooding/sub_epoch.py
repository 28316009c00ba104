"""A line of accordance.jsonl, checked."""

import dataclasses
import itertools
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from mindflood.errors import UserError


@dataclasses.dataclass(frozen=True)
class SubEpoch:
    """What the probe found at the end of a sub-epoch.

    Attributes:
        index: its line in the trace, from 0.
        step: training steps done at its end.
        epoch: the same in epochs.
        accordance: eq. 13's value there; None where no pair of class gradients exists.
        train_loss: mean raw training loss J over the sub-epoch.
        eval_loss: evaluation loss at its end; None where it was not measured.
    """

    index: int
    step: int
    epoch: float
    accordance: float | None
    train_loss: float
    eval_loss: float | None

    @classmethod
    def from_record(cls, record: Mapping[str, Any], index: int, where: str) -> "SubEpoch":
        """Check a record; keys beyond the attributes are ignored.

        Raises:
            UserError: a value that is missing, not finite or out of range; it begins with
                ``where``.
        """
        if not isinstance(record, Mapping):
            raise UserError(f"{where}: {type(record).__name__}, expected a record of keys")
        step = record.get("step")
        if isinstance(step, bool) or not isinstance(step, numbers.Integral) or step < 0:
            raise UserError(f"{where}: step: {step!r}, expected a whole number from 0")
        if "accordance" not in record:
            raise UserError(f"{where}: accordance: missing, expected a number (null if undefined)")
        accordance, eval_loss = record["accordance"], record.get("eval_loss")
        return cls(
            index=index,
            step=int(step),
            epoch=_number(record.get("epoch"), "epoch", where, least=0),
            accordance=None if accordance is None else _number(accordance, "accordance", where),
            train_loss=_number(record.get("train_loss"), "train_loss", where, least=0),
            eval_loss=None
            if eval_loss is None
            else _number(eval_loss, "eval_loss", where, least=0),
        )


def _number(value: Any, key: str, where: str, *, least: float = -math.inf) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not math.isfinite(value)
        or value < least
    ):
        expected = "a finite number" + (f" from {least:g}" if math.isfinite(least) else "")
        raise UserError(f"{where}: {key}: {value!r}, expected {expected}")
    return float(value)


def check_follows(trace: Sequence[SubEpoch], new: SubEpoch, where: str) -> None:
    """Refuse a sub-epoch that cannot be the next line of ``trace``.

    Sub-epochs are about equally long, the first one from step 0 on, so a jump of the step means
    that a line is missing.

    Raises:
        UserError: the step does not increase, the epoch decreases, or the step jumps.
    """
    if not trace:
        return
    last = trace[-1]
    if new.step <= last.step or new.epoch < last.epoch:
        raise UserError(
            f"{where}: step {new.step}, epoch {new.epoch:g} after step {last.step}, epoch "
            f"{last.epoch:g}: expected them to increase; sort the lines or remove the repeated one"
        )
    ends = [0, *(sub_epoch.step for sub_epoch in trace)]
    longest = max(b - a for a, b in itertools.pairwise(ends))
    if longest and new.step - last.step > 1.5 * longest + 1:
        raise UserError(
            f"{where}: the step goes from {last.step} to {new.step}, before by at most {longest}: "
            "a sub-epoch is missing between; restore its line or probe the run again"
        )
