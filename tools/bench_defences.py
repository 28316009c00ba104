"""Seconds of one training step of every defence, against fine-tuning and against its own bound.

python tools/bench_defences.py --rounds 5
python tools/bench_defences.py --memory 1 8

The MiniLM architecture, batch 32, dropout 0.1, AdamW on all parameters. Each method has a process
of its own, where its steps take turns with those of fine-tuning and with what a step consists of: a
forward, a forward with the backward to the inputs, a full pass, and the optimizer's update. The
bound of a method is what its passes and updates cost by themselves. Medians; on a machine that has
other work give ``--threads 1 --cpu``, seconds of the processor, which it disturbs less. Beside the
ratios to fine-tuning stand those of Flooding-X Table 3 (SST-2, BERT-base on a GPU, K = 5). With
--memory each method runs in a process of its own at each K, whose peak memory is told.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
from bench_step import BATCH, SIZES, Shape, batches
from mindspore import Tensor, nn, ops
from records import Sheet, add_option, numbers, words

from mindflood.config.checks import checked
from mindflood.config.settings import Config, TaskSettings, TrainingSettings
from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import named
from mindflood.defences.settings import DEFENCES, DefenceSettings
from mindflood.flooding import FloodingTrainOneStepCell
from mindflood.models.bert import BertConfig, BertForSequenceClassification
from mindflood.models.dropout import DropoutNoise
from mindflood.models.loss import MeanCrossEntropy
from mindflood.report.tables.published import seconds_per_epoch
from mindflood.training.context import set_up
from mindflood.training.defended_step import cell_beside, defended
from mindflood.training.optimizer import AdamW, parameter_groups

Run = Callable[[], Any]


def network(layers: int) -> BertForSequenceClassification:
    """With random weights: a step costs the same."""
    return BertForSequenceClassification(BertConfig(**SIZES | {"num_hidden_layers": layers}))  # type: ignore[arg-type]


def batch(length: int) -> list[np.ndarray]:
    """Random ids, full masks, one segment, labels, weights."""
    ids = batches(Shape(BATCH, length), SIZES["vocab_size"])
    return [*next(ids), np.full(BATCH, 1 / BATCH, np.float32)]


def optimizer_of(model: nn.Cell) -> AdamW:
    return AdamW(parameter_groups(model, 0.01), 2e-5)


def parts(layers: int, length: int) -> dict[str, Run]:
    """What steps consist of: passes, the first two without the weights' gradient, and an update."""
    model = network(layers)
    loss = AdversarialLoss(model, reuse_dropout=True)
    masks = DropoutNoise(model.config, 0).draw(0, range(BATCH), length)
    delta = np.full((BATCH, length, SIZES["hidden_size"]), 1e-3, np.float32)
    given = named(Tensor(1.0, ms.float32), *map(Tensor, (*batch(length), *masks, delta)))
    given = {name: value for name, value in given.items() if value is not None}
    inputs = (Tensor(delta), Tensor(0, ms.int32), ms.mutable(given))
    backward = ms.grad(loss, 0)
    full = ms.value_and_grad(loss, 0, ms.ParameterTuple(model.trainable_params()))
    optimizer = optimizer_of(model)
    gradients = tuple(ops.ones_like(weights) for weights in optimizer.parameters)
    return {
        "forward": lambda: loss(*inputs).asnumpy(),
        "to the inputs": lambda: backward(*inputs).asnumpy(),
        "full pass": lambda: full(*inputs)[0].asnumpy(),
        "update": lambda: optimizer(gradients).asnumpy(),
    }


def fine_tuning(layers: int, length: int) -> Run:
    model = network(layers)
    cell = FloodingTrainOneStepCell(MeanCrossEntropy(model), optimizer_of(model))
    return _stepping(cell, DropoutNoise(model.config, 0), length)


def defence(method: str, steps: int, layers: int, length: int) -> Run:
    config = Config(
        method=method, encoder="embedded", defence=DefenceSettings(steps=steps),
        task=TaskSettings(), training=TrainingSettings(),
    )  # fmt: skip
    config = checked(config, "bench_defences")
    model = network(layers)
    beside = cell_beside(method, model, seed=0)
    optimizer = AdamW(parameter_groups(model, 0.01, beside), 2e-5)
    cell, noise = defended(
        config, model, optimizer, None, beside, max_gradient_norm=None, loss_scale=None
    )
    return _stepping(cell, noise, length)


def _stepping(cell: nn.Cell, noise: Any, length: int) -> Run:
    """Steps whose random inputs are drawn beforehand, as in training, where a thread draws them."""
    cell.set_train()
    inputs = tuple(map(Tensor, (*batch(length), *noise.draw(0, range(BATCH), length))))
    return lambda: cell(*inputs).asnumpy()


