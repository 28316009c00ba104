"""Seconds of one training step: our cell against PyTorch's Hugging Face BERT and mindnlp's.

python tools/bench_step.py --rounds 10 --skip-mindnlp
python tools/bench_step.py --encoder MPNET_FOLDER --shapes 32x32 16x128

The MiniLM architecture (6 layers, hidden 384, 12 heads, 30,522 words), batch 32, dropout 0.1,
AdamW on all parameters, as many threads on every side. Each implementation lives in its own
process; they take turns, one step at a time, and the table gives medians of that one run: of the
seconds, and of the ratios of a side's step to the fine-tuning step of the same round. On a machine
that has other work give ``--threads 1 --cpu``: seconds of the processor, which it disturbs less.
--against PYTHON adds our fine-tuning on another interpreter's packages, as the side ``other``.
--encoder FOLDER takes the network of a Hugging Face folder, its weights and dropout with it, and
leaves flooding and mindnlp out unless --sides names them. Memory is a process's peak.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from records import Sheet, add_option, numbers, words

THREADS = 2
SIZES = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
}
BATCH = 32
SIDES = ["finetune", "flooding", "torch", "mindnlp", "other"]
Step = Callable[[], float]


@dataclass(frozen=True)
class Shape:
    """Rows and tokens a row of a batch."""

    rows: int
    length: int

    @classmethod
    def read(cls, text: str) -> Shape:
        """From ``32x128``."""
        rows, _, length = text.partition("x")
        return cls(int(rows), int(length))

    def __str__(self) -> str:
        return f"{self.rows}×{self.length}"


def batches(shape: Shape, words: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Random ids below ``words``, full masks, one segment, labels."""
    random = np.random.default_rng(0)
    while True:
        ids = random.integers(1000, words, (shape.rows, shape.length)).astype(np.int32)
        labels = random.integers(0, 2, shape.rows).astype(np.int32)
        yield ids, np.ones_like(ids), np.zeros_like(ids), labels


def native(shape: Shape, level: float | None, encoder: str = "", threads: int = THREADS) -> Step:
    """Our cell in graph mode; the drawing of the dropout masks is part of the step."""
    import mindspore as ms
    from mindspore import Tensor

    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.models.bert import BertConfig, BertForSequenceClassification
    from mindflood.models.classifier import load_classifier
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import MeanCrossEntropy
    from mindflood.training.context import set_up
    from mindflood.training.optimizer import AdamW, parameter_groups

    set_up("CPU", "graph", threads)
    if encoder:
        model = load_classifier(encoder, num_labels=2)
    else:
        model = BertForSequenceClassification(BertConfig(**SIZES))  # type: ignore[arg-type]
    optimizer = AdamW(parameter_groups(model, 0.01), 2e-5)
    cell = FloodingTrainOneStepCell(MeanCrossEntropy(model), optimizer, level)
    cell.set_train()
    noise = DropoutNoise(model.config, seed=0)
    weights = np.full(shape.rows, 1 / shape.rows, np.float32)
    stream = enumerate(batches(shape, model.config.vocab_size))

    def step() -> float:
        number, arrays = next(stream)
        masks = noise.draw(number, range(shape.rows), shape.length)
        return float(cell(*map(Tensor.from_numpy, (*arrays, weights, *masks))).asnumpy())

    ms.runtime.synchronize()
    return step


def hugging_face(shape: Shape, encoder: str = "", threads: int = THREADS) -> Step:
    """PyTorch eager, or mindnlp where that has taken the place of ``torch``."""
    import torch
    import transformers

    if hasattr(torch, "set_num_threads"):  # mindnlp's stand-in has not; see build()
        torch.set_num_threads(threads)
    if encoder:
        load = transformers.AutoModelForSequenceClassification.from_pretrained
        model = load(encoder, num_labels=2, local_files_only=True, ignore_mismatched_sizes=True)
    else:
        model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES))
    model.train()
    segments_too = "token_type_ids" in inspect.signature(model.forward).parameters
    plain = ("bias", "LayerNorm.weight", "layer_norm.weight", "attention_bias.weight")
    groups = [
        {"params": [p for n, p in model.named_parameters() if not n.endswith(plain)]},
        {"params": [p for n, p in model.named_parameters() if n.endswith(plain)]},
    ]
    groups[1]["weight_decay"] = 0.0  # type: ignore[assignment]
    optimizer = torch.optim.AdamW(groups, lr=2e-5, weight_decay=0.01)
    stream = batches(shape, model.config.vocab_size)

    def step() -> float:
        ids, mask, segments, labels = (torch.tensor(a.astype(np.int64)) for a in next(stream))
        more = {"token_type_ids": segments} if segments_too else {}
        output = model(ids, mask, labels=labels, **more)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        return float(output.loss)

    return step


def build(side: str, shape: Shape, encoder: str, threads: int) -> Step:
    if side in ("finetune", "flooding", "other"):
        return native(shape, 0.1 if side == "flooding" else None, encoder, threads)
    if side == "mindnlp":
        import mindnlp  # noqa: F401
        import mindspore as ms

        ms.set_context(runtime_num_threads=threads)
        import mindtorch

        # Its optimizers ask for a profiler that it does not have.
        mindtorch.autograd.profiler = SimpleNamespace(
            record_function=lambda name: contextlib.nullcontext()
        )
    return hugging_face(shape, encoder, threads)


