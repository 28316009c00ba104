"""From the trace of gradient accordance to the flood level (Flooding-X §3.2, §5.1)."""

import dataclasses
import itertools
import logging
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from mindflood.errors import UserError
from mindflood.flooding.sub_epoch import SubEpoch, check_follows
from mindflood.visible import visible_line

Direction = Literal["either", "rising", "falling"]

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class FloodLevel:
    """A flood level and where in the run it comes from; all losses are raw training losses J.

    Attributes:
        level: b, the mean training loss of the sub-epoch right before the turn.
        lower: the smaller of the training losses on the two sides of the turn.
        upper: the larger of them. [lower, upper] is the search range (Figure 2's yellow band).
        step: the training step at which the sub-epoch right before the turn ends.
        epoch: the epoch of that step.
        sub_epoch: the line of that sub-epoch in the trace, from 0.
        direction: "rising" (negative to positive, §5.1) or "falling" (§3); None for a fallback.
        source: "accordance" for a crossing of zero, "fallback" where the run had none.
        rule: which rule gave the level, in a sentence.
    """

    level: float
    lower: float
    upper: float
    step: int
    epoch: float
    sub_epoch: int
    direction: Literal["rising", "falling"] | None
    source: Literal["accordance", "fallback"]
    rule: str

    def grid(self, step: float = 0.01) -> tuple[float, ...]:
        """Multiples of ``step`` that cover the search range, at least one and never 0.

        Raises:
            UserError: the step is not a positive number, or the range excludes everything.
        """
        if not self.lower <= self.upper:
            raise UserError(
                f"search range: from {self.lower:g} to {self.upper:g} there is no level; expected "
                "lower <= upper"
            )
        if not (math.isfinite(step) and step > 0):
            raise UserError(f"step: {step}: expected a positive number")
        first = max(1, math.floor(self.lower / step + 1e-9))
        last = max(first, math.ceil(self.upper / step - 1e-9))
        return tuple(round(i * step, 10) for i in range(first, last + 1))


