"""Run by msrun: worker 1's gradients overflow in step 2 of 3; prints what happened."""

import json

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn
from parallel_micro_batches import Network  # from beside this script

from mindflood.flooding import FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale
from mindflood.training import parallel

ms.set_context(mode=ms.GRAPH_MODE)
ms.set_device("CPU")
worker = parallel.join()
network = Network()
step = FloodingTrainOneStepCell(
    network, nn.SGD(network.trainable_params(), 0.01), 0.1, loss_scale=LossScale(initial=256.0)
)
for number in range(3):
    rows = np.full((2, 3), 1.0 + worker.rank, np.float32)
    if number == 1 and worker.rank == 1:
        rows[0, 0] = np.inf
    J = float(step(Tensor(rows)).asnumpy())
    seen = {
        "rank": worker.rank,
        "J": J if np.isfinite(J) else None,
        "weight": network.weight.asnumpy().tolist(),
        "scale": step.update.current_scale(),
        "applied": bool(step.update.applied.asnumpy()),
    }
    print("seen", json.dumps(seen), flush=True)