def bound(method: str, steps: int, layers: int, cost: dict[str, float]) -> float:
    """Seconds that the parts of a step cost by themselves; NaN for a method that is not here."""
    full, update = cost["full pass"], cost["update"]
    forward, backward = cost["forward"], cost["to the inputs"]
    inner = DEFENCES["yopo"].inner_steps or 1
    known = {
        "pgd": steps * backward + full + update,
        "freelb": steps * full + update,
        "freeat": steps * (full + update),
        "yopo": steps * (full + (inner - 1) * backward / layers) + update,
        "tavat": steps * full + update,
        "infobert": steps * (full + backward - forward) + update,  # two backwards of one forward
        "pgd-at": steps * backward + 2 * full + update,
        "lds": steps * backward + 2 * full + update,
    }
    return known.get(method, math.nan)


def measure(runs: dict[str, Run], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each, in turns, after two that compile and warm up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(2):
        for run in runs.values():
            run()
    for _ in range(rounds):
        for name, run in runs.items():
            started = clock()
            run()
            times[name].append(clock() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def race(method: str, args: argparse.Namespace) -> dict[str, float]:
    """Seconds of a method's step, of fine-tuning's, and of what they consist of."""
    runs = parts(args.layers, args.seq) | {"finetune": fine_tuning(args.layers, args.seq)}
    runs["step"] = defence(method, args.steps, args.layers, args.seq)
    return measure(runs, args.rounds, time.process_time if args.cpu else time.perf_counter)


def peak(method: str, args: argparse.Namespace) -> float:
    """GiB of this process after three steps of a method."""
    run = defence(method, args.steps, args.layers, args.seq)
    for _ in range(3):
        run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def in_a_process(what: str, method: str, steps: int, args: argparse.Namespace) -> Any:
    """What ``race`` or ``peak`` finds in a process of its own."""
    command = [sys.executable, __file__, "--alone", what, "--methods", method]
    for name in ("rounds", "seq", "layers", "threads"):
        command += [f"--{name}", str(getattr(args, name))]
    command += ["--steps", str(steps), *(["--cpu"] if args.cpu else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def peaks(args: argparse.Namespace) -> Sheet:
    """The peak memory of every method for each K of ``args.memory``."""
    columns = [words("method"), *(numbers(f"K = {steps} (GiB)", 2) for steps in args.memory)]
    sheet = Sheet("defences_memory", columns, packages=["mindspore"], threads=args.threads)
    for method in args.methods:
        found = [in_a_process("peak", method, steps, args) for steps in args.memory]
        sheet.add(method, *found)
    return sheet


def times(args: argparse.Namespace) -> Sheet:
    """What a step of every method costs, beside fine-tuning and its own bound."""
    unit = "CPU s" if args.cpu else "s"
    names = ("forward", "to the inputs", "full pass", "update", "finetune", "step")
    ratios = (numbers(f"/ {name}", digits) for name, digits in (("finetune", 2), ("bound", 2)))
    columns = [words("method"), *(numbers(f"{name} ({unit})", 3) for name in names), *ratios]
    columns.append(numbers("paper, / finetune", 1))
    sheet = Sheet("defences", columns, packages=["mindspore"], threads=args.threads)
    printed = seconds_per_epoch("sst2")
    for method in args.methods:
        cost = in_a_process("race", method, args.steps, args)
        ratio = cost["step"] / cost["finetune"]
        paper = printed[method] / printed["finetune"] if method in printed else None
        excess = cost["step"] / bound(method, args.steps, args.layers, cost)
        sheet.add(method, *(cost[name] for name in names), ratio, excess, paper)
    return sheet


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="K")
    parser.add_argument("--seq", type=int, default=32, help="tokens a row")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="seconds of the processor")
    parser.add_argument("--methods", nargs="+", choices=list(DEFENCES), default=list(DEFENCES))
    parser.add_argument("--memory", type=int, nargs="+", metavar="K", help="peak memory instead")
    parser.add_argument("--alone", choices=("race", "peak"), help=argparse.SUPPRESS)
    add_option(parser)
    args = parser.parse_args()
    if min(args.rounds, args.steps, args.threads, *(args.memory or [1])) < 1:
        parser.error("--rounds, --steps, --threads and --memory: expected 1 or more")
    if args.layers < 2 or args.seq < 3:
        parser.error("--layers: expected 2 or more (yopo divides them), --seq: 3 or more")
    return args


def main() -> None:
    args = arguments()
    if args.alone:
        set_up("CPU", "graph", args.threads)
        print(json.dumps({"race": race, "peak": peak}[args.alone](args.methods[0], args)))
    else:
        (peaks if args.memory else times)(args).keep(args.record)


if __name__ == "__main__":
    main()
