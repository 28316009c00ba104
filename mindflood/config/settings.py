"""The experiment's settings: what there is to set."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.dataclasses import dataclass

from mindflood.config.attack import AttackOptions, AttackSection, AttackSettings
from mindflood.config.input_space import (
    INPUT_SPACE,
    AdversarialSettings,
    Augmentation,
    AugmentationSettings,
)
from mindflood.config.recipes import RECIPES
from mindflood.data.labels import class_name
from mindflood.data.own import checked_labels, data_name, own_task, training_labels
from mindflood.data.tasks import TASKS, Split, Task, get_task
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, DefenceSettings
from mindflood.errors import UserError
from mindflood.fields import (
    NO_TRUTH,
    SECTION,
    STRICT,
    Count,
    Effect,
    Expected,
    NotNegative,
    Number,
    OneOf,
    Positive,
    Seed,
    Text,
    Truth,
    UserPath,
    Whole,
    effect_of,
    fields_of,
)
from mindflood.flooding.level import Direction
from mindflood.flooding.row_methods import ROW_METHODS
from mindflood.kinds import Kind

_FLOODING = ("flooding", "flooding-search", "flooding-x", "flooding-x-online", *ROW_METHODS)
METHODS = ("finetune", *_FLOODING, *DEFENCES, *INPUT_SPACE)
FoundLevel = Literal["flooding-x", "flooding-x-online"]  # by gradient accordance

LONGEST_ROW = 2**16  # tokens
_LONGEST_NAME = 200  # bytes; a file system takes 255, of which the seed and an ending need some


def _folder(path: str) -> str:
    if not path.strip():
        raise ValueError("the path of a folder ('.' is the working folder)")
    return path


def _task_name(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text")
    return value if value in TASKS else _folder_name(value)


def _column(value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and value):
        raise ValueError("a column")
    return value


def _columns(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if names is not None and not (
        isinstance(names, list | tuple)
        and len(names) in (1, 2)
        and all(isinstance(name, str) and name for name in names)
    ):
        raise ValueError("columns")
    return value


def _label(value: Any) -> Any:
    """YAML reads the class 1 as a number, and true as a truth."""
    return class_name(value) if isinstance(value, bool | int | float) else value


def _at_least_two(labels: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return checked_labels(labels)
    except UserError as error:
        fault = str(error).removeprefix("labels: ").partition(";")[0]
        raise ValueError(f"at least two classes of different names ({fault})") from None


def _folder_name(name: str) -> str:
    if name in ("", ".", "..") or set(name) & set("/\\"):
        raise ValueError("the name of a folder, without slashes")
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"at most {_LONGEST_NAME} bytes")
    return name


Label = Annotated[
    Text,
    BeforeValidator(_label),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}),
]


@dataclass(frozen=True, config=STRICT)
class TaskSettings:
    """Which texts to classify: a named task, or your own data by the names of its columns."""

    name: Annotated[
        Annotated[str, OneOf(TASKS)] | Text,
        BeforeValidator(_task_name),
        Expected("the name of a task, or of your own data"),
    ] = Field(
        default="corpus",
        description="The task: its columns, labels and splits. Of your own data what tables call "
        "it; left out, it is called after its file, folder or hub id.",
    )
    data: Annotated[UserPath | None, Effect.FILES] = Field(
        default=None,
        description="hub, a folder or a file; null takes the task's usual source.",
    )
    text: Annotated[
        Text | Annotated[tuple[Text, ...], Field(min_length=1, max_length=2)] | None,
        BeforeValidator(_columns),
        Effect.FILES,
        Expected("the name of a column, or a list of two"),
    ] = Field(
        default=None,
        description="Your own data: its column of texts, or a list of two for pairs.",
    )
    label: Annotated[
        Text | None,
        BeforeValidator(_column),
        Effect.FILES,
        Expected("the name of one column"),
    ] = Field(default=None, description="Your own data: its column of classes.")
    labels: Annotated[
        Annotated[tuple[Label, ...], AfterValidator(_at_least_two)] | None,
        Effect.FILES,
    ] = Field(
        default=None,
        description="Your own data: its classes in their order. null takes those of the training "
        "split, sorted, which the RUN folder's config.yaml then lists.",
    )
    train: Annotated[UserPath | None, Effect.FILES] = Field(
        default=None,
        description="File of the training rows: CSV, TSV, JSON lines or Parquet, each also .gz.",
    )
    dev: Annotated[UserPath | None, Effect.FILES] = Field(
        default=None,
        description="File of the rows of every epoch's evaluation; null takes a fixed tenth of "
        "train.",
    )
    test: Annotated[UserPath | None, Effect.FILES] = Field(
        default=None,
        description="File of the rows that are tested and attacked; null takes dev, or a fixed "
        "tenth of train where that is the only file.",
    )
    hub: Annotated[Text | None, Effect.FILES] = Field(
        default=None,
        description="Your own data on the Hugging Face hub, in place of files: org/name[:config].",
    )
    skip_bad_rows: Annotated[Truth, Effect.FILES] = Field(
        default=False, description="Malformed rows are counted and left out, not refused."
    )
    train_examples: Count | None = Field(
        default=None, description="A seeded sample of that many training rows; null takes all."
    )
    eval_examples: Annotated[Count | None, Effect.FILES] = Field(
        default=None, description="A seeded sample of that many evaluated rows; null takes all."
    )
    max_length: Whole = Field(
        default=128,
        ge=3,
        le=LONGEST_ROW,
        description="Tokens a row at most, special tokens included.",
    )

    def __post_init__(self) -> None:
        """Call a user's own data after where it lies, unless he has named it."""
        if self.text is not None and self.name == fields_of(TaskSettings)["name"].default:
            place = data_name(self.hub, self.train, self.data, self.test, self.dev)
            object.__setattr__(self, "name", place)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of texts: one, or two for pairs."""
        if self.text is None:
            return get_task(self.name).text_columns
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def kind(self) -> Kind:
        """What is decided about a row; one's own data are classified."""
        return "classification" if self.text is not None else get_task(self.name).kind

    @property
    def as_task(self) -> Task:
        """The task that these settings name or describe.

        Raises:
            UserError: the classes of a user's own data are to be found in it, and cannot be.
        """
        files: dict[Split, str] = {
            split: path for split in get_args(Split) if (path := getattr(self, split)) is not None
        }
        if self.text is None:
            named = get_task(self.name)
            return dataclasses.replace(named, own_files=files, skip_bad_rows=self.skip_bad_rows)
        task = own_task(
            self.columns,
            self.label or "",
            self.labels or (),
            name=self.name,
            files=files,
            hub=self.hub,
            skip_bad_rows=self.skip_bad_rows,
        )
        if self.labels is None:
            task = dataclasses.replace(task, label_names=training_labels(task, self.data))
        return task

    def with_labels(self) -> "TaskSettings":
        """The same with the classes of a user's own data listed, as the training data has them.

        Raises:
            UserError: as :attr:`as_task`.
        """
        if self.text is None or self.labels is not None:
            return self
        return dataclasses.replace(self, labels=self.as_task.label_names)

    def read_from(self, data: str) -> "TaskSettings":
        """The same task, with all of its rows from another place."""
        nowhere = dict.fromkeys((*get_args(Split), "hub"))
        return dataclasses.replace(self.with_labels(), data=data, **nowhere)  # type: ignore[arg-type]


