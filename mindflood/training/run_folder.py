"""A RUN folder belongs to one resolved config."""

import dataclasses
from pathlib import Path
from typing import Any

from mindflood.config import Config, to_yaml
from mindflood.config_file import from_yaml
from mindflood.errors import UserError
from mindflood.files import write_text

# What may change without changing the trained model.
_FREE = ("attack", "output", "device")


def claim(run: Path, config: Config) -> bool:
    """Make the folder this config's, or find that it already is.

    Returns:
        True where the run is complete and nothing is left to train.

    Raises:
        UserError: the folder holds another run, or cannot be written to.
    """
    resolved = run / "config.yaml"
    if not resolved.exists():
        if run.exists() and any(run.iterdir()):
            raise UserError(
                f"{run}: is not empty and holds no config.yaml; choose another output folder"
            )
        write_text(resolved, to_yaml(config))
        return False
    difference = _first_difference(_identity(from_yaml(resolved)), _identity(config))
    if difference and not _begun(run):
        write_text(resolved, to_yaml(config))
    elif difference:
        key, before, now = difference
        raise UserError(
            f"{run}: holds a run with {key} {before!r}, not {now!r}; choose another output folder "
            "or name, or delete this one"
        )
    return is_complete(config)


def is_complete(config: Config) -> bool:
    """Whether the run of ``config`` is trained to its end: the card comes last."""
    return (config.run_folder / "card.json").exists()


def epoch_folder(run: Path, epoch: int) -> Path:
    """Where the model of one epoch (from 1) is kept: ``weights.ckpt``, its export, its attacks."""
    return run / "epochs" / str(epoch)


def epoch_weights(run: Path, epoch: int) -> Path:
    """The kept weights of one epoch.

    Raises:
        UserError: the run has not kept them.
    """
    path = epoch_folder(run, epoch) / "weights.ckpt"
    if not path.exists():
        kept = sorted(int(other.parent.name) for other in run.glob("epochs/*/weights.ckpt"))
        has = f"those of {', '.join(map(str, kept))}" if kept else "none"
        raise UserError(
            f"{path}: the weights of epoch {epoch} were not kept ({has} were); train with "
            "training.keep_epochs: true"
        )
    return path


def _begun(run: Path) -> bool:
    """Whether the folder has more than configs: one that was refused at once can be corrected."""
    return any(path.is_file() and path.name != "config.yaml" for path in run.rglob("*"))


def _identity(config: Config) -> dict[str, Any]:
    values = dataclasses.asdict(config)
    free = set(_FREE)
    if config.method != "flooding-search":
        free.add("search")
    if not (config.needs_crossing or config.accordance.record):
        free.add("accordance")
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key in free:
            continue
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": item for inner, item in value.items()}
        else:
            flat[key] = value
    return flat


def _first_difference(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, Any, Any] | None:
    return next(
        ((key, before.get(key), now[key]) for key in now if before.get(key) != now[key]), None
    )
