"""Seconds of one training step of every method that floods, relative to fine-tuning.

python tools/bench_flooding.py --rounds 30

All cells live in one process, in graph mode, with the same weights and the same batches; they take
turns, one step at a time, in an order that is turned round every time. The ratios are medians over
the rounds of a method's step to the fine-tuning step of the same round, in seconds of the clock and
of the processor, which other work on the machine disturbs less. The architecture is that of
tools/bench_step.py, at ``--layers`` of its layers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from bench_step import BATCH, SIZES, Shape, batches
from records import Sheet, add_option, numbers, words

METHODS = ("finetune", "flooding", "iflood", "softad", "adaflood")
LEVEL = 0.69  # some rows are above, some below


Seconds = tuple[float, float]  # the clock's, and the processor's of all threads


def cell_of(method: str, layers: int, length: int) -> Callable[[], Seconds]:
    """A step of the method, whose dropout masks are drawn and handed over as in training."""
    from mindspore import Tensor

    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.models.bert import BertConfig, BertForSequenceClassification
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import MeanCrossEntropy, RowCrossEntropy
    from mindflood.training.optimizer import AdamW, parameter_groups

    sizes = SIZES | {"num_hidden_layers": layers}
    model = BertForSequenceClassification(BertConfig(**sizes))  # type: ignore[arg-type]
    optimizer = AdamW(parameter_groups(model, 0.01), 2e-5)
    by_mean = method in ("finetune", "flooding")
    cell = FloodingTrainOneStepCell(
        MeanCrossEntropy(model) if by_mean else RowCrossEntropy(model),
        optimizer,
        None if method in ("finetune", "adaflood") else LEVEL,
        rows=None if by_mean else method,
    )
    cell.set_train()
    noise = DropoutNoise(model.config, seed=0)
    weights = np.full(BATCH, 1 / BATCH, np.float32)
    own = [np.full(BATCH, LEVEL, np.float32)] if method == "adaflood" else []
    stream = enumerate(batches(Shape(BATCH, length), model.config.vocab_size))

    def step() -> Seconds:
        number, arrays = next(stream)
        masks = noise.draw(number, range(BATCH), length)
        inputs = tuple(map(Tensor.from_numpy, (*own, *arrays, weights, *masks)))
        started = time.perf_counter(), time.process_time()
        cell(*inputs).asnumpy()
        return time.perf_counter() - started[0], time.process_time() - started[1]

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="counted steps of each method")
    parser.add_argument("--seq", type=int, default=32, metavar="L", help="tokens a row")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    add_option(parser)
    options = parser.parse_args()
    os.environ.setdefault("GLOG_v", "3")

    from mindflood.training.context import set_up

    set_up("CPU", "graph", options.threads)
    steps = {name: cell_of(name, options.layers, options.seq) for name in METHODS}
    seconds: dict[str, list[Seconds]] = {name: [] for name in METHODS}
    for number in range(options.rounds + 2):  # the first two compile and warm up
        for name in METHODS if number % 2 else METHODS[::-1]:
            seconds[name].append(steps[name]())
    counted = {name: values[2:] for name, values in seconds.items()}
    columns = (words("method"), numbers("s", 3), numbers("/ finetune", 3),
               numbers("CPU s", 3), numbers("CPU, / finetune", 3))  # fmt: skip
    sheet = Sheet("flooding", columns, packages=["mindspore"], threads=options.threads)
    for name, values in counted.items():
        cells: list[float] = []
        for kind in (0, 1):
            own = [value[kind] for value in values]
            plain = [value[kind] for value in counted["finetune"]]
            ratios = (one / other for one, other in zip(own, plain, strict=True))
            cells += [statistics.median(own), statistics.median(ratios)]
        sheet.add(name, *cells)
    sheet.keep(options.record)


if __name__ == "__main__":
    main()