class CrossingDetector:
    """The criterion as the run goes: one :meth:`update` a sub-epoch.

    A side of zero is established by ``persistence`` sub-epochs in a row on that side; the crossing
    is where another side is established than the one before. So the noise of a single sub-epoch is
    never a crossing (``persistence`` 2), nor is it at the start of the run. A sub-epoch
    within ``margin`` of zero, or of undefined accordance (null), is on neither side and is passed
    over: it neither makes nor breaks a row. The first crossing in the permitted direction counts.
    """

    def __init__(
        self,
        *,
        direction: Direction = "either",
        persistence: int = 2,
        margin: float = 0.0,
        name: str = "trace",
    ) -> None:
        """Start at the beginning of a run.

        Args:
            direction: "rising", "falling" or "either": the paper says falling in §3 and rising in
                §5.1.
            persistence: sub-epochs in a row that establish a side, at least 1.
            margin: accordance up to this size is indistinguishable from zero.
            name: what error messages call the trace.

        Raises:
            UserError: a setting outside its range.
        """
        if direction not in get_args(Direction):
            raise UserError(f"direction: {direction!r}: expected one of {get_args(Direction)}")
        if isinstance(persistence, bool) or not isinstance(persistence, int) or persistence < 1:
            raise UserError(f"persistence: {persistence!r}: expected a whole number from 1")
        if not 0 <= margin < 0.5:
            raise UserError(f"margin: {margin}: expected at least 0 and below 0.5, its largest")
        self._direction, self._persistence, self._margin = direction, persistence, margin
        self._name = name
        self._trace: list[SubEpoch] = []
        self._crossing: FloodLevel | None = None

    @property
    def crossing(self) -> FloodLevel | None:
        """The crossing, once it is confirmed; later sub-epochs do not change it."""
        return self._crossing

    def update(self, record: Mapping[str, Any]) -> FloodLevel | None:
        """Take in the next line of the trace and return :attr:`crossing`.

        Raises:
            UserError: a value that is missing, not finite or out of range, a step that does not
                follow; the line is then not taken in.
        """
        where = f"{self._name}, line {len(self._trace) + 1}"
        sub_epoch = SubEpoch.from_record(record, len(self._trace), where)
        check_follows(self._trace, sub_epoch, where)
        self._trace.append(sub_epoch)
        if self._crossing is None:
            self._crossing = self._find_crossing()
        return self._crossing

    def conclude(self, *, use_eval_loss: bool = True) -> FloodLevel:
        """The crossing or, where there is none yet, the fallback, which is logged as a warning.

        The fallback is the paper's definition, "the training loss before overfitting", without the
        accordance to tell where that is:

        1. The evaluation loss turned: its lowest value is followed by at least ``persistence``
           higher ones. §5.1 finds the crossing where the test loss is about to increase; the level
           is the training loss of the sub-epoch with the lowest evaluation loss, the range goes to
           the next evaluated one.
        2. It did not turn, was not measured, or must not count (``use_eval_loss`` False: where the
           evaluated rows are those that will be attacked, the choice must not see them). Then
           nothing in the run says that the model overfitted, the whole run is before overfitting,
           and the level is the training loss of its last sub-epoch: an upper bound, with the range
           reaching down to 0.

        Raises:
            UserError: the trace is empty.
        """
        if not self._trace:
            raise UserError(
                f"{self._name}: no sub-epochs: expected a line each; probe at least once in the run"
            )
        if self._crossing is not None:
            return self._crossing
        fallback = self._fall_back(use_eval_loss)
        _log.warning("%s: %s", visible_line(self._name), fallback.rule)
        return fallback

    def _side(self, sub_epoch: SubEpoch) -> int:
        accordance = sub_epoch.accordance or 0.0
        return 0 if abs(accordance) <= self._margin else int(math.copysign(1, accordance))

    def _find_crossing(self) -> FloodLevel | None:
        sided = [sub_epoch for sub_epoch in self._trace if self._side(sub_epoch)]
        rows = [list(row) for _, row in itertools.groupby(sided, self._side)]
        established = [row for row in rows if len(row) >= self._persistence]
        for earlier, later in itertools.pairwise(established):
            direction: Literal["rising", "falling"]
            direction = "rising" if self._side(later[0]) > 0 else "falling"
            changed = self._side(earlier[0]) != self._side(later[0])
            if changed and self._direction in ("either", direction):
                before = sided[sided.index(later[0]) - 1]
                rule = (
                    f"gradient accordance crossed zero, {direction}, between the sub-epochs that "
                    f"end at steps {before.step} and {later[0].step} and stayed for "
                    f"{self._persistence}: the level is the training loss of the former"
                )
                return _level(before, later[0].train_loss, direction, "accordance", rule)
        return None

    def _fall_back(self, use_eval_loss: bool) -> FloodLevel:
        none = f"FALLBACK, {self._why_no_crossing()}"
        evaluated = [
            (s.eval_loss, -s.index)
            for s in self._trace
            if use_eval_loss and s.eval_loss is not None
        ]
        lowest = -min(evaluated)[1] if evaluated else 0
        later = [-index for _, index in evaluated if -index > lowest]
        if len(later) >= self._persistence:
            before, after = self._trace[lowest], self._trace[later[0]]
            rule = (
                f"{none}; the evaluation loss was lowest at step {before.step} and higher in all "
                f"{len(later)} later evaluations: the level is the training loss there"
            )
            return _level(before, after.train_loss, None, "fallback", rule)
        turn = "was not seen to turn upwards" if evaluated else "was not measured"
        if not use_eval_loss:
            turn = "does not count, being of the rows that will be attacked"
        last = self._trace[-1]
        rule = (
            f"{none}, and the evaluation loss {turn}: nothing shows overfitting up to the last "
            f"sub-epoch, step {last.step}; the level is the training loss there, an upper bound"
        )
        return _level(last, 0.0, None, "fallback", rule)

    def _why_no_crossing(self) -> str:
        values = [s.accordance for s in self._trace if s.accordance is not None]
        if not values:
            return "gradient accordance was undefined in every sub-epoch"
        wanted = "" if self._direction == "either" else f"{self._direction} "
        return (
            f"gradient accordance made no persistent {wanted}crossing of zero (it was between "
            f"{min(values):.3f} and {max(values):.3f} in {len(values)} sub-epochs)"
        )


def choose_flood_level(
    trace: Iterable[Mapping[str, Any]],
    *,
    direction: Direction = "either",
    persistence: int = 2,
    margin: float = 0.0,
    use_eval_loss: bool = True,
    name: str = "trace",
) -> FloodLevel:
    """The flood level from a whole run: its crossing of zero accordance, else the fallback.

    Args:
        trace: a record per sub-epoch with ``step``, ``epoch``, ``accordance`` (eq. 13 at the end
            of the sub-epoch, None where undefined), ``train_loss`` (mean raw loss over the
            sub-epoch) and, None or left out where it was not measured, ``eval_loss``.
        direction: as in :class:`CrossingDetector`, which says what a crossing is.
        persistence: as there.
        margin: as there.
        use_eval_loss: whether the fallback may look at the evaluation losses.
        name: what error messages call the trace.

    Raises:
        UserError: an empty trace, a value that is missing or not finite, a missing line; the
            message names the line.

    See :meth:`CrossingDetector.conclude` for the fallback.
    """
    detector = CrossingDetector(
        direction=direction, persistence=persistence, margin=margin, name=name
    )
    for record in trace:
        detector.update(record)
    return detector.conclude(use_eval_loss=use_eval_loss)


def _level(
    before: SubEpoch,
    loss_after: float,
    direction: Literal["rising", "falling"] | None,
    source: Literal["accordance", "fallback"],
    rule: str,
) -> FloodLevel:
    lower, upper = sorted((before.train_loss, loss_after))
    return FloodLevel(
        level=before.train_loss,
        lower=lower,
        upper=upper,
        step=before.step,
        epoch=before.epoch,
        sub_epoch=before.index,
        direction=direction,
        source=source,
        rule=rule,
    )
