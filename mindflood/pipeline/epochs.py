"""The model of every epoch of a run, attacked on a sample (Flooding-X §5.2, Figure 4)."""

from pathlib import Path

import numpy as np

from mindflood.cards.cards import Epoch, merge_epochs, read_card
from mindflood.config.settings import Config
from mindflood.pipeline import stages
from mindflood.report.figures.training import read_series
from mindflood.terminal import tell
from mindflood.training.run_folder import epoch_folder, epoch_weights


def attack_epochs(run: Path, config: Config) -> None:
    """Export and attack the model of each epoch, and put what came of it into the run's card.

    Epochs that are done already are not attacked again.

    Raises:
        UserError: the run has not kept its epochs.
    """
    found: list[Epoch] = []
    losses = epoch_losses(run)
    for epoch, (train_loss, eval_loss) in losses.items():
        tell(f"  epoch {epoch} of {len(losses)}")
        epoch_weights(run, epoch)
        stages.export(run, epoch)
        folder = epoch_folder(run, epoch)
        for recipe in config.attack.recipes:
            stages.attack(folder, config, recipe, config.attack.epoch_examples)
        card = read_card(folder / "attacks" / "card.json")
        found.append(
            {
                "epoch": epoch,
                "clean_accuracy": card["clean_accuracy"],
                "train_loss": train_loss,
                "eval_loss": eval_loss,
                "attacks": card["attacks"],
            }
        )
        merge_epochs(run / "card.json", found)


def epoch_losses(run: Path) -> dict[int, tuple[float | None, float]]:
    """For each epoch (from 1): mean of the raw training losses J in its trace, evaluation loss.

    Raises:
        UserError: a line lacks one of the numbers, or holds NaN.
    """
    trace = read_series(run / "trace.jsonl", ("step", "loss"), finite=True)
    steps = list(zip(trace["step"], trace["loss"], strict=True))
    keys = ("step", "epoch", "eval_loss")
    evaluations = read_series(run / "evaluations.jsonl", keys, finite=True)
    found: dict[int, tuple[float | None, float]] = {}
    begin = 0.0
    for end, epoch, eval_loss in zip(*evaluations.values(), strict=True):
        losses = [loss for step, loss in steps if begin < step <= end]
        found[round(epoch)] = float(np.mean(losses)) if losses else None, eval_loss
        begin = end
    return found
