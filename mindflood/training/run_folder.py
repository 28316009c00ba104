"""A RUN folder belongs to one resolved config."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mindflood.config.load import from_yaml
from mindflood.config.settings import Config, to_yaml
from mindflood.data.record import RECORD
from mindflood.errors import UserError
from mindflood.files import write_text
from mindflood.locks import held

# What is written before training begins: the config, and which rows it reads.
_FIRST = ("config.yaml", RECORD)
_NAMED = 3  # settings in the message about another run


@contextlib.contextmanager
def at_work(config: Config, *, writes: bool = True) -> Iterator[bool]:
    """Hold the RUN folder of ``config``, claimed; whether its run is complete already.

    Args:
        writes: False for the workers of ``msrun`` that share the folder with the one that holds it.

    Raises:
        UserError: another process works on the folder, or see :func:`claim`.
    """
    if not writes:
        yield is_complete(config)
        return
    with held(config.run_folder):
        yield claim(config.run_folder, config)


def claim(run: Path, config: Config) -> bool:
    """Make the folder this config's, or find that it already is.

    The folder's ``config.yaml`` then holds this config, also where only that has changed which
    leaves the trained model as it is.

    Returns:
        True where the run is complete and nothing is left to train.

    Raises:
        UserError: the folder holds another run, or cannot be written to.
    """
    resolved = run / "config.yaml"
    check_claim(run, config)
    if not resolved.exists():
        write_text(resolved, to_yaml(config))
        return False
    if from_yaml(resolved) != config:  # a folder that was moved is trained where it is now
        write_text(resolved, to_yaml(config))
    return is_complete(config)


def check_claim(run: Path, config: Config) -> None:
    """Check that the folder is this config's or may become it; writes nothing.

    Raises:
        UserError: it holds another run: the message names the settings that differ.
    """
    resolved = run / "config.yaml"
    if not resolved.exists():
        if run.exists() and not all(map(_is_left_by_a_kill, run.iterdir())):
            raise UserError(
                f"{run}: is not empty and holds no config.yaml; choose another output folder"
            )
        return
    differences = _differences(from_yaml(resolved).kept(), config.kept())
    if differences and begun(run):
        more = len(differences) - _NAMED
        rest = f", and {more} more" if more > 0 else ""
        raise UserError(
            f"{run}: holds a run with {'; '.join(differences[:_NAMED])}{rest}; choose another "
            "output folder or name, or delete this one"
        )


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


def begun(run: Path) -> bool:
    """Whether the folder has more than what comes first: a run refused at once can be corrected."""
    return any(
        path.is_file()
        and path.name not in _FIRST
        and not any(map(_is_left_by_a_kill, (path, path.parent)))
        for path in run.rglob("*")
    )


def _is_left_by_a_kill(path: Path) -> bool:
    """Whether it is what a killed process was about to rename, or its lock."""
    return path.name.startswith(".") and path.suffix in (".part", ".lock")


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Each setting that differs, in words; those that one of them does not use come last."""
    keys = sorted(before | now, key=lambda key: (key not in before) + (key not in now))
    return [
        f"{key} {before.get(key)!r}, not {now.get(key)!r}"
        for key in keys
        if before.get(key) != now.get(key)
    ]
