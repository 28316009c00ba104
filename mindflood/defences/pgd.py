"""PGD (Madry et al. 2018; FreeLB §3.1): train at the δ that K ascents find."""

from typing import Any

import mindspore as ms
from mindspore import Tensor

from mindflood.defences.batch import Batch
from mindflood.defences.defence import Defence


class PGD(Defence):
    """J at the last δ, and its gradients: K passes back to the input, one to the parameters."""

    @staticmethod
    def passes_of(settings: Any) -> int:
        return int(settings.steps) + 1

    def construct(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        delta = self.initial(batch)
        k = Tensor(0, ms.int32)
        while k < self.steps:
            delta = self.ascend(delta, self.input_gradient(delta, k, batch), batch)
            k = k + 1
        J, gradients = self.weight_gradients(delta, k, batch)
        return J, gradients, delta
