"""Seconds of a training step on a task's own batches, a text a row and several (pack_texts).

python tools/bench_packing.py sst2 --data FOLDER --steps 30

Both cells live in one process, in graph mode, with the same weights; they take turns on the same
batches, in an order that is turned round every time, and what is counted begins with the batch's
token ids: packing them and drawing the masks are part of it. The ratio is the median over the
batches of each one's ratio. Steps that compile a graph are left out; ``graphs`` says how many.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from records import Sheet, add_option, numbers, words

from mindflood.data.batching import Batch, Batches, encode, load_tokenizer
from mindflood.data.packing import pack
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.files import expanded
from mindflood.models.pretrained import resolve_encoder
from mindflood.report.numbers.names import TASKS

SIDES = ("a text a row", "packed")
Step = Callable[[int, Batch], tuple[tuple[int, ...], float]]  # the shape, and the seconds


def step_of(encoder: Path, packed: bool, num_labels: int) -> Step:
    """A fine-tuning step from a batch's arrays on."""
    from mindspore import Tensor

    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.models.classifier import load_classifier
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import MeanCrossEntropy
    from mindflood.models.packed_texts import PackedCrossEntropy
    from mindflood.training.optimizer import AdamW, parameter_groups

    model = load_classifier(encoder, num_labels=num_labels)
    network = (PackedCrossEntropy if packed else MeanCrossEntropy)(model)
    cell = FloodingTrainOneStepCell(network, AdamW(parameter_groups(model, 0.01), 2e-5))
    cell.set_train()
    noise = DropoutNoise(model.config, 0, packed)

    def step(number: int, batch: Batch) -> tuple[tuple[int, ...], float]:
        started = time.perf_counter()
        arrays: tuple[np.ndarray, ...] = (
            batch.input_ids,
            batch.attention_mask,
            batch.token_type_ids,
        )
        if packed:
            texts = pack(batch)
            arrays = (
                texts.input_ids, texts.owners, texts.token_type_ids, texts.positions, texts.firsts,
            )  # fmt: skip
        rows, length = shape = arrays[0].shape
        masks = noise.draw(number, range(rows), length)
        weights = batch.weights / batch.weights.sum()
        of_texts = batch.labels, weights
        given = (*of_texts, *arrays, *masks) if packed else (*arrays, *of_texts, *masks)
        inputs = map(np.ascontiguousarray, given)
        cell(*map(Tensor.from_numpy, inputs)).asnumpy()
        return shape, time.perf_counter() - started

    return step


def main() -> None:
    """A row a side."""
    options = _arguments()
    os.environ.setdefault("GLOG_v", "3")
    from mindflood.training.context import set_up

    set_up("CPU", "graph", options.threads)
    task, encoder = get_task(options.task), resolve_encoder(options.encoder)
    rows = load_examples(task, "train", options.data, limit=options.rows, seed=0)
    batches = Batches(
        encode(rows, load_tokenizer(encoder), options.max_length), rows.labels,
        options.batch_size, task.num_labels, buckets=options.buckets,
    )  # fmt: skip
    steps = [step_of(encoder, side == "packed", task.num_labels) for side in SIDES]
    seconds: dict[int, dict[int, float]] = {0: {}, 1: {}}
    places: dict[int, dict[int, int]] = {0: {}, 1: {}}
    compiled: set[tuple[int, ...]] = set()
    number = 0
    while len(seconds[0].keys() & seconds[1].keys()) < options.steps:
        batch = batches.batch(*divmod(number, batches.steps_per_epoch))
        for side in (0, 1) if number % 2 else (1, 0):
            shape, spent = steps[side](number, batch)
            if (side, *shape) in compiled:
                seconds[side][number], places[side][number] = spent, int(np.prod(shape))
            compiled.add((side, *shape))
        number += 1
    both = sorted(seconds[0].keys() & seconds[1].keys())
    columns = (words("Dataset"), words("batch"), numbers("places", 0), numbers("graphs", 0),
               numbers("s", 3), numbers("/ a text a row", 3))  # fmt: skip
    sheet = Sheet("packing", columns, packages=["mindspore"], threads=options.threads)
    for side, name in enumerate(SIDES):
        ratio = statistics.median(seconds[side][one] / seconds[0][one] for one in both)
        spent = statistics.median(seconds[side][one] for one in both)
        area = statistics.mean(places[side][one] for one in both)
        graphs = sum(shape[0] == side for shape in compiled)
        sheet.add(TASKS[task.name], name, area, graphs, spent, ratio)
    sheet.keep(options.record)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("task", metavar="TASK")
    parser.add_argument("--data", type=expanded, help="folder or file with the examples")
    parser.add_argument("--encoder", type=expanded, default="embedded", metavar="FOLDER")
    parser.add_argument("--rows", type=int, default=2000, help="of the training rows (2,000)")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--buckets", type=int, nargs="+", default=[32, 40, 48, 64], metavar="L")
    parser.add_argument("--steps", type=int, default=20, help="counted steps of each side (20)")
    parser.add_argument("--threads", type=int, default=2)
    add_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
