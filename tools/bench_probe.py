"""What the gradient accordance probe costs: its time relative to training's, and its memory.

python tools/bench_probe.py --threads 2
python tools/bench_probe.py --encoder BERT_BASE_FOLDER --batch-size 16 --rounds 2
python tools/bench_probe.py --encoder BERT_BASE_FOLDER --length 64 --rounds 2 --no-training

The embedded encoder on rows of one length, in graph mode, without compilation. Training steps and
probed batches take turns in one process; medians. The share is the probes' time over that of the
training steps, in a run whose epochs have ``--steps`` steps and ``--sub-epochs`` probes of
``--batches`` batches. Memory is the largest resident size of the whole process: before the probes
with the network alone or, with training, after its first step.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
from records import Sheet, add_option, numbers, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--length", type=int, default=32, help="tokens a row")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--which", default="all", help="probed parameters: all, encoder, last-N")
    parser.add_argument(
        "--rows-a-pass", type=int, nargs="+", default=[0], help="several compare; 0: the default"
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--batches", type=int, default=8, help="of a probe")
    parser.add_argument("--sub-epochs", type=int, default=2, help="probes an epoch")
    parser.add_argument("--steps", type=int, default=1000, help="training steps an epoch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--no-training", action="store_true", help="memory of the network and the probe alone"
    )
    add_option(parser)
    measure(parser.parse_args())


def measure(settings: argparse.Namespace) -> None:
    """Take turns; a row a way of probing."""
    from mindspore import Tensor

    from mindflood.flooding.accordance import (
        AccordanceEstimator,
        AccordanceProbe,
        LabelledBatch,
        probed_parameters,
    )
    from mindflood.flooding.step import FloodingTrainOneStepCell
    from mindflood.models.classifier import load_classifier
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import MeanCrossEntropy
    from mindflood.models.pretrained import resolve_encoder
    from mindflood.training.context import set_up
    from mindflood.training.optimizer import AdamW, parameter_groups

    set_up("CPU", "graph", settings.threads)
    rows, length, k = settings.batch_size, settings.length, settings.classes
    model = load_classifier(resolve_encoder(settings.encoder), num_labels=k)
    network = MeanCrossEntropy(model)
    if not settings.no_training:
        optimizer = AdamW(parameter_groups(model, 0.01), 2e-5)
        step_cell = FloodingTrainOneStepCell(network, optimizer, 0.1)
        step_cell.set_train()
    noise = DropoutNoise(model.config, seed=0)
    parameters = probed_parameters(model, settings.which)
    random = np.random.default_rng(0)

    def batch() -> LabelledBatch:
        ids = random.integers(1000, model.config.vocab_size, (rows, length)).astype(np.int32)
        labels = random.integers(0, k, rows).astype(np.int32)
        return LabelledBatch((ids, np.ones_like(ids), np.zeros_like(ids)), labels)

    def step(number: int) -> None:
        arrays = batch()
        weights = np.full(rows, 1 / rows, np.float32)
        masks = noise.draw(number, range(rows), length)
        inputs = (*arrays.inputs, arrays.labels, weights, *masks)
        step_cell(*map(Tensor, inputs)).asnumpy()

    probes = [
        AccordanceProbe(network, parameters, k, rows_a_pass=size or None)
        for size in settings.rows_a_pass
    ]
    estimators = [AccordanceEstimator(k, dtype=np.float32) for _ in probes]
    steps: list[float] = []
    passes: list[list[float]] = [[] for _ in probes]
    updates: list[list[float]] = [[] for _ in probes]
    memory = [_peak()]

    def measured(probe: AccordanceProbe, estimator: AccordanceEstimator) -> tuple[float, float]:
        rows = batch()
        started = time.perf_counter()
        gradients = probe.class_gradients(rows.inputs, rows.labels)
        return time.perf_counter() - started, _seconds(lambda: estimator.update(gradients))

    for number in range(settings.rounds + 1):
        if not settings.no_training:
            steps.append(_seconds(lambda: step(number)))  # noqa: B023
            memory.append(_peak())
        for probe, estimator, spent, added in zip(probes, estimators, passes, updates, strict=True):
            in_passes, in_estimator = measured(probe, estimator)
            spent.append(in_passes)
            added.append(in_estimator)
    sheet = Sheet("probe", _COLUMNS, packages=["mindspore"], threads=settings.threads)
    vector = sum(parameter.size for parameter in parameters) * 4 / 2**30
    before = memory[0 if settings.no_training else 1]
    for size, spent, added in zip(settings.rows_a_pass, passes, updates, strict=True):
        shape, way = f"{rows}×{length}", str(size or "default")
        told: list[float | None] = [None] * 4
        if not settings.no_training:
            step_seconds = statistics.median(steps[1:])
            ratios = [statistics.median(part[1:]) / step_seconds for part in (spent, added)]
            probed = settings.sub_epochs * settings.batches * sum(ratios)
            told = [step_seconds, *ratios, 100 * probed / settings.steps]
        sheet.add(shape, way, *told, vector, before, _peak())
    sheet.keep(settings.record)


_COLUMNS = (
    words("shape"),
    words("rows a pass"),
    numbers("training step (s)", 3),
    numbers("gradients / step", 2),
    numbers("estimator / step", 2),
    numbers("share of training time%", 1),
    numbers("a gradient vector (GiB)", 3),
    numbers("peak before the probes (GiB)", 2),
    numbers("peak (GiB)", 2),
)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak() -> float:
    """Largest resident memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