def serve(options: argparse.Namespace) -> None:
    """Take a step whenever a line comes in; answer with its seconds and the peak memory in GiB."""
    clock = time.process_time if options.cpu else time.perf_counter
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the frameworks print does not go into the answers
    step = build(options.serve, options.shapes[0], options.encoder, options.threads)
    step()
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        start = clock()
        step()
        taken = clock() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(taken, peak, file=answers, flush=True)


class Contestant:
    """One implementation in its own process, the side ``other`` on another's packages."""

    def __init__(self, side: str, shape: Shape, options: argparse.Namespace) -> None:
        python = options.against if side == "other" else sys.executable
        command = [python, __file__, "--serve", side, "--encoder", options.encoder]
        command += ["--shapes", f"{shape.rows}x{shape.length}"]
        command += ["--threads", str(options.threads), *(["--cpu"] if options.cpu else [])]
        root = str(Path(__file__).resolve().parents[1])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        settings = os.environ | {"OMP_NUM_THREADS": str(options.threads), "PYTHONPATH": paths}
        process: Any = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=settings,
        )
        self.process = process
        if process.stdout.readline().strip() != "ready":
            process.kill()
            raise SystemExit(f"{side} did not start; run it alone: {' '.join(command)}")
        self.seconds: list[float] = []
        self.peak = 0.0
        self.process.send_signal(signal.SIGSTOP)

    def step(self) -> None:
        """One step; outside of it the process is stopped, so that no idle thread spins."""
        self.process.send_signal(signal.SIGCONT)
        print("step", file=self.process.stdin, flush=True)
        seconds, self.peak = map(float, self.process.stdout.readline().split())
        self.seconds.append(seconds)
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End the process, also one that is stopped or in the middle of a step."""
        self.process.kill()
        self.process.wait()


def race(
    shape: Shape, sides: list[str], options: argparse.Namespace
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of every step, and the peak memory in GiB.

    The first two rounds warm up and are not counted.
    """
    contestants: dict[str, Contestant] = {}
    try:
        for side in sides:
            contestants[side] = Contestant(side, shape, options)
        for number in range(options.rounds + 2):
            # The order is turned round every time, so that no side always follows the same one.
            for side in sides if number % 2 else sides[::-1]:
                contestants[side].step()
    finally:
        for contestant in contestants.values():
            contestant.stop()
    seconds = {side: contestant.seconds[2:] for side, contestant in contestants.items()}
    return seconds, {side: contestant.peak for side, contestant in contestants.items()}


def row(
    shape: Shape, seconds: dict[str, list[float]], peaks: dict[str, float]
) -> list[str | float]:
    """The shape, the medians of the sides, their ratios to fine-tuning's, and the peaks."""
    # Neighbouring steps share the machine's mood: the median of their ratios is steadier.
    ratios = (
        statistics.median(one / plain for one, plain in zip(own, seconds["finetune"], strict=True))
        for own in (seconds[side] for side in seconds if side != "finetune")
    )
    medians = (statistics.median(values) for values in seconds.values())
    return [str(shape), *medians, *ratios, *peaks.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--shapes",
        type=Shape.read,
        nargs="+",
        default=[Shape(BATCH, 32), Shape(BATCH, 64), Shape(BATCH, 128)],
        metavar="BxL",
        help="rows x tokens of a batch",
    )
    parser.add_argument("--encoder", default="", metavar="FOLDER", help="its network")
    parser.add_argument("--sides", nargs="+", choices=SIDES, help="what takes part")
    parser.add_argument("--rounds", type=int, default=10, help="counted steps of each side")
    parser.add_argument("--threads", type=int, default=THREADS, help="of every side")
    parser.add_argument("--cpu", action="store_true", help="seconds of the processor")
    parser.add_argument("--skip-mindnlp", action="store_true", help="it takes seconds a step")
    parser.add_argument("--against", metavar="PYTHON", default="", help="interpreter to compare")
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    add_option(parser)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    left_out = {"mindnlp" if options.skip_mindnlp else "", "" if options.against else "other"}
    if options.encoder and not options.sides:
        left_out |= {"flooding", "mindnlp"}
    wanted = {"finetune", *(options.sides or SIDES)} - left_out
    sides = [side for side in SIDES if side in wanted]
    unit = "CPU s" if options.cpu else "s"
    columns = [words("shape"), *(numbers(f"{side} ({unit})", 3) for side in sides)]
    columns += [numbers(f"{side} / finetune", 3) for side in sides if side != "finetune"]
    columns += [numbers(f"{side} (GiB)", 1) for side in sides]
    packages = ["mindspore", "torch", *(["mindnlp"] if "mindnlp" in sides else [])]
    sheet = Sheet("step", columns, packages=packages, threads=options.threads)
    for shape in options.shapes:
        sheet.add(*row(shape, *race(shape, sides, options)))
    sheet.keep(options.record)


if __name__ == "__main__":
    main()
