"""The experiment's settings: what there is to set."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from mindflood.config.attack import AttackOptions, AttackSection, AttackSettings
from mindflood.config.input_space import (
    INPUT_SPACE,
    AdversarialSettings,
    Augmentation,
    AugmentationSettings,
)
from mindflood.config.recipes import RECIPES
from mindflood.data.tasks import TASKS, get_task
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, DefenceSettings
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

_FLOODING = ("flooding", "flooding-search", "flooding-x", "flooding-x-online")
METHODS = ("finetune", *_FLOODING, *DEFENCES, *INPUT_SPACE)

LONGEST_ROW = 2**16  # tokens
_LONGEST_NAME = 200  # bytes; a file system takes 255, of which the seed and an ending need some


def _folder(path: str) -> str:
    if not path.strip():
        raise ValueError("the path of a folder ('.' is the working folder)")
    return path


def _folder_name(name: str) -> str:
    if name in ("", ".", "..") or set(name) & set("/\\"):
        raise ValueError("the name of a folder, without slashes")
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"at most {_LONGEST_NAME} bytes")
    return name


@dataclass(frozen=True, config=STRICT)
class TaskSettings:
    """Which texts to classify."""

    name: Annotated[str, OneOf(TASKS)] = Field(
        default="corpus", description="The task: its columns, labels and splits."
    )
    data: Annotated[UserPath | None, Effect.FILES] = Field(
        default=None,
        description="hub, a folder or a file; null takes the task's usual source.",
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
    flood_level: Annotated[
        NotNegative | Literal["flooding-x"] | None, Expected("a number of at least 0")
    ] = Field(
        default=None,
        description="b in nats, for flooding, the defences, a2t, a2t-mlm and bert-attack; a file "
        "may list several, for a sweep. A defence also takes flooding-x: the level that gradient "
        "accordance gives in a first pass of the same defence without flooding.",
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
        return by_range or self.two_passes or self.method == "flooding-x-online"

    @property
    def two_passes(self) -> bool:
        """Whether a first pass finds the flood level that the model is then trained with."""
        return self.method == "flooding-x" or self.flood_level == "flooding-x"

    @property
    def fixed_level(self) -> float | None:
        """The flood level that the config itself gives."""
        return None if self.flood_level == "flooding-x" else self.flood_level

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
        return found | ({"flood_level": "flooding-x"} if self.defends and self.two_passes else {})

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
        split = None if task.data is None else get_task(task.name).attacked_split
        return AttackSettings(
            model=str(model),
            task=get_task(task.name),
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
            task=get_task(self.task.name),
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