@dataclass(frozen=True, config=STRICT)
class TrainingSettings:
    """How the network is trained; the defaults are those of Flooding-X §4.3 and its release."""

    epochs: Whole = Field(default=10, ge=1, le=10**5, description="Passes over the training rows.")
    batch_size: Whole = Field(
        default=32, ge=1, le=2**16, description="Rows that one optimizer step is made of."
    )
    learning_rate: Positive = Field(default=2e-5, description="Peak of the warm-up.")
    schedule: Literal["linear", "constant"] = Field(
        default="linear",
        description="After the warm-up linear decay to zero at the end, or a constant rate.",
    )
    weight_decay: NotNegative = Field(
        default=0.01, description="Decoupled weight decay; not on biases and LayerNorm."
    )
    warmup: NotNegative = Field(
        default=0.1, description="Share of all steps (below 1) or number of steps (1 and more)."
    )
    dropout: Annotated[
        Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), NO_TRUTH] | None,
        Expected("at least 0 and below 1, or null for the encoder's own"),
    ] = Field(default=None, description="Rate of all dropouts; null keeps the encoder's own.")
    max_gradient_norm: Positive | None = Field(
        default=None,
        description="Global L2 norm that gradients are clipped to; null clips nothing.",
    )
    accumulation_steps: Count = Field(
        default=1, description="Micro-batches that make up one batch of batch_size rows."
    )
    precision: Literal["float32", "float16", "bfloat16"] = Field(
        default="float32", description="Of the forward and backward pass; 16 bits scale the loss."
    )
    mode: Annotated[Literal["graph", "pynative"], Effect.FREE] = Field(
        default="graph", description="How MindSpore runs the network."
    )
    buckets: Annotated[
        tuple[Annotated[Whole, Field(ge=3, le=LONGEST_ROW)], ...],
        Expected(f"a list of lengths of 3 to {LONGEST_ROW}"),
    ] = Field(
        default=(32, 64, 128, 256, 512),
        min_length=1,
        description="Padded lengths in tokens; one compiled graph each.",
    )
    group_by_length: Truth = Field(
        default=False,
        description="Batches of rows of one bucket: less padding, but no uniform sample of the "
        "rows, as the papers' batches are.",
    )
    pack_texts: Truth = Field(
        default=False,
        description="Several short texts of a batch share a row, each as if alone: the same "
        "batches, less padding, other dropout masks, up to 8 graphs a length. For classes and "
        "numbers; not with a defence, accumulation_steps or msrun.",
    )
    checkpoint_every: Annotated[Count, Effect.FREE] = Field(
        default=500, description="Steps between checkpoints within an epoch."
    )
    keep_epochs: Annotated[Truth, Effect.FILES] = Field(
        default=False,
        description="Keep every epoch's weights in epochs/, not only the last checkpoints.",
    )
    log_every: Annotated[Count, Effect.FREE] = Field(
        default=1, description="Steps between lines of trace.jsonl."
    )
    threads: Annotated[Whole | None, Effect.FREE] = Field(
        default=None,
        ge=1,
        le=2**10,
        description="CPU threads of MindSpore; null takes the machine's cores.",
    )


