"""The experiment's settings: what there is to set."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from mindflood.data.tasks import Split
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, DefenceSettings
from mindflood.flooding.level import Direction

_FLOODING = ("flooding", "flooding-search", "flooding-x", "flooding-x-online")
METHODS = ("finetune", *_FLOODING, *DEFENCES)

# Where rows come from and what is logged or kept: they leave the trained model as it is.
_NO_CONDITIONS = {
    "name",
    "data",
    "eval_examples",
    "mode",
    "threads",
    "checkpoint_every",
    "keep_epochs",
    "log_every",
    "record",
}


@dataclass(frozen=True)
class TaskSettings:
    """Which texts to classify.

    Attributes:
        name: a task of ``mindflood.data.tasks``.
        data: ``hub``, a folder or a file; none takes the task's usual source.
        train_examples, eval_examples: a seeded sample of that many rows; none takes all.
        max_length: tokens a row at most, special tokens included.
    """

    name: str = "corpus"
    data: str | None = None
    train_examples: int | None = None
    eval_examples: int | None = None
    max_length: int = 128


@dataclass(frozen=True)
class TrainingSettings:
    """How the network is trained; the defaults are those of Flooding-X §4.3 and its release.

    Attributes:
        learning_rate: peak of the warm-up.
        schedule: after the warm-up ``linear`` decay to zero at the end, or ``constant``.
        weight_decay: decoupled; not on biases and LayerNorm.
        warmup: share of all steps (below 1) or number of steps (1 and more).
        dropout: rate of all dropouts; none keeps the encoder's own.
        max_gradient_norm: global L2 norm that gradients are clipped to; none: no clipping.
        accumulation_steps: micro-batches that make up one batch of ``batch_size`` rows.
        precision: ``float32``, ``float16`` or ``bfloat16`` (the latter two with loss scaling).
        mode: ``graph`` or ``pynative``.
        buckets: padded lengths; one compiled graph each.
        group_by_length: batches of rows of one bucket: less padding, but no uniform sample of the
            rows, as the papers' batches are.
        checkpoint_every: steps between checkpoints within an epoch.
        keep_epochs: keep every epoch's weights in ``epochs/``, not only the last checkpoints.
        log_every: steps between lines of ``trace.jsonl``.
        threads: CPU threads of MindSpore; none takes the machine's cores.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 2e-5
    schedule: str = "linear"
    weight_decay: float = 0.01
    warmup: float = 0.1
    dropout: float | None = None
    max_gradient_norm: float | None = None
    accumulation_steps: int = 1
    precision: str = "float32"
    mode: str = "graph"
    buckets: tuple[int, ...] = (32, 64, 128, 256, 512)
    group_by_length: bool = False
    checkpoint_every: int = 500
    keep_epochs: bool = False
    log_every: int = 1
    threads: int | None = None


@dataclass(frozen=True)
class SearchSettings:
    """The grid of vanilla Flooding (Flooding-X §4.1: steps of 0.01) and how its best is chosen.

    Attributes:
        bounds: of the levels tried: ``fixed`` (``lower`` to ``upper``), or ``accordance``: the
            range that a probe pass of fine-tuning finds first, as in flooding-x.
        lower, upper, step: the levels tried, in nats, both ends included; with ``accordance``
            the multiples of ``step`` that cover the range.
        choose_on: ``held-out`` (training rows set aside from the candidates) or ``test``, which
            mimics the paper and is labelled so on the card.
        examples: rows attacked to rank a candidate.
        recipe: the attack whose accuracy under attack ranks the candidates.
    """

    bounds: str = "fixed"
    lower: float = 0.01
    upper: float = 0.20
    step: float = 0.01
    choose_on: str = "held-out"
    examples: int = 200
    recipe: str = "textfooler"


@dataclass(frozen=True)
class AccordanceSettings:
    """When gradient accordance is probed, and what counts as its crossing (Flooding-X §3.2).

    Attributes:
        sub_epochs: probes an epoch, evenly spaced, the last at its end.
        batches: of a sub-epoch that are probed: its last ones, or all where it has fewer.
        parameters: whose gradients: ``all``, ``encoder`` or ``last-N`` (layers).
        direction: ``either``, ``rising`` (negative to positive, §5.1) or ``falling`` (§3).
        persistence: sub-epochs in a row that establish a side of zero.
        margin: accordance up to this size is indistinguishable from zero.
        record: write ``accordance.jsonl`` with finetune and flooding too, which do not need it.
    """

    sub_epochs: int = 2
    batches: int = 8
    parameters: str = "all"
    direction: Direction = "either"
    persistence: int = 2
    margin: float = 0.0
    record: bool = False


