"""The stages of an experiment as processes: MindSpore and PyTorch do not share one."""

import signal
from pathlib import Path

from mindflood.config.recipes import RECIPES
from mindflood.config.settings import Config
from mindflood.data.tasks import get_task
from mindflood.errors import StageFailedError, UserError
from mindflood.interrupts import STOPPED
from mindflood.pipeline.finished import is_finished
from mindflood.process import module_command, run_to_its_end
from mindflood.training.run_folder import epoch_folder


def train(config_file: Path) -> None:
    """``mindflood train``."""
    _mindflood("train", str(config_file))


def export(run: Path, epoch: int | None = None) -> None:
    """``mindflood export`` into ``model/`` of the run or of its epoch, unless it is there."""
    folder = run if epoch is None else epoch_folder(run, epoch)
    if not (folder / "model" / "config.json").exists():
        words = [] if epoch is None else ["--epoch", str(epoch)]
        _mindflood("export", str(run), *words)


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
    if is_finished(out, config, recipe, num_examples, calibrated=calibrated):
        return
    settings = config.attack
    words = [str(run / "model"), "--task", config.task.name, "--recipe", recipe]
    words += ["--out", str(out), "--profile", settings.profile]
    words += ["--seed", str(settings.seed), "--workers", str(settings.workers)]
    if config.task.data is not None:
        # The split is named: a file by itself would be attacked whole, training rows and all.
        words += ["--data", config.task.data, "--split", get_task(config.task.name).attacked_split]
    if settings.columns != "both":
        words += ["--columns", settings.columns]
    if calibrated:
        words += ["--temperature", str(settings.temperature)]
        if isinstance(settings.temperature, str):
            words += ["--held-out", settings.held_out]
    if settings.allow_pickles:
        words.append("--allow-textattack-pickles")
    entry = RECIPES[recipe]
    if settings.candidates is not None and entry.has_candidates:
        words += ["--candidates", str(settings.candidates)]
    if settings.masked_lm is not None and entry.asks_masked_lm:
        words += ["--masked-lm", settings.masked_lm]
    for option in ("max_queries", "max_seconds"):
        if (limit := getattr(settings, option)) is not None:
            words += [f"--{option.replace('_', '-')}", str(limit)]
    if num_examples is not None:
        words += ["--num-examples", str(num_examples)]
    _mindflood("attack", *words)


def _mindflood(*words: str) -> None:
    """Run one verb; its output is the user's to see.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it.
        StageFailedError: it failed.
        UserError: it was killed.
    """
    status = run_to_its_end(module_command("mindflood", *words))
    if status < 0:
        raise UserError(
            f"'mindflood {words[0]}' was killed by signal {-status} (out of memory?); "
            "the same command continues"
        )
    if status in (STOPPED, -signal.SIGINT):
        raise KeyboardInterrupt
    if status:
        raise StageFailedError(status)