@dataclass(frozen=True, config=STRICT)
class SearchSettings:
    """The grid of vanilla Flooding (Flooding-X §4.1: steps of 0.01) and how its best is chosen."""

    bounds: Literal["fixed", "accordance"] = Field(
        default="fixed",
        description="Of the levels tried: fixed (lower to upper), or accordance: the range that a "
        "probe pass of fine-tuning finds first, as in flooding-x.",
    )
    lower: NotNegative = Field(default=0.01, description="Lowest level tried, in nats.")
    upper: Number = Field(default=0.20, description="Highest level tried, in nats.")
    step: Positive = Field(
        default=0.01,
        description="Between two levels, in nats; with bounds accordance the levels are its "
        "multiples that cover the range.",
    )
    choose_on: Literal["held-out", "test"] = Field(
        default="held-out",
        description="held-out (training rows set aside from the candidates), or test, which mimics "
        "the paper and is labelled so on the card.",
    )
    examples: Count = Field(default=200, description="Rows attacked to rank a candidate.")
    recipe: Annotated[str, OneOf(RECIPES)] = Field(
        default="textfooler",
        description="The attack whose accuracy under attack ranks the candidates.",
    )


@dataclass(frozen=True, config=STRICT)
class AccordanceSettings:
    """When gradient accordance is probed, and what counts as its crossing (Flooding-X §3.2)."""

    sub_epochs: Whole = Field(
        default=2,
        ge=1,
        le=10**4,
        description="Probes an epoch, evenly spaced, the last at its end.",
    )
    batches: Annotated[
        Whole, Expected("at least 2 (accordance compares them), at most 1000000")
    ] = Field(
        default=8,
        ge=2,
        le=10**6,
        description="Batches of a sub-epoch that are probed: its last ones, or all where it "
        "has fewer.",
    )
    parameters: Annotated[Text, Expected("all, encoder or last-N (layers)")] = Field(
        default="all",
        pattern=r"^(all|encoder|last-[1-9][0-9]*)$",
        description="Whose gradients: all, encoder or last-N (layers).",
    )
    direction: Direction = Field(
        default="either",
        description="either, rising (negative to positive, §5.1) or falling (§3).",
    )
    persistence: Count = Field(
        default=2, description="Sub-epochs in a row that establish a side of zero."
    )
    margin: Annotated[
        float,
        Field(ge=0, lt=0.5, allow_inf_nan=False),
        NO_TRUTH,
        Expected("0 <= margin < 0.5"),
    ] = Field(default=0.0, description="Accordance up to this size is indistinguishable from zero.")
    record: Annotated[Truth, Effect.FILES] = Field(
        default=False,
        description="Write accordance.jsonl with finetune and flooding too, which do not need it.",
    )


