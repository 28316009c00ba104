"""The probe at the end of every sub-epoch of a run (Flooding-X §3.2), and what it tells."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from mindflood.config import Config
from mindflood.files import read_json_lines
from mindflood.flooding.accordance import AccordanceProbe, LabelledBatch, probed_parameters
from mindflood.flooding.level import CrossingDetector, FloodLevel
from mindflood.models.bert import BertForSequenceClassification
from mindflood.training.dataset import Datasets
from mindflood.training.evaluation import Evaluation
from mindflood.training.logs import JsonLines
from mindflood.training.objective import MeanCrossEntropy
from mindflood.training.parallel import Worker
from mindflood.training.state import Position


class SubEpochs:
    """Divides epochs into sub-epochs, probes at the end of each, and watches for the crossing.

    Everything it knows of earlier sub-epochs stands in ``accordance.jsonl``, so a continued run
    reads it back from there.

    Args:
        trace: the run's ``accordance.jsonl``.
        position: where the run continues from; lines of later steps do not count.
        evaluate: loss and accuracy on the evaluation rows at the present weights.
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
        self.probe = AccordanceProbe(
            MeanCrossEntropy(model),
            probed_parameters(model, self.settings.parameters),
            data.task.num_labels,
        )
        self.detector = CrossingDetector(
            direction=self.settings.direction,
            persistence=self.settings.persistence,
            margin=self.settings.margin,
            name=str(trace.path),
        )
        self.seconds = 0.0
        for record in read_json_lines(trace.path):
            if record["step"] <= position.step:
                self.detector.update(record)
                self.seconds += record["probe_seconds"]
        per_epoch = self.batches.steps_per_epoch
        parts = min(self.settings.sub_epochs, per_epoch)
        self._ends = {round(per_epoch * (part + 1) / parts) for part in range(parts)}

    def after_step(self, position: Position, J: float) -> FloodLevel | None:
        """Count a step's raw loss; at the end of a sub-epoch, probe.

        Returns:
            The crossing, once it is confirmed.
        """
        position.sub_epoch_loss += J
        position.sub_epoch_steps += 1
        within = (position.step - 1) % self.batches.steps_per_epoch + 1
        if within in self._ends:
            self._probe(position, within)
            position.sub_epoch_loss, position.sub_epoch_steps = 0.0, 0
        return self.detector.crossing

    def summary(self, train_seconds: float) -> dict[str, Any]:
        """For the card: where the crossing was, if there was one, and what the probes cost."""
        crossing = self.detector.crossing
        found = {"rule": "no crossing: the run was never flooded"}
        if crossing is not None:
            found = dataclasses.asdict(crossing)
        return found | {
            "probe_seconds": self.seconds,
            "share_of_training": self.seconds / max(train_seconds, 1e-9),
        }

    def _probe(self, position: Position, within: int) -> None:
        """Accordance of the sub-epoch's last batches, all at the weights it has ended with."""
        started = time.perf_counter()
        epoch = (position.step - 1) // self.batches.steps_per_epoch
        first = max(0, within - min(self.settings.batches, position.sub_epoch_steps))
        estimator = self.probe.measure(
            (LabelledBatch.of(self.batches.batch(epoch, index)) for index in range(first, within)),
            rank=self.worker.rank,
            worker_count=self.worker.count,
        )
        seconds = time.perf_counter() - started
        self.seconds += seconds
        result = self.evaluate()
        record = {
            "step": position.step,
            "epoch": position.step / self.batches.steps_per_epoch,
            "accordance": estimator.value(),
            "train_loss": position.sub_epoch_loss / position.sub_epoch_steps,
            "eval_loss": result.loss,
            "eval_accuracy": result.accuracy,
            "probe_seconds": seconds,
        }
        self.trace.append(record)
        self.detector.update(record)