@dataclass(frozen=True)
class AttackSettings:
    """What attacks the trained models.

    Attributes:
        recipes: names of attack recipes.
        profile: ``paper`` (TextAttack's own recipe, with its downloads) or ``offline``.
        num_examples: rows attacked; none takes the paper's number for the task.
        seed: which rows, and every random choice of the attack.
        workers: processes.
        max_queries, max_seconds: most that the attack of one row may cost, in queries and in
            seconds of its own; a row that needs more is counted apart. None: no limit.
        candidates: K of BERT-Attack, substitutes a sub-word; none takes the paper's 48.
        masked_lm: folder of the masked language model that the offline BERT-Attack and BAE ask;
            none takes the one that is made of the task's training text.
        allow_pickles: TextAttack may load the pickles among the downloads of profile ``paper``.
        each_epoch: ``mindflood run`` also attacks the model of every epoch, on fewer rows; needs
            ``training.keep_epochs``.
        epoch_examples: those rows, the same for every epoch and method.
        columns: which texts of a pair may change: ``both``, ``first`` or ``second``.
        temperature: attacks every model also with its logits divided by it (Raina et al. 2024):
            ``fitted`` to held-out rows, the ``weakest`` of several on held-out rows, or a number.
        held_out: split of those rows; the attacked ones are left out.
    """

    recipes: tuple[str, ...] = ("textfooler",)
    profile: str = "paper"
    num_examples: int | None = None
    seed: int = 0
    workers: int = 1
    max_queries: int | None = None
    max_seconds: float | None = None
    candidates: int | None = None
    masked_lm: str | None = None
    allow_pickles: bool = False
    each_epoch: bool = False
    epoch_examples: int = 50
    columns: str = "both"
    temperature: float | Literal["fitted", "weakest"] | None = None
    held_out: Split = "dev"


@dataclass(frozen=True)
class Config:
    """Everything one trained model depends on.

    Attributes:
        output: the folder of the experiment; a model's RUN folder is ``output/name-seedS``.
        method: how the model is trained.
        name: of the RUN folder and the tables' row; none takes the method's name.
        flood_level: b in nats, for ``flooding`` and the defences; a file may list several, for a
            sweep. A defence also takes ``flooding-x``: the level that gradient accordance gives in
            a first pass of the same defence without flooding.
        seed: of the head's initial weights, the order of the rows and the dropout masks.
        encoder: ``embedded``, a Hugging Face folder, or a hub id.
        encoder_layers: keep the encoder's first that many transformer layers; none keeps all.
        device: ``auto``, ``CPU``, ``GPU`` or ``Ascend``.
    """

    output: str = "runs"
    method: str = "finetune"
    name: str | None = None
    flood_level: float | Literal["flooding-x"] | None = None
    seed: int = 0
    encoder: str = "bert-base-uncased"
    encoder_layers: int | None = None
    device: str = "auto"
    task: TaskSettings = field(default_factory=TaskSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    accordance: AccordanceSettings = field(default_factory=AccordanceSettings)
    defence: DefenceSettings = field(default_factory=DefenceSettings)
    attack: AttackSettings = field(default_factory=AttackSettings)

    @property
    def defends(self) -> bool:
        """Whether the method is one of the defences."""
        return self.method in DEFENCES

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
        parts: dict[str, Any] = {"task": self.task, "training": self.training}
        if self.defends:
            parts["defence"] = self.defence
        if self.needs_crossing:
            parts["accordance"] = self.accordance
        if self.method == "flooding-search":
            parts["search"] = self.search
        found = {
            f"{part}.{key}": _plain(value)
            for part, settings in parts.items()
            for key, value in dataclasses.asdict(settings).items()
            if key not in _NO_CONDITIONS
        }
        # The level itself differs from seed to seed, and plain runs of the defence have none.
        return found | ({"flood_level": "flooding-x"} if self.defends and self.two_passes else {})

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
