"""The probe at the end of every sub-epoch of a run (Flooding-X §3.2), and what it tells."""

import dataclasses
import time
from collections.abc import Callable
from typing import cast

from mindflood.cards.schema import ProbeFindings
from mindflood.config.settings import Config
from mindflood.flooding.accordance import (
    AccordanceProbe,
    LabelledBatch,
    default_rows_a_pass,
    probed_parameters,
)
from mindflood.flooding.level import CrossingDetector, FloodLevel
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.loss import MeanCrossEntropy
from mindflood.training.dataset import Datasets
from mindflood.training.evaluation import Evaluation
from mindflood.training.logs import JsonLines, lines_up_to
from mindflood.training.parallel import Worker, from_the_first
from mindflood.training.state import Position
from mindflood.training.sub_epoch_ends import check_no_gap, sub_epoch_ends

# Of float16 passes: small gradients do not vanish, large ones have 2⁶ of room left. A fixed scale,
# because the probe must not depend on where dynamic scaling happens to be.
_LOSS_SCALE = 2.0**10


class SubEpochs:
    """Divides epochs into sub-epochs, probes at the end of each, and watches for the crossing.

    Everything it knows of earlier sub-epochs stands in ``accordance.jsonl``, so a continued run
    reads it back from there.

    Args:
        trace: the run's ``accordance.jsonl``.
        position: where the run continues from; lines of later steps do not count.
        evaluate: loss and accuracy on the evaluation rows at the present weights.

    Raises:
        UserError: a line of the trace is missing or damaged; the message names it.
    """

    def __init__(
        self,
        config: Config,
        model: BertForSequenceClassification,
        data: Datasets,
        worker: Worker,
        trace: JsonLines,
        position: Position,
        evaluate: Callable[[], Evaluation],
    ) -> None:
        self.settings, self.worker, self.trace = config.accordance, worker, trace
        self.batches, self.evaluate = data.train, evaluate
        self.tags = data.task.kind == "tagging"
        self.probe = AccordanceProbe(
            MeanCrossEntropy(model),
            probed_parameters(model, self.settings.parameters),
            data.task.num_labels,
            rows_a_pass=self._rows_a_pass(config, data.task.num_labels),
            loss_scale=1.0 if config.training.precision == "float32" else _LOSS_SCALE,
        )
        self.detector = CrossingDetector(
            direction=self.settings.direction,
            persistence=self.settings.persistence,
            margin=self.settings.margin,
            name=str(trace.path),
        )
        self.seconds = 0.0
        self.evaluation_seconds = 0.0
        self.probes = 0
        sub_epochs, epochs = self.settings.sub_epochs, config.training.epochs
        self._ends = sub_epoch_ends(self.batches.steps_per_epoch, sub_epochs, epochs)
        self._continue(position.step)

    def after_step(self, position: Position, J: float) -> FloodLevel | None:
        """Count a step's raw loss; at the end of a sub-epoch, probe.

        Returns:
            The crossing, once it is confirmed.
        """
        position.sub_epoch_loss += J
        position.sub_epoch_steps += 1
        if position.step in self._ends:
            self._probe(position)
            position.sub_epoch_loss, position.sub_epoch_steps = 0.0, 0
        return self.detector.crossing

    def summary(self, train_seconds: float) -> ProbeFindings:
        """For the card: where the crossing was, if there was one, and what the probes cost.

        Args:
            train_seconds: spent in training steps; the probes' share is relative to it. The
                evaluations at the ends of sub-epochs, of which every epoch's last is any run's,
                are counted by themselves.
        """
        crossing = self.detector.crossing
        found: ProbeFindings = {"rule": "no crossing of zero"}
        if crossing is not None:
            found = cast(ProbeFindings, dataclasses.asdict(crossing))
        return {
            **found,
            "steps_per_epoch": self.batches.steps_per_epoch,
            "probe_seconds": self.seconds,
            "share_of_training": self.seconds / max(train_seconds, 1e-9),
            "evaluation_seconds": self.evaluation_seconds,
        }

    def cost(self, train_seconds: float) -> str:
        """What the probes cost, in a line for the log."""
        share = self.summary(train_seconds)["share_of_training"]
        return (
            f"gradient accordance: {self.probes} sub-epochs probed in {self.seconds:.1f} s, "
            f"{share:.1%} of the training time, at {self.batches.steps_per_epoch} steps an epoch; "
            f"evaluating at their ends took {self.evaluation_seconds:.1f} s"
        )

    def _rows_a_pass(self, config: Config, num_classes: int) -> int:
        """The probe's own choice, but no more rows than a micro-batch of this device, unpacked."""
        rows = self.batches.batch_size
        micro_batch = rows // (self.worker.count * config.training.accumulation_steps)
        if self.tags:  # a frequent tag has a row of nearly every sentence, most have a few
            return max(1, micro_batch // 4)
        return min(default_rows_a_pass(rows, num_classes), micro_batch)

    def _continue(self, step: int) -> None:
        """Take in the lines that earlier processes wrote up to a step."""
        records = lines_up_to(self.trace.path, step)
        done = [end for end in self._ends if end <= step]
        check_no_gap(records, done, str(self.trace.path))
        for record in records:
            self.detector.update(record)
            self.seconds += float(record.get("probe_seconds") or 0.0)
            self.evaluation_seconds += float(record.get("evaluation_seconds") or 0.0)
        self.probes = len(records)

    def _probe(self, position: Position) -> None:
        """Accordance of the sub-epoch's last batches, all at the weights it has ended with."""
        started = time.perf_counter()
        epoch, last = divmod(position.step - 1, self.batches.steps_per_epoch)
        first = last + 1 - min(self.settings.batches, position.sub_epoch_steps)
        indices = range(first, last + 1)
        estimator = self.probe.measure(
            (LabelledBatch.of(self.batches.batch(epoch, index)) for index in indices),
            rank=self.worker.rank,
            worker_count=self.worker.count,
        )
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self.probes += 1
        result = self.evaluate()
        evaluated = time.perf_counter() - started - seconds
        self.evaluation_seconds += evaluated
        J = position.sub_epoch_loss / position.sub_epoch_steps
        record = {
            "step": position.step,
            "epoch": position.step / self.batches.steps_per_epoch,
            "accordance": estimator.value(),
            "train_loss": from_the_first(J, self.worker),  # every worker floods at this level
            "eval_loss": result.loss,
            "eval_accuracy": result.accuracy,
            "probe_seconds": seconds,
            "evaluation_seconds": evaluated,
        }
        self.trace.append(record)
        self.detector.update(record)
