"""An attack as it is asked for, by a config or on the command line: every setting once."""

import dataclasses
import hashlib
import json
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, TypeAdapter, WithJsonSchema
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticKnownError

from mindflood.config.recipes import RECIPES, Columns, Profile, Temperature
from mindflood.data.own import own_record
from mindflood.data.tasks import TASKS, Split, Task, get_task
from mindflood.fields import STRICT, Count, OneOf, Positive, Seed, Text, Truth, UserPath, Whole

PAPER_CANDIDATES = 48


def _task(value: Any) -> Task:
    if isinstance(value, Task):
        return value
    if isinstance(value, dict):  # of another process
        return TypeAdapter(Task).validate_python(value)
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return get_task(value)


def _words(task: Task) -> Any:
    """A task for another process: its name where that tells all of it."""
    return task.name if TASKS.get(task.name) == task else TypeAdapter(Task).dump_python(task)


def task_to_json(task: Task) -> str:
    """A task as one word of a command line."""
    return TypeAdapter(NamedTask).dump_json(task).decode()


def task_of_json(word: str) -> Task:
    """What :func:`task_to_json` wrote."""
    found: Task = TypeAdapter(NamedTask).validate_json(word)
    return found


NamedTask = Annotated[
    Task,
    PlainValidator(_task),
    PlainSerializer(_words),
    WithJsonSchema({"type": "string", "enum": list(TASKS)}),
]


@dataclass(frozen=True, config=STRICT)
class RecipeOptions:
    """Settings of a recipe; each counts for the recipes that have it."""

    allow_pickles: Truth = Field(
        default=False,
        description="TextAttack may load the pickles among the downloads of profile paper.",
    )
    candidates: Count | None = Field(
        default=None,
        description="K of BERT-Attack, substitutes a sub-word: by default the paper's 48 (§4.1); "
        "TextAttack takes 8 from 0.3.11 on.",
    )
    masked_lm: UserPath | None = Field(
        default=None,
        description="Folder of the masked language model that the offline BERT-Attack, BAE and "
        "A2T-MLM ask: by default one that is made of the task's training text, once. For shares "
        "on several machines make it once with 'mindflood masked-lm' and give every share the "
        "same.",
    )

    @property
    def most_candidates(self) -> int:
        """K of BERT-Attack: the one asked for, or the paper's."""
        return self.candidates or PAPER_CANDIDATES


@dataclass(frozen=True, config=STRICT)
class Budget:
    """Limits of the search for one sample; None: no limit."""

    max_queries: Count | None = Field(
        default=None,
        description="Most queries that the attack of one row may cost, as TextAttack counts them; "
        "a row that needs more is undecided. By default no limit, for pso 5000.",
    )
    max_seconds: Positive | None = Field(
        default=None,
        description="Most seconds of its own computing that the attack of one row may take, its "
        "share of each batch included; depends on the machine. By default no limit.",
    )

    def fingerprint(self, recipe: str) -> str:
        """A recipe's fingerprint within this budget: itself without a limit.

        Args:
            recipe: fingerprint of the recipe, 16 hexadecimal digits.
        """
        limits = {"max_queries": self.max_queries, "max_seconds": self.max_seconds}
        if not any(limits.values()):
            return recipe
        return hashlib.sha256(json.dumps([recipe, limits]).encode()).hexdigest()[:16]


UNLIMITED = Budget()


