"""Train one model: one method, one seed, one RUN folder."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, cast

import mindspore as ms
import numpy as np
from mindspore import nn

from mindflood.cards.cards import Card, new_card, write_card
from mindflood.cards.degenerate import signs_in_answers
from mindflood.cards.schema import LevelSource, TrainingLosses
from mindflood.config.settings import Config
from mindflood.data.batching import Batches
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.errors import UserError
from mindflood.flooding.accumulation import AccumulatedFloodingStep
from mindflood.flooding.level import FloodLevel
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale
from mindflood.metrics import undefined
from mindflood.models.classifier import load_classifier
from mindflood.models.dropout import DropoutNoise
from mindflood.models.loss import MeanCrossEntropy, RowCrossEntropy
from mindflood.models.packed_texts import PackedCrossEntropy, PackedRowCrossEntropy
from mindflood.models.pretrained import described_encoder, resolve_encoder
from mindflood.terminal import tell
from mindflood.training import context, parallel, row_losses, state
from mindflood.training.checkpoint import write_checkpoint
from mindflood.training.dataset import Datasets, Rows, load_datasets
from mindflood.training.decay import Decay
from mindflood.training.defended_step import cell_beside, defended, rule_in
from mindflood.training.epochs import Epochs, FoundEpochs
from mindflood.training.evaluation import Classifier, Evaluation, evaluate
from mindflood.training.inputs import Noise, packing_for, step_inputs
from mindflood.training.logs import JsonLines
from mindflood.training.optimizer import AdamW, parameter_groups
from mindflood.training.progress import TrainingProgress
from mindflood.training.row_record import claim_rows
from mindflood.training.run_folder import at_work, epoch_folder
from mindflood.training.schedule import MovingDecay, scheduled, warmup_steps
from mindflood.training.sub_epoch_ends import check_fits
from mindflood.training.sub_epochs import SubEpochs
from mindflood.visible import visible_line

# The loss as a network: whether it is flooded row by row, and whether texts share rows.
_NETWORKS: Mapping[tuple[bool, bool], type[nn.Cell]] = {
    (False, False): MeanCrossEntropy,
    (True, False): RowCrossEntropy,
    (False, True): PackedCrossEntropy,
    (True, True): PackedRowCrossEntropy,
}
_COMPUTE = {"float32": ms.float32, "float16": ms.float16, "bfloat16": ms.bfloat16}
_log = logging.getLogger(__name__)


class Watch(Enum):
    """What a run does with gradient accordance."""

    OFF = "no probe"
    PROBE = "record it"
    FLOOD = "flood at the level that it gives, from the crossing on"


@dataclass(frozen=True)
class Level:
    """The flood level b of a run in nats (None: no flooding), and where it comes from."""

    value: float | None
    source: LevelSource | None


def train(config: Config) -> Path:
    """Train the model of ``config``, or continue a RUN folder that is incomplete.

    Returns:
        The RUN folder, with ``config.yaml``, logs, checkpoints and ``card.json``.

    Raises:
        UserError: bad input; or the loss stopped being finite, with the last good checkpoint kept.
    """
    worker = start(config)
    with at_work(config, writes=worker.writes) as complete:
        if complete:
            return config.run_folder
        level = config.fixed_level
        source: LevelSource | None = None if level is None else "fixed"
        watch = Watch.PROBE if config.accordance.record else Watch.OFF
        if config.online:
            watch = Watch.FLOOD
        return Trainer(config, worker, Level(level, source), watch).run()


def start(config: Config) -> parallel.Worker:
    """Set MindSpore up and join the other workers; which of them this is.

    Raises:
        UserError: the method needs the whole batch, and ``msrun`` would divide it.
    """
    method = DEFENCE_METHODS.get(config.method)
    if method is not None and method.one_device and parallel.several():
        raise UserError(
            f"method: '{config.method}' {method.whole_batch}, which one device must hold; start "
            "it without msrun"
        )
    if config.training.pack_texts and parallel.several():
        raise UserError("training.pack_texts: packs a whole batch; start it without msrun")
    context.set_up(config.device, config.training.mode, config.training.threads)
    return parallel.join()


class Trainer:
    """One run: the network, its step cell and the data, from first step to card.

    Args:
        card: further parts of the run's card, which is written whole, at the end.
        row_levels: float ``[n]``, of the training rows where each has a flood level of its own.
        rows: in place of those that the config names.
        epochs_of: what each epoch trains on, made of this trainer; None: all rows.
    """

    def __init__(
        self,
        config: Config,
        worker: parallel.Worker,
        level: Level,
        watch: Watch = Watch.OFF,
        card: Mapping[str, Any] | None = None,
        row_levels: np.ndarray | None = None,
        rows: Rows | None = None,
        epochs_of: "Callable[[Trainer], Epochs] | None" = None,
    ) -> None:
        self.row_levels = row_levels
        self.config, self.worker, self.level, self.watch = config, worker, level, watch
        self.card_parts = dict(card or {})
        self.sub_epochs: SubEpochs | None = None
        self.evaluated: tuple[int, Evaluation] | None = None
        self.folder = config.run_folder
        self.encoder = encoder = resolve_encoder(config.encoder)
        self.data: Datasets = load_datasets(config, encoder, rows)
        if watch is not Watch.OFF:
            check_fits(self.data.train.steps_per_epoch, config.accordance.sub_epochs)
        self.warnings: list[str] = []
        if self.data.task.kind == "classification":
            labels = self.data.train.labels
            self._warn("training", labels, labels)  # right answers: one class is a sign still
        settings = config.training
        self.epochs = Epochs(self.data.train, settings.epochs)
        self.model = load_classifier(
            encoder,
            label_names=self.data.task.label_names,
            seed=config.seed,
            compute_type=_COMPUTE[settings.precision],
            layers=config.encoder_layers,
            dropout=settings.dropout,
            kind=self.data.task.kind,
            choices=self.data.choices,
        )
        longest = self.model.config.max_length
        if config.task.max_length > longest:
            raise UserError(
                f"task.max_length: the encoder takes at most {longest} tokens, not "
                f"{config.task.max_length}"
            )
        self.noise: Noise = DropoutNoise(self.model.config, config.seed, settings.pack_texts)
        self.pack = packing_for(self.model.config) if settings.pack_texts else None
        if epochs_of is not None:
            self.epochs = epochs_of(self)
        updates = self.epochs.total * config.updates_per_batch
        warmup = warmup_steps(settings.warmup, updates)
        self.schedule = scheduled(settings.schedule, settings.learning_rate, warmup, updates)
        if isinstance(self.epochs, FoundEpochs) and settings.schedule == "linear":
            self.epochs.decay = Decay(warmup, updates)
            self.schedule = MovingDecay(settings.learning_rate, self.epochs.decay)
        beside = cell_beside(config.method, self.model, config.seed)
        groups = parameter_groups(
            self.model, settings.weight_decay, beside,
            decay_all_beside=config.defence.variant == "release",
        )  # fmt: skip
        optimizer = AdamW(groups, self.schedule)
        options: dict[str, Any] = {
            "max_gradient_norm": settings.max_gradient_norm,
            "loss_scale": None if settings.precision == "float32" else LossScale(),
            "rows": rule_in(config),
        }
        if config.defends:
            self.step_cell, self.noise = defended(
                config, self.model, optimizer, level.value, beside, **options
            )
        else:
            network = _NETWORKS[config.row_method is not None, settings.pack_texts]
            self.step_cell = FloodingTrainOneStepCell(
                network(self.model), optimizer, level.value, **options
            )
        self.accumulated = AccumulatedFloodingStep(self.step_cell)
        self.classifier = Classifier(self.model)
        self.parameters = state.state_of(self.step_cell)

    def run(self) -> Path:
        """Train to the end and write the card."""
        writes = self.worker.writes
        if writes:
            claim_rows(self.folder, self.data.rows)
        position = state.restore(self.folder / "checkpoints", self.parameters)
        self.trace = JsonLines(self.folder / "trace.jsonl", position.step, writes)
        self.evaluations = JsonLines(self.folder / "evaluations.jsonl", position.step, writes)
        if self.watch is not Watch.OFF:
            self.sub_epochs = self._sub_epochs(position)
            self._flood_from_the_crossing(self.sub_epochs.detector.crossing)
        self.epochs.resume(position.step)
        title = self.folder.name
        with TrainingProgress(title, self.epochs.total, position.step, not writes) as progress:
            for epoch in range(self.epochs.of(position.step), self.epochs.count):
                self._epoch(epoch, position, progress)
        if writes:
            if self.sub_epochs is not None:
                self._say_what_came_of_it(self.sub_epochs, position)
            write_card(self.folder / "card.json", self._card(position))
        return self.folder

    def _epoch(self, epoch: int, position: state.Position, progress: TrainingProgress) -> None:
        """Every step of an epoch that is still to be done."""
        settings = self.config.training
        with progress.hidden():
            batches = self._begin(epoch, position)
        progress.expect(self.epochs.total)
        start, end = self.epochs.span(epoch)
        inputs = step_inputs(
            batches, self.noise, self.worker, settings.accumulation_steps,
            epoch, (start, end), position.step, self.row_levels, self.pack,
        )  # fmt: skip
        started = time.perf_counter()
        for micro_batches in inputs:
            J = self._step(micro_batches, position.step)
            position.step += 1
            if position.step % settings.log_every == 0 or position.step == self.epochs.total:
                self.trace.append(self._trace_line(position.step, J))
            position.spend(epoch, time.perf_counter() - started)
            progress.step(J, self.level.value)
            if self.sub_epochs is not None:
                self._flood_from_the_crossing(self.sub_epochs.after_step(position, J))
            if position.step == end:
                progress.evaluated(self._evaluate(position, self.evaluations))
                self._save(position)
            elif position.step % settings.checkpoint_every == 0:
                self._save(position)
            started = time.perf_counter()

    def _begin(self, epoch: int, position: state.Position) -> Batches:
        """The rows of an epoch; what it took to find them is part of the time of its training."""
        batches = self.epochs.begin(epoch)
        if position.step == self.epochs.span(epoch)[0]:
            position.spend(epoch, self.epochs.seconds(epoch))
        if isinstance(self.schedule, MovingDecay):
            self.schedule.follow()
        return batches

    def _sub_epochs(self, position: state.Position) -> SubEpochs:
        trace = JsonLines(
            self.folder / "accordance.jsonl", position.step, self.worker.writes, durable=True
        )
        return SubEpochs(
            self.config, self.model, self.data, self.worker, trace, position,
            lambda: self._evaluation_at(position.step),
        )  # fmt: skip

    def _flood_from_the_crossing(self, crossing: FloodLevel | None) -> None:
        """Set b in the running step cell (method flooding-x-online); nothing is compiled again."""
        if self.watch is Watch.FLOOD and crossing is not None and self.level.value is None:
            self.level = Level(crossing.level, crossing.source)
            self.step_cell.set_flood_level(crossing.level)

    def _say_what_came_of_it(self, sub_epochs: SubEpochs, position: state.Position) -> None:
        tell(f"{self.folder.name}  {sub_epochs.cost(position.train_seconds)}")
        if self.watch is Watch.FLOOD and self.level.value is None:
            _log.warning(
                "%s: gradient accordance made no persistent crossing of zero: the run was NOT "
                "flooded and is %s; train longer, or use %s: flooding-x, which falls back on a "
                "level",
                visible_line(str(self.folder)),
                f"plain {self.config.method}" if self.config.defends else "plain fine-tuning",
                "method" if self.config.flood_level is None else "flood_level",
            )

    def _step(self, micro_batches: list[tuple[ms.Tensor, ...]], step: int) -> float:
        """One optimizer step, tried again while the loss scale comes down; the raw J."""
        update = self.step_cell.update
        while True:
            scale = update.current_scale()
            if len(micro_batches) == 1:
                J = float(self.step_cell(*micro_batches[0]).asnumpy())
            else:
                J = float(self.accumulated(micro_batches).asnumpy())
            norm = float(update.gradient_norm.asnumpy())
            if math.isfinite(J) and math.isfinite(norm):
                return J
            if not update.scaled or scale <= update.settings.minimum:
                self._stop(step, "the loss" if not math.isfinite(J) else "a gradient")

    def _warn(self, rows: str, predictions: np.ndarray, labels: np.ndarray) -> None:
        """Say, and keep for the card, what speaks against a classifier in some rows' answers."""
        task = self.data.task
        signs = signs_in_answers(
            task.kind, predictions, labels, task.label_names, self.data.mean_choices
        )
        self._say(rows, signs)

    def _say(self, rows: str, signs: list[str]) -> None:
        found = [f"{rows} rows: {sign}" for sign in signs]
        self.warnings += found
        for warning in found if self.worker.writes else ():
            tell(f"mindflood: warning: {self.folder}: {warning}")

    def _stop(self, step: int, what: str) -> NoReturn:
        found = state.checkpoints(self.folder / "checkpoints")
        kept = f"the last good checkpoint is {found[-1][1]}" if found else "nothing was saved yet"
        raise UserError(
            f"{self.folder}: step {step + 1}: {what} is no longer finite; {kept}; lower "
            f"training.learning_rate ({self.config.training.learning_rate:g}) or set "
            "training.max_gradient_norm, in a new output folder"
        )

    def _trace_line(self, step: int, J: float) -> dict[str, float | int | bool]:
        """``flooding``: J < b; for freeat its mean over the replays, each of which has a sign.

        ``climbing``: share of the rows whose loss the step raised, where each has its own weight.
        """
        level = self.level.value
        line = {
            "step": step,
            "epoch": self.epochs.done(step),
            "loss": J,
            "flooding": level is not None and level > J,
            "gradient_norm": float(self.step_cell.update.gradient_norm.asnumpy()),
            "learning_rate": self.schedule.at(step * self.config.updates_per_batch - 1),
        }
        if self.step_cell.by_rows:
            line["climbing"] = float(self.step_cell.climbing.asnumpy())
        return line

    def _evaluation_at(self, step: int) -> Evaluation:
        """Made once a step: a sub-epoch that ends with its epoch shares it."""
        if self.evaluated is None or self.evaluated[0] != step:
            metrics = self.data.task.metrics
            self.evaluated = step, evaluate(self.classifier, self.data.evaluation, metrics)
        return self.evaluated[1]

    def _evaluate(self, position: state.Position, evaluations: JsonLines) -> str:
        """Evaluate and log; what to show of it."""
        result = self._evaluation_at(position.step)
        evaluations.append(
            {
                "step": position.step,
                "epoch": self.epochs.done(position.step),
                "eval_loss": result.loss,
                "eval_accuracy": result.accuracy,
                **_beyond_accuracy("eval_metrics", result),
                "train_seconds": position.train_seconds,
            }
        )
        first = self.data.task.metrics[0]
        value = result.metrics[first]
        if first == "accuracy" and value is not None:
            return f"accuracy {100 * value:.1f} %"
        return f"{first} {'undefined' if value is None else f'{value:.3f}'}"

    def _save(self, position: state.Position) -> None:
        if not self.worker.writes:
            return
        if not state.is_finite(self.parameters):
            self._stop(position.step - 1, "a weight")
        done = self.epochs.done(position.step)
        if self.config.training.keep_epochs and done.is_integer():
            # Before the checkpoint: a run that is killed between the two writes this file again.
            self.write_weights(epoch_folder(self.folder, int(done)) / "weights.ckpt")
        state.save(self.folder / "checkpoints", self.parameters, position)

    def clean_losses(self) -> np.ndarray:
        """Of each row of the clean accuracy, float64 ``[n]`` in nats, at the present weights."""
        return evaluate(self.classifier, self.data.clean).losses

    def _training_losses(self) -> TrainingLosses:
        """Of each row at the end, into a file beside the card; for the card, what they come to."""
        losses = evaluate(self.classifier, self.data.train, most=row_losses.MOST).losses
        wrong = row_losses.wrong_labels(self.data.rows)
        own = self.row_levels
        row_losses.write_row_losses(self.folder / row_losses.FILE, losses, own, wrong)
        return row_losses.summary(losses, self.level.value if own is None else own, wrong)

    def write_weights(self, path: Path) -> None:
        """The network's weights as they are, without the optimizer's state."""
        weights = {parameter.name: parameter for parameter in self.model.get_parameters()}
        write_checkpoint(path, weights, {})

    def _card(self, position: state.Position) -> Card:
        config = self.config
        card = new_card(
            task=config.task.name,
            method=config.trained_as,
            seed=config.seed,
            encoder=described_encoder(config.encoder, config.encoder_layers),
            flood_level=self.level.value,
            flood_level_source=self.level.source,
        )
        task = self.data.task
        clean = evaluate(self.classifier, self.data.clean, task.metrics)
        card["clean_accuracy"] = clean.accuracy
        card["clean_loss"] = clean.loss
        if clean.calibration_error is not None:
            card["clean_calibration_error"] = clean.calibration_error
        card["training_losses"] = self._training_losses()
        self._warn(task.attacked_split, clean.predictions, clean.labels)
        self._say(task.attacked_split, undefined(clean.metrics, clean.predictions))
        card["train_seconds"] = position.train_seconds
        # The median: the first epoch also compiles the graphs.
        card["seconds_per_epoch"] = float(np.median(position.epoch_seconds))
        card["settings"] = config.conditions()
        card["data"] = {
            "train": len(self.data.train.labels),
            "test": len(self.data.clean.labels),
            "words": self.data.mean_words,
            "hashes": self.data.rows.hashes,
        }
        if self.sub_epochs is not None:
            card["accordance"] = self.sub_epochs.summary(position.train_seconds)
        warnings = {"warnings": self.warnings} if self.warnings else {}
        parts = {**_beyond_accuracy("metrics", clean), **warnings, **self.card_parts}
        return cast(Card, {**card, **parts})


def _beyond_accuracy(key: str, found: Evaluation) -> dict[str, Any]:
    """The metrics of a task that has others than accuracy, under a key."""
    return {} if list(found.metrics) == ["accuracy"] else {key: dict(found.metrics)}
