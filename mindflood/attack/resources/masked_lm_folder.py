"""The masked language model of an attack: the user's own, or one made of the task's text."""

import subprocess
from pathlib import Path

from mindflood.attack.victim.folder import model_folder
from mindflood.config.attack import task_to_json
from mindflood.data.tasks import TASKS, Task
from mindflood.errors import UserError
from mindflood.files import user_path
from mindflood.masked_lm.settings import MaskedLMSettings, cached_folder
from mindflood.process import module_command, run_to_its_end
from mindflood.terminal import tell

_KEY = "attack.masked_lm"


def masked_lm_folder(
    task: Task, data: str | None, chosen: str | Path | None, key: str = _KEY
) -> Path:
    """The folder that ``chosen`` names; None: the task's own, made where the cache lacks it.

    It is made in a process of its own, because MindSpore trains it and this half of the project
    never imports MindSpore, and ends with this one, however this one ends.

    Args:
        key: of a config, where ``chosen`` is named.

    Raises:
        UserError: ``chosen`` is no model, the training text cannot be read, or the making failed.
    """
    if chosen is not None:
        return chosen_masked_lm(chosen, key)
    folder = cached_folder(task, data, MaskedLMSettings())
    if not (folder / "config.json").exists():
        tell(
            f"training a masked language model on the text of {task.name}: some minutes, once "
            "(for shares on several machines: 'mindflood masked-lm', then --masked-lm FOLDER)"
        )
        _make(task, data)
    return folder


def chosen_masked_lm(folder: str | Path, key: str = _KEY) -> Path:
    """The masked language model that the user names.

    Args:
        key: of a config, where it is named.

    Raises:
        UserError: it is no folder of a model.
    """
    if not user_path(folder).is_dir():
        named = f"--masked-lm {folder} (in a config: {key})" if key == _KEY else f"{key}: {folder}"
        raise UserError(
            f"{named}: no such folder; make one with 'mindflood masked-lm TASK --out FOLDER', or "
            "leave it out"
        )
    return Path(model_folder(folder))


def _make(task: Task, data: str | None) -> None:
    plain = TASKS.get(task.name) == task
    named = [task.name] if plain else ["--described", task_to_json(task)]
    words = ["masked-lm", *named, *(["--data", data] if data is not None else [])]
    status = run_to_its_end(module_command("mindflood", *words), stdout=subprocess.DEVNULL)
    if status != 0:
        raise UserError(
            f"'mindflood {' '.join(words)}' failed (exit status {status}, see above); "
            "make a masked language model elsewhere and name its folder with --masked-lm"
        )
