"""What a run has to remember to continue as if it had never been stopped."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mindspore import Parameter, Tensor, nn

from mindflood.defences.gradient_sums import PREFIX as SUMS
from mindflood.errors import UserError
from mindflood.files import explained
from mindflood.training.checkpoint import read_checkpoint, write_checkpoint

_KEPT = 2  # the newest checkpoint may be the one a full disk or a crash spoils
_TRANSIENT = ("gradient_norm", "applied", "climbing")
_NUMBERS = ("step", "sub_epoch_loss", "sub_epoch_steps")
_NAME = re.compile(r"step-(\d{8})\.ckpt")


@dataclass
class Position:
    """How far the run is; everything random is a function of (seed, step), so this is enough.

    Attributes:
        step: optimizer steps done.
        sub_epoch_loss, sub_epoch_steps: sum of the raw losses of the sub-epoch under way, and how
            many they are.
        epoch_seconds: spent in training steps, compiling included, evaluation not: of every
            finished epoch, then of the one under way.
    """

    step: int = 0
    sub_epoch_loss: float = 0.0
    sub_epoch_steps: int = 0
    epoch_seconds: list[float] = field(default_factory=list)

    def spend(self, epoch: int, seconds: float) -> None:
        """Count the time of one step of ``epoch`` (from 0)."""
        self.epoch_seconds += [0.0] * (epoch + 1 - len(self.epoch_seconds))
        self.epoch_seconds[epoch] += seconds

    @property
    def train_seconds(self) -> float:
        """Those of all epochs."""
        return sum(self.epoch_seconds)


def state_of(step_cell: nn.Cell) -> dict[str, Parameter]:
    """Weights, optimizer moments and step, flood level and loss scale, by name."""
    named = {parameter.name: parameter for parameter in step_cell.get_parameters()}
    return {
        name: value
        for name, value in named.items()
        if name not in _TRANSIENT and not name.startswith(f"{SUMS}.")
    }


def is_finite(parameters: Mapping[str, Parameter]) -> bool:
    """Whether no weight or moment overflowed; minus infinity is a level: that of no flooding."""
    return all(
        bool(np.isfinite(parameter.asnumpy()).all())
        for name, parameter in parameters.items()
        if name != "flood_level"
    )


def save(folder: Path, parameters: Mapping[str, Parameter], position: Position) -> None:
    """Write ``folder/step-N.ckpt`` and remove older ones but the one before.

    Raises:
        UserError: the file cannot be written; the checkpoints before it stay.
    """
    extra: dict[str, float] = {f"position.{name}": getattr(position, name) for name in _NUMBERS}
    # A file may end between two numbers: how many there have to be comes before them.
    extra["position.epochs"] = len(position.epoch_seconds)
    extra |= {
        f"position.epoch_seconds.{epoch}": seconds
        for epoch, seconds in enumerate(position.epoch_seconds)
    }
    write_checkpoint(folder / f"step-{position.step:08d}.ckpt", parameters, extra)
    with explained(folder):
        for _, path in checkpoints(folder)[:-_KEPT]:
            path.unlink()


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of the checkpoints in a folder, oldest first."""
    matches = ((_NAME.fullmatch(path.name), path) for path in folder.glob("step-*.ckpt"))
    return sorted((int(match[1]), path) for match, path in matches if match)


def restore(folder: Path, parameters: Mapping[str, Parameter]) -> Position:
    """Set the parameters from the newest checkpoint of the folder, if there is one.

    Raises:
        UserError: the checkpoint is corrupt, has no position or another than its name says, or
            belongs to another network. No parameter has changed then.
    """
    found = checkpoints(folder)
    if not found:
        return Position()
    step, path = found[-1]
    arrays = read_checkpoint(path)
    position = _position(path, step, arrays)
    for name, parameter in parameters.items():
        value = arrays.get(name)
        if value is None or value.shape != tuple(parameter.shape):
            had = "no" if value is None else f"shape {value.shape} for"
            raise UserError(
                f"{path}: has {had} parameter {name!r}, expected shape {tuple(parameter.shape)}: "
                "it belongs to another network; choose another output folder"
            )
    for name, parameter in parameters.items():
        parameter.set_data(Tensor(arrays[name], parameter.dtype))
    return position


def _position(path: Path, step: int, arrays: Mapping[str, np.ndarray]) -> Position:
    def number(name: str, least: float = 0.0) -> float:
        value = arrays.get(f"position.{name}", np.empty(0))
        if value.size != 1 or value.dtype.kind not in "iuf" or value.item() < least:
            raise UserError(
                f"{path}: 'position.{name}' is missing or no such number: it is no checkpoint of a "
                "run; delete it and continue from the one before"
            )
        return float(value.item())

    if number("step") != step:
        raise UserError(
            f"{path}: 'position.step' is {number('step'):g}, and the file's name says {step}; give "
            "it its own name again, or delete it"
        )
    return Position(
        step=step,
        sub_epoch_loss=number("sub_epoch_loss", -math.inf),
        sub_epoch_steps=int(number("sub_epoch_steps")),
        epoch_seconds=[number(f"epoch_seconds.{epoch}") for epoch in range(int(number("epochs")))],
    )
