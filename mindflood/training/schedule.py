"""The learning rate: linear warm-up, then linear decay to zero or no decay."""

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype

from mindflood.training.decay import Decay


def warmup_steps(warmup: float, total_steps: int) -> int:
    """``warmup`` as steps: a share of all steps below 1, a number of steps from 1 on."""
    return int(warmup * total_steps) if warmup < 1 else int(warmup)


def scheduled(name: str, peak: float, warmup: int, total: int) -> "LinearWarmup":
    """The schedule that ``training.schedule`` calls ``linear`` or ``constant``."""
    if name == "constant":
        return LinearWarmup(peak, warmup)
    return LinearWarmupDecay(peak, warmup, total)


class LinearWarmup(nn.learning_rate_schedule.LearningRateSchedule):
    """lr(t) = peak·t/W for t < W, then the peak: a flooded run never comes to rest at the level.

    Args:
        peak: the highest rate.
        warmup: W, steps; 0 begins at the peak.
    """

    def __init__(self, peak: float, warmup: int) -> None:
        super().__init__()
        self.peak = peak
        self.warmup = float(warmup)

    def construct(self, global_step: Tensor) -> Tensor:
        """The rate of the step ``global_step`` (int32, from 0); scalar float32."""
        return self.peak * self.rise(ops.cast(global_step, mstype.float32))

    def rise(self, t: Tensor) -> Tensor:
        """min(t/W, 1)."""
        one = ops.ones_like(t)
        return ops.minimum(t / self.warmup, one) if self.warmup > 0 else one

    def at(self, step: int) -> float:
        """The rate of one step, on the host."""
        return self.peak * min(step / self.warmup if self.warmup else 1.0, 1.0)


class LinearWarmupDecay(LinearWarmup):
    """lr(t) = peak·t/W for t < W, then peak·(T - t)/(T - W), never below 0.

    Args:
        peak: the highest rate.
        warmup: W, steps; 0 begins at the peak.
        total: T, steps of the whole run.
    """

    def __init__(self, peak: float, warmup: int, total: int) -> None:
        super().__init__(peak, warmup)
        self.total = float(total)
        self.decay = float(max(1, total - warmup))

    def construct(self, global_step: Tensor) -> Tensor:
        """The rate of the step ``global_step`` (int32, from 0); scalar float32."""
        t = ops.cast(global_step, mstype.float32)
        share = ops.minimum(self.rise(t), (self.total - t) / self.decay)
        return self.peak * ops.maximum(share, ops.zeros_like(share))

    def at(self, step: int) -> float:
        """The rate of one step, on the host."""
        return max(0.0, min(super().at(step), self.peak * (self.total - step) / self.decay))


class MovingDecay(LinearWarmup):
    """As :class:`LinearWarmupDecay` with an end that moves in the running step.

    Args:
        peak: the highest rate.
        decay: its W is that of the warm-up.
    """

    def __init__(self, peak: float, decay: Decay) -> None:
        super().__init__(peak, decay.warmup)
        self.line = decay
        self.total = _number("schedule_total")
        self.slope = _number("schedule_slope")
        self.follow()

    def follow(self) -> None:
        """Take the line over as it is now; nothing is compiled again."""
        slope = self.line.share / max(1, self.line.total - self.line.start)
        self.total.set_data(Tensor(float(self.line.total), ms.float32))
        self.slope.set_data(Tensor(slope, ms.float32))

    def construct(self, global_step: Tensor) -> Tensor:
        """The rate of the step ``global_step`` (int32, from 0); scalar float32."""
        t = ops.cast(global_step, mstype.float32)
        share = ops.minimum(self.rise(t), (self.total - t) * self.slope)
        return self.peak * ops.maximum(share, ops.zeros_like(share))

    def at(self, step: int) -> float:
        """The rate of one step, on the host."""
        return max(0.0, min(super().at(step), self.peak * self.line.at(step)))


def _number(name: str) -> Parameter:
    return Parameter(Tensor(0.0, ms.float32), name=name, requires_grad=False)
