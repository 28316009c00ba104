"""What is analysed: a model, the card that the result goes into, and the data."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindflood.analyse.rows import sampled
from mindflood.attack.chosen import is_share_of_training, read_rows
from mindflood.attack.results.card import check_rows
from mindflood.attack.victim.folder import model_folder
from mindflood.cards.cards import merge_analysis, new_card, read_card
from mindflood.config.load import from_yaml
from mindflood.data.class_names import check_label_count, own_label_names
from mindflood.data.own import with_model_labels
from mindflood.data.sources import Examples, Source
from mindflood.data.tasks import TASKS, Task, get_task
from mindflood.errors import UserError
from mindflood.kinds import Kind


@dataclass(frozen=True)
class Subject:
    """A model with its task and data; ``card`` is the path of its card.json."""

    folder: Path
    model: str
    card: Path
    task: Task
    data: str | None
    encoder: str | None  # None: the model was not trained here
    handed: bool = False  # whether the user named the data, in place of the run's own

    @property
    def name(self) -> str:
        """How tables and cards call it: the name of its folder."""
        return self.folder.resolve().name

    @property
    def long_name(self) -> str:
        """The same with the folder of its experiment before it: every experiment has its seed 0."""
        return "/".join(self.folder.resolve().parts[-2:])

    def merge(self, kind: str, key: str | None, result: dict[str, Any]) -> None:
        """Put an analysis into the card; that of a model from elsewhere begins with it."""
        otherwise = None
        if self.encoder is None and not self.card.exists():
            otherwise = new_card(
                task=self.task.name, method="unknown", seed=None, encoder=self.name
            )
        merge_analysis(self.card, kind, key, result, otherwise=otherwise)

    @property
    def source(self) -> Source:
        """The task's data."""
        return Source(self.task, self.data, own_label_names(self.model))

    def examples(self, limit: int | None, seed: int) -> Examples:
        """Rows of the task's attacked split, which no model was trained on."""
        whole_file = self.handed and not is_share_of_training(self.model, self.data)
        there = read_rows(self.source, self.task.attacked_split, whole_file=whole_file)
        self.check_rows(there.examples, there.origin)
        return sampled(there, limit, seed)

    def check_rows(self, examples: Examples, origin: str) -> None:
        """Find out whether the run's own test rows are still those that its card is of.

        Raises:
            UserError: they are not.
        """
        if not self.handed and self.card.is_file():
            remedy = "name what to analyse on with --data"
            check_rows(self.card, self.folder, examples.fingerprint(), origin, remedy)


def subject(
    folder: str,
    data: str | None = None,
    task: str | None = None,
    own: Task | None = None,
    kind: Kind = "classification",
) -> Subject:
    """A RUN folder that was exported, the model in one, or a Hugging Face folder from elsewhere.

    Args:
        data: in place of that of the run's ``config.yaml``.
        task: of a model from elsewhere, whose card then lies among its files.
        own: the user's own data, in place of a named task.
        kind: of task that the analysis is for.

    Raises:
        UserError: there is no model or no card, the model is for another kind of task, or the task
            is not known, or not the card's.
    """
    path = Path(folder)
    if path.name == "model" and (path.parent / "card.json").is_file():
        path = path.parent
    card = path / "card.json"
    if not card.is_file() and not (path / "config.json").is_file():
        raise UserError(
            f"{folder}: there is no card.json; give a RUN folder of 'mindflood train', exported "
            f"with: mindflood export {folder} {path / 'model'}"
        )
    model = model_folder(path, kind)
    handed, resolved = data is not None, path / "config.yaml"
    if own is not None and not own.label_names and not resolved.is_file():
        own = with_model_labels(own, model, own_label_names(model), data)
    if not card.is_file():
        if task is None and own is None:
            raise UserError(
                f"{folder}: no card says what task the model is for; give --task, or for your own "
                "data --text and --label"
            )
        asked = own or get_task(task or "")
        if names := own_label_names(model):
            check_label_count(model, len(names), asked.num_labels)
        return Subject(path, model, card, asked, data, None, handed)
    known = read_card(card)
    if task is not None and task != known["task"]:
        raise UserError(f"--task {task}: {card} is of task '{known['task']}'")
    encoder = None if known["method"] == "unknown" else known["encoder"]
    if resolved.is_file():
        settings = from_yaml(resolved).task
        data, trained = (data if handed else settings.data), settings.as_task
        if own is not None:
            names = own.label_names or trained.label_names
            trained = dataclasses.replace(own, name=trained.name, label_names=names)
        return Subject(path, model, card, trained, data, encoder, handed)
    if own is None and known["task"] not in TASKS:
        raise UserError(
            f"{card}: is of your own data '{known['task']}'; name it with --data, --text and "
            "--label"
        )
    described = get_task(known["task"]) if own is None else own
    return Subject(path, model, card, described, data, encoder, handed)