@dataclass(frozen=True, config=STRICT)
class SoftADSettings:
    """How soft the turn at the flood level is (softad)."""

    scale: Positive = Field(
        default=1.0,
        description="σ in nats: a row counts with x/√(x² + 1), x = (loss − level)/σ; a small one "
        "leaves iflood.",
    )


@dataclass(frozen=True, config=STRICT)
class AdaFloodSettings:
    """The auxiliary models that give every row a flood level of its own (adaflood)."""

    folds: Whole = Field(
        default=5,
        ge=2,
        le=10**3,
        description="Auxiliary models, each trained without the rows that it gives levels to.",
    )
    gamma: Annotated[
        float,
        Field(ge=0, le=1, allow_inf_nan=False),
        NO_TRUTH,
        Expected("a number from 0 to 1"),
    ] = Field(
        default=0.5,
        description="γ of a row's level −log((1 − γ)·p + γ), p its label's probability; 1 floods "
        "nothing.",
    )
    encoder_layers: Annotated[Count | None, Expected("at least 1, or null for the model's own")] = (
        Field(
            default=None,
            description="Layers of the auxiliary models; null gives them those of the model.",
        )
    )


@dataclass(frozen=True, config=STRICT)
class Config:
    """Everything one trained model depends on."""

    output: Annotated[UserPath, AfterValidator(_folder), Effect.FREE] = Field(
        default="runs",
        description="The folder of the experiment; a model's RUN folder is output/name-seedS.",
    )
    method: Annotated[str, OneOf(METHODS)] = Field(
        default="finetune", description="How the model is trained."
    )
    name: Annotated[Annotated[Text, AfterValidator(_folder_name)] | None, Effect.FILES] = Field(
        default=None,
        description="Of the RUN folder and the tables' row; null takes the method's name.",
    )
    flood_level: Annotated[NotNegative | FoundLevel | None, Expected("a number of at least 0")] = (
        Field(
            default=None,
            description="b in nats, for flooding, iflood, softad, the defences, a2t, a2t-mlm and "
            "bert-attack; a file may list several, for a sweep. iflood, softad and the defences "
            "also take flooding-x: the level that gradient accordance gives in a first pass "
            "without flooding (of the same defence), and flooding-x-online: that of the same pass, "
            "from the crossing on.",
        )
    )
    flood_rows: Annotated[str, OneOf(ROW_METHODS)] | None = Field(
        default=None,
        description="How a defence floods its rows one by one; null floods the batch by its mean.",
    )
    seed: Seed = Field(
        default=0,
        description="Of the head's initial weights, the order of the rows and the dropout masks.",
    )
    encoder: UserPath = Field(
        default="bert-base-uncased", description="embedded, a Hugging Face folder, or a hub id."
    )
    encoder_layers: Annotated[Count | None, Expected("at least 1, or null for all")] = Field(
        default=None,
        description="Keep the encoder's first that many transformer layers; null keeps all.",
    )
    device: Annotated[Literal["auto", "CPU", "GPU", "Ascend"], Effect.FREE] = Field(
        default="auto", description="What MindSpore trains on."
    )
    augment: Augmentation | None = Field(
        default=None,
        description="Train on more text than there is: ssmba (a masked language model's) or "
        "back-translation, before any method.",
    )
    task: Annotated[TaskSettings, SECTION] = Field(default_factory=TaskSettings)
    training: Annotated[TrainingSettings, SECTION] = Field(default_factory=TrainingSettings)
    search: Annotated[SearchSettings, SECTION] = Field(default_factory=SearchSettings)
    accordance: Annotated[AccordanceSettings, SECTION] = Field(default_factory=AccordanceSettings)
    softad: Annotated[SoftADSettings, SECTION] = Field(default_factory=SoftADSettings)
    adaflood: Annotated[AdaFloodSettings, SECTION] = Field(default_factory=AdaFloodSettings)
    defence: Annotated[DefenceSettings, SECTION] = Field(default_factory=DefenceSettings)
    adversarial: Annotated[AdversarialSettings, SECTION] = Field(
        default_factory=AdversarialSettings
    )
    augmentation: Annotated[AugmentationSettings, SECTION] = Field(
        default_factory=AugmentationSettings
    )
    attack: Annotated[AttackSection, SECTION, Effect.FREE] = Field(default_factory=AttackSection)

    @property
    def defends(self) -> bool:
        """Whether the method is one of the defences."""
        return self.method in DEFENCES

    @property
    def row_method(self) -> str | None:
        """How rows are flooded one by one; None where they are not."""
        return self.method if self.method in ROW_METHODS else self.flood_rows

    @property
    def has_own_levels(self) -> bool:
        """Whether every row has a flood level of its own."""
        return self.row_method is not None and ROW_METHODS[self.row_method].own_levels

    @property
    def depths(self) -> tuple[int | None, ...]:
        """``encoder_layers`` of all the models that are trained."""
        auxiliary = (self.adaflood.encoder_layers,) if self.has_own_levels else ()
        return (self.encoder_layers, *(layers for layers in auxiliary if layers))

    @property
    def in_input_space(self) -> bool:
        """Whether the method trains on adversarial examples."""
        return self.method in INPUT_SPACE

    @property
    def trained_as(self) -> str:
        """The method, and the augmentation before it, as cards name them."""
        return self.method if self.augment is None else f"{self.method}+{self.augment}"

    @property
    def updates_per_batch(self) -> int:
        """Optimizer updates that a batch of the whole size gets: FreeAT replays it."""
        replays = self.defends and DEFENCE_METHODS[self.method].replays
        return int(self.defence.steps or 1) if replays else 1

    @property
    def needs_crossing(self) -> bool:
        """Whether the flood level comes from a crossing of gradient accordance."""
        by_range = self.method == "flooding-search" and self.search.bounds == "accordance"
        return by_range or self.two_passes or self.online

    @property
    def two_passes(self) -> bool:
        """Whether a first pass finds the flood level that the model is then trained with."""
        return self.method == "flooding-x" or self.flood_level == "flooding-x"

    @property
    def online(self) -> bool:
        """Whether the level is set in the running pass, once its accordance has crossed."""
        return "flooding-x-online" in (self.method, self.flood_level)

    @property
    def fixed_level(self) -> float | None:
        """The flood level that the config itself gives."""
        return None if isinstance(self.flood_level, str) else self.flood_level

    @property
    def without_epochs(self) -> "Config":
        """The same for a model on the way to the final one: its epochs are not for comparison."""
        return dataclasses.replace(
            self,
            training=dataclasses.replace(self.training, keep_epochs=False),
            attack=dataclasses.replace(self.attack, each_epoch=False),
        )

    def conditions(self) -> dict[str, Any]:
        """How the model is trained: what two runs of one method must share to be its seeds."""
        found = {
            key: _plain(value)
            for key, value, effect in self._marked()
            # The card tells the task by itself, and all that stands in no section.
            if effect is None and "." in key and key != "task.name"
        }
        # The level itself differs from seed to seed, and plain runs of the defence have none.
        if isinstance(self.flood_level, str):
            found["flood_level"] = self.flood_level
        return found | ({} if self.flood_rows is None else {"flood_rows": self.flood_rows})

    def kept(self) -> dict[str, Any]:
        """What a run keeps to its end, however often it is continued: dotted key → value."""
        return {key: value for key, value, effect in self._marked() if effect != Effect.FREE}

    def _marked(self) -> Iterator[tuple[str, Any, Effect | None]]:
        """Dotted key, value and mark of every setting."""
        for name, field in fields_of(Config).items():
            value = getattr(self, name)
            if not dataclasses.is_dataclass(value):
                yield name, value, effect_of(field)
                continue
            for key, inner in fields_of(type(value)).items():
                effect = effect_of(field) or effect_of(inner)
                yield f"{name}.{key}", getattr(value, key), self._as_used(name, key, effect)

    def _as_used(self, section: str, key: str, effect: Effect | None) -> Effect | None:
        """A field's mark, for the method that is trained: what it does not use, it may change."""
        if section == "accordance" and not self.needs_crossing:
            written = self.accordance.record or key == "record"
            return Effect.FILES if written else Effect.FREE
        used = {
            "defence": self.defends,
            "search": self.method == "flooding-search",
            "adversarial": self.in_input_space,
            "augmentation": self.augment is not None,
        }
        used |= {name: self.row_method == name for name in ROW_METHODS}
        return effect if used.get(section, True) else Effect.FREE

    def attack_on(
        self, model: Path, recipe: str, num_examples: int | None, *, calibrated: bool = False
    ) -> AttackSettings:
        """The attack that the config asks for, of one recipe on one model's folder.

        Args:
            calibrated: the victim at ``attack.temperature``, not as it is.
        """
        section, entry, task = self.attack, RECIPES[recipe], self.task
        given = {name: getattr(section, name) for name in fields_of(AttackOptions)}
        given |= {"num_examples": num_examples}
        if not entry.has_candidates:
            given["candidates"] = None
        if not entry.asks_masked_lm:
            given["masked_lm"] = None
        if not calibrated:
            given["temperature"] = None
        if not isinstance(given["temperature"], str):
            given["held_out"] = None
        # The split is named: a file by itself would be attacked whole, training rows and all.
        described = task.as_task
        split = None if task.data is None else described.attacked_split
        return AttackSettings(
            model=str(model),
            task=described,
            recipe=recipe,
            data=task.data,
            split=split,
            **given,
        )

    def attack_to_train(self, model: Path, data: str | None) -> AttackSettings:
        """The attack whose examples the method trains on, on the model of an epoch."""
        section, entry = self.adversarial, RECIPES[self.method]
        return AttackSettings(
            model=str(model),
            task=self.task.as_task,
            recipe=self.method,
            data=data,
            split="train",
            profile=section.profile,
            seed=self.seed,
            workers=section.workers,
            ray=section.ray,
            max_queries=section.max_queries,
            allow_pickles=section.allow_pickles,
            candidates=section.candidates if entry.has_candidates else None,
            masked_lm=section.masked_lm if entry.asks_masked_lm else None,
        )

    @property
    def run_folder(self) -> Path:
        """Where this model's RUN folder is."""
        return Path(self.output) / f"{self.name or self.method}-seed{self.seed}"


def to_yaml(config: Config) -> str:
    """The resolved config as YAML that loads back to the same."""
    return yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
