"""The learning rate: linear warm-up, then linear decay to zero."""

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


def warmup_steps(warmup: float, total_steps: int) -> int:
    """``warmup`` as steps: a share of all steps below 1, a number of steps from 1 on."""
    return int(warmup * total_steps) if warmup < 1 else int(warmup)


class LinearWarmupDecay(nn.learning_rate_schedule.LearningRateSchedule):
    """lr(t) = peak·t/W for t < W, then peak·(T - t)/(T - W), never below 0.

    Args:
        peak: the highest rate.
        warmup: W, steps.
        total: T, steps of the whole run.
    """

    def __init__(self, peak: float, warmup: int, total: int) -> None:
        super().__init__()
        self.peak = peak
        self.warmup = float(max(1, warmup))
        self.total = float(total)
        self.decay = float(max(1, total - warmup))

    def construct(self, global_step: Tensor) -> Tensor:
        """The rate of the step ``global_step`` (int32, from 0); scalar float32."""
        t = ops.cast(global_step, mstype.float32)
        share = ops.minimum(t / self.warmup, (self.total - t) / self.decay)
        return self.peak * ops.maximum(share, ops.zeros_like(share))

    def at(self, step: int) -> float:
        """The rate of one step, on the host."""
        return self.peak * max(0.0, min(step / self.warmup, (self.total - step) / self.decay))
