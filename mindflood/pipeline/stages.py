"""The stages of an experiment as processes: MindSpore and PyTorch do not share one."""

from pathlib import Path

from mindflood.config.attack import task_to_json
from mindflood.config.settings import Config
from mindflood.pipeline.finished import is_finished
from mindflood.process import run_verb
from mindflood.training.run_folder import epoch_folder


def train(config_file: Path) -> None:
    """``mindflood train``."""
    run_verb("train", str(config_file))


def export(run: Path, epoch: int | None = None) -> None:
    """``mindflood export`` into ``model/`` of the run or of its epoch, unless it is there."""
    folder = run if epoch is None else epoch_folder(run, epoch)
    if not (folder / "model" / "config.json").exists():
        words = [] if epoch is None else ["--epoch", str(epoch)]
        run_verb("export", str(run), *words)


def attack(
    run: Path,
    config: Config,
    recipe: str,
    num_examples: int | None,
    *,
    calibrated: bool = False,
) -> None:
    """``mindflood attack`` on the export in the folder of a run or an epoch, into ``attacks/``.

    An attack that the card has whole is not started again.

    Args:
        calibrated: attack the victim at ``attack.temperature``.
    """
    out = run / "attacks"
    settings = config.attack_on(run / "model", recipe, num_examples, calibrated=calibrated)
    if is_finished(out, settings):
        return
    run_verb("attack", settings.model, "--out", str(out), "--settings", settings.to_json())


def export_weights(weights: Path, model: Path, config: Config) -> None:
    """``mindflood export`` of weights of a run that is not complete, into ``model``."""
    task, layers = config.task, config.encoder_layers
    words = ["--encoder", config.encoder, "--described", task_to_json(task.as_task)]
    words += ["--max-length", str(task.max_length)]
    words += [] if layers is None else ["--encoder-layers", str(layers)]
    words += [] if task.data is None else ["--data", task.data]
    run_verb("export", str(weights), str(model), *words)


def attack_training_rows(run: Path, epoch: int) -> None:
    """``mindflood attack`` on training rows, for the epoch (from 1) that trains on them."""
    run_verb("attack", str(run), "--training-rows", str(epoch))