@dataclass(frozen=True, config=STRICT)
class AttackOptions(RecipeOptions, Budget):
    """What a config and the command line say of an attack alike."""

    profile: Profile = Field(
        default="offline",
        description="paper: TextAttack's own recipe, with its downloads; offline: nothing is "
        "downloaded.",
    )
    num_examples: Count | None = Field(
        default=None,
        description="Rows attacked, a seeded sample: by default the paper's number for the task.",
    )
    seed: Seed = Field(default=0, description="Which rows, and every random choice of the attack.")
    workers: Whole = Field(default=1, ge=1, le=2**10, description="Processes.")
    columns: Columns = Field(
        default="both",
        description="Which texts of a pair may change: both (as TextAttack's recipes), first or "
        "second.",
    )
    temperature: Temperature | None = Field(
        default=None,
        description="Attacks the calibrated victim (Raina et al. 2024), its logits over a "
        "temperature: fitted to held-out rows, the weakest of several there, or a number. With a "
        "config also the victim as it is.",
    )
    held_out: Split | None = Field(
        default=None,
        description="Split of those rows, less the attacked ones: by default dev, but any rows of "
        "a file that is attacked whole.",
    )


@dataclass(frozen=True, config=STRICT)
class AttackSection(AttackOptions):
    """What attacks the trained models."""

    recipes: tuple[Annotated[str, OneOf(RECIPES)], ...] = Field(
        default=("textfooler",), description="Names of attack recipes."
    )
    held_out: Split = Field(
        default="dev", description="Split of those rows; the attacked ones are left out."
    )
    each_epoch: Truth = Field(
        default=False,
        description="mindflood run also attacks the model of every epoch, on fewer rows; needs "
        "training.keep_epochs.",
    )
    epoch_examples: Count = Field(
        default=50, description="Those rows, the same for every epoch and method."
    )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AttackSettings(AttackOptions):
    """One recipe on one model: what is asked for, and, once it is found, what is attacked.

    Before the first sample ``model`` becomes its folder, ``masked_lm`` that of the one that is
    asked, and ``temperature`` a number.
    """

    model: UserPath = Field(description="Hugging Face folder, RUN folder or hub id.")
    task: NamedTask = Field(description="Task that the model was trained on.")
    recipe: Annotated[str, OneOf(RECIPES)] = Field(description="The attack's recipe.")
    data: UserPath | None = Field(
        default=None,
        description="Folder with the examples, or a file, all of which is attacked: by default "
        "the task's usual source.",
    )
    split: Split | None = Field(
        default=None, description="By default the one that the paper attacks."
    )
    name: Text | None = Field(
        default=None,
        description="What tables call a model that was not trained here: by default its folder.",
    )
    shard: Text | None = Field(
        default=None,
        description="I/N attacks the I-th of N shares; 'merge-attacks' joins them (bert-attack, "
        "bae: name the masked language model).",
    )
    ray: Truth = Field(
        default=False,
        description="The workers are tasks of a Ray cluster (mindflood[ray]); every node reads the "
        "folders of the model and the masked language model under the same path.",
    )
    at_once: Count | None = Field(
        default=None,
        description="Samples attacked side by side in a process, their queries in shared batches; "
        "by default 16 on a CPU, 64 on a GPU.",
    )

    def settled(self) -> "AttackSettings":
        """The same within the recipe's own budget, where none is asked for."""
        own = RECIPES[self.recipe].default_query_budget
        return dataclasses.replace(self, max_queries=self.max_queries or own)

    def deciding(self) -> dict[str, Any]:
        """What makes two attacks on one model the same, before any data or model is read.

        A setting that the recipe or the task does not have is None.
        """
        entry, pair = RECIPES[self.recipe], len(self.task.text_columns) == 2
        record = own_record(self.task)
        return {
            "task": self.task.name,
            **({} if record is None else {"own_data": record}),
            "split": self.split,
            "recipe": self.recipe,
            "profile": self.profile,
            "seed": self.seed,
            "num_examples": self.num_examples,
            "max_queries": self.settled().max_queries,
            "max_seconds": self.max_seconds,
            "candidates": self.most_candidates if entry.has_candidates else None,
            "columns": self.columns if pair else None,
            "shard": self.shard,
        }

    def to_json(self) -> str:
        """The settings as one line, for a process of their own."""
        return TypeAdapter(AttackSettings).dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "AttackSettings":
        """What :meth:`to_json` wrote."""
        found: AttackSettings = TypeAdapter(AttackSettings).validate_json(text)
        return found
