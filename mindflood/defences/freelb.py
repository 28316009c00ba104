"""FreeLB (Zhu et al. 2020, Algorithm 1): the gradients of all K ascents, averaged."""

from typing import Any

import mindspore as ms
from mindspore import Tensor

from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence


class FreeLB(Defence):
    """The mean J over δ_0 … δ_{K-1} and its gradients, from K full passes.

    The K-th ascent is taken, as Algorithm 1 has it, and its δ never used. The authors' release for
    RoBERTa makes one pass more, at that δ; the mean is then over K + 1.
    """

    averages = True

    @staticmethod
    def passes_of(settings: Any) -> int:
        return int(settings.steps) + (settings.variant == "release")

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        delta = self.sums.cleared(self.initial(batch))
        mean_J, k = self.nothing, Tensor(0, ms.int32)
        while k < self.passes:
            J, gradient, gradients = self.full_pass(delta, k, batch)
            mean_J = self.sums.add(gradients, 1.0 / self.passes, mean_J + J / self.passes)
            delta = self.ascend(delta, gradient, batch)
            k = k + 1
        return mean_J, self.sums.after(mean_J), delta
