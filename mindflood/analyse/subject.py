"""What is analysed: a model, the card that the result goes into, and the data."""

from dataclasses import dataclass
from pathlib import Path

from mindflood.attack.folder import model_folder
from mindflood.config_file import from_yaml
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Task, get_task
from mindflood.errors import UserError
from mindflood.report.cards import read_card


@dataclass(frozen=True)
class Subject:
    """A model with its task and data; ``card`` is the path of its card.json."""

    folder: Path
    model: str
    card: Path
    task: Task
    data: str | None

    @property
    def name(self) -> str:
        """How tables and cards call it: the name of its folder."""
        return self.folder.resolve().name

    def examples(self, limit: int | None, seed: int) -> Examples:
        """Rows of the task's attacked split, which no model was trained on."""
        split = self.task.attacked_split
        return load_examples(self.task, split, self.data, limit=limit, seed=seed)


def subject(folder: str, data: str | None = None) -> Subject:
    """A RUN folder that was exported.

    Args:
        data: in place of that of the run's ``config.yaml``.

    Raises:
        UserError: there is no model or no card, or the task is not known.
    """
    path = Path(folder)
    card = path / "card.json"
    if not card.is_file():
        raise UserError(
            f"{folder}: there is no card.json; give a RUN folder of 'mindflood train', exported "
            f"with: mindflood export {folder} {path / 'model'}"
        )
    model = model_folder(path)
    resolved = path / "config.yaml"
    if data is None and resolved.is_file():
        data = from_yaml(resolved).task.data
    return Subject(path, model, card, get_task(read_card(card)["task"]), data)
