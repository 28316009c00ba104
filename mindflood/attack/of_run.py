"""The attacks that the config of a RUN folder asks for."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mindflood.attack.settings import asked
from mindflood.config.attack import AttackSettings
from mindflood.config.load import from_yaml
from mindflood.data.tasks import Task
from mindflood.process import run_verb


def is_run(path: Path) -> bool:
    """Whether it is a RUN folder, and no model."""
    return (path / "config.yaml").is_file() and not (path / "config.json").exists()


def attacks_of_run(
    run: Path, given: Mapping[str, Any], own: Task | None = None
) -> Iterator[AttackSettings]:
    """What 'mindflood run' would attack the final model with: each recipe, plain and calibrated.

    Args:
        given: settings that replace the config's.
        own: the user's own data in place of the run's, by its columns.

    Raises:
        UserError: the folder has no config, or something in ``given`` does not fit.
    """
    config, given = from_yaml(run / "config.yaml"), dict(given)
    if own is not None:
        task = config.task.as_task
        names = own.label_names or task.label_names
        given["task"] = dataclasses.replace(own, name=task.name, label_names=names)
    if "data" in given:
        given.setdefault("split", None)  # a file is attacked whole
    recipes = [given.pop("recipe")] if "recipe" in given else config.attack.recipes
    both = config.attack.temperature is not None and "temperature" not in given
    for recipe in recipes:
        asked({"model": str(run), "task": config.task.as_task, "recipe": recipe})  # it is known
        for calibrated in (False, True) if both else (False,):
            found = config.attack_on(run, recipe, config.attack.num_examples, calibrated=calibrated)
            fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
            replaced = dict(given)
            if both and not calibrated:
                replaced.pop("held_out", None)  # it is the calibrated one's
            yield asked(fields | replaced)


def export_if_missing(run: Path) -> None:
    """``mindflood export`` into ``RUN/model``, in a process of its own: it is MindSpore's.

    Raises:
        StageFailedError: it failed, for instance because the run is not complete.
    """
    if not (run / "model" / "config.json").exists():
        run_verb("export", str(run), str(run / "model"))
