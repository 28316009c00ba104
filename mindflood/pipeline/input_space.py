"""Training on adversarial examples (Yoo & Qi 2021, algorithm 1): epochs, and attacks between them.

This process trains. Where an epoch begins with an attack, it writes the weights as they are, and
two processes after it export them and attack training rows. All that an attack leaves is in the
RUN folder before a step is made with it, so that a run that is killed finds it there.
"""

import time
from pathlib import Path

import numpy as np

from mindflood.config.settings import Config
from mindflood.data.batching import Batches
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.files import read_json, write_json
from mindflood.pipeline import stages
from mindflood.terminal import tell
from mindflood.training import parallel
from mindflood.training.adversarial_rows import (
    SUMMARY,
    check_there,
    read_round,
    round_folder,
    wanted_of,
)
from mindflood.training.dataset import batches_of
from mindflood.training.epochs import FoundEpochs, Plan, Round
from mindflood.training.loop import Level, Trainer, start
from mindflood.training.run_folder import at_work

_SECONDS = "seconds.json"  # on the clock, of the processes that an attack took


def train_on_adversarial(config: Config) -> Path:
    """Train the model of ``config``, whose method attacks training rows between epochs.

    Returns:
        The RUN folder, with ``adversarial/`` beside what every run has.

    Raises:
        UserError: bad input; see :func:`mindflood.training.loop.train`; or workers of ``msrun``,
            each of which would attack.
    """
    if parallel.several():
        raise UserError(
            f"method: '{config.method}' starts its own processes and cannot run under msrun; start "
            "it without, and share the attack out with adversarial.workers"
        )
    with at_work(config) as complete:
        if complete:
            return config.run_folder
        if config.adversarial.clean_epochs == config.training.epochs:
            tell(
                f"{config.run_folder}: adversarial.clean_epochs are all of training.epochs: "
                "nothing is attacked, and the method changes nothing"
            )
        b = config.fixed_level
        level = Level(b, None if b is None else "fixed")
        return Trainer(config, start(config), level, epochs_of=_found_epochs).run()


def _found_epochs(trainer: Trainer) -> FoundEpochs:
    config, section = trainer.config, trainer.config.adversarial
    rows = trainer.data.rows.train
    plan = Plan(
        len(rows),
        config.training.batch_size,
        config.training.epochs,
        section.clean_epochs,
        section.interval,
        wanted_of(section.gamma, len(rows)),
    )
    told = trainer.card_parts.setdefault("adversarial", [])

    def find(epoch: int, begun: bool) -> Round:
        folder = round_folder(config.run_folder, epoch + 1)
        if begun:
            check_there(folder)
        elif not (folder / SUMMARY).exists():
            _attack(trainer, epoch + 1, folder)
        examples, summary = read_round(folder, trainer.data.task)
        seconds = _seconds(folder)
        told.append({**summary, "seconds": seconds})
        return Round(examples, seconds)

    def unite(found: Examples) -> Batches:
        weights = np.ones(len(rows) + len(found))
        weights[len(rows) :] = section.alpha
        every = rows.joined(found)
        encoder, task = trainer.encoder, trainer.data.task
        return batches_of(config, encoder, task, every, shuffle=True, weights=weights)

    return FoundEpochs(trainer.data.train, plan, find, unite)


def _attack(trainer: Trainer, epoch: int, folder: Path) -> None:
    """Export the model as it is, and attack rows with it; the time is kept, also of a part."""
    before, started = _seconds(folder), time.monotonic()
    try:
        if not (folder / "model" / "config.json").exists():
            weights = folder / "weights.ckpt"
            trainer.write_weights(weights)
            stages.export_weights(weights, folder / "model", trainer.config)
            weights.unlink()
        stages.attack_training_rows(trainer.folder, epoch)
    finally:
        write_json(folder / _SECONDS, before + time.monotonic() - started)


def _seconds(folder: Path) -> float:
    path = folder / _SECONDS
    return float(read_json(path)) if path.exists() else 0.0
