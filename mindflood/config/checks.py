"""Which settings make sense, alone and together."""

import dataclasses
import re
from collections.abc import Collection
from typing import Any, NoReturn, get_args

from mindflood.config.recipes import COLUMNS, PROFILES, RECIPES
from mindflood.config.settings import METHODS, Config
from mindflood.config.strict_yaml import shown
from mindflood.data.tasks import TASKS, Split
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, LENGTHS, NORMS, VARIANTS, resolved
from mindflood.errors import UserError, nearest
from mindflood.flooding.level import Direction

# Beyond these a number is a slip: it would take the memory, or years.
_MOST = {
    "task.max_length": 2**16,
    "training.epochs": 10**5,
    "training.batch_size": 2**16,
    "training.threads": 2**10,
    "accordance.sub_epochs": 10**4,
    "accordance.batches": 10**6,
    "defence.steps": 10**3,
    "defence.inner_steps": 10**3,
    "attack.workers": 2**10,
}
_MOST_LEVELS = 1000
_LONGEST_NAME = 200  # a file system takes 255, of which the seed and an ending need some


def checked(config: Config, source: str) -> Config:
    """The same config, once its values make sense together, with its defence's settings filled in.

    Raises:
        UserError: names the file and the key.
    """
    demand = _Demand(source)
    _check_sizes(config, demand)
    _check_run(config, demand)
    _check_task(config, demand)
    _check_training(config, demand)
    _check_attack(config, demand)
    _check_flood_level(config, demand)
    _check_accordance(config, demand)
    _check_search(config, demand)
    return _with_defence(config, demand)


class _Demand:
    """Refuses settings in one line that begins with where they stand."""

    def __init__(self, source: str) -> None:
        self.source = source

    def refuse(self, key: str, why: str) -> NoReturn:
        raise UserError(f"{self.source}: {key}: {why}")

    def that(self, holds: bool, key: str, expected: str, value: Any) -> None:
        if not holds:
            self.refuse(key, f"expected {expected}, not {shown(value)}")

    def one_of(self, key: str, value: str, known: Collection[str]) -> None:
        if value not in known:
            self.refuse(key, f"unknown {shown(value)}{nearest(value, known)}")

    def at_least(self, least: float, key: str, value: float | None) -> None:
        """Of a value that is given."""
        self.that(value is None or value >= least, key, f"at least {least:g}", value)

    def above_zero(self, key: str, value: float) -> None:
        self.that(value > 0, key, "more than 0", value)


def _check_sizes(config: Config, demand: _Demand) -> None:
    for key, most in _MOST.items():
        section, name = key.split(".")
        value = getattr(getattr(config, section), name)
        demand.that(value is None or value <= most, key, f"at most {most}", value)


def _check_run(config: Config, demand: _Demand) -> None:
    demand.one_of("method", config.method, METHODS)
    demand.one_of("device", config.device, ("auto", "CPU", "GPU", "Ascend"))
    demand.that(
        config.output.strip() != "" and "\0" not in config.output,
        "output",
        "the path of a folder ('.' is the working folder)",
        config.output,
    )
    name = config.name
    demand.that(
        name is None or (name not in ("", ".", "..") and not set(name) & set("/\\\0")),
        "name",
        "the name of a folder, without slashes",
        name,
    )
    demand.that(
        name is None or len(name.encode()) <= _LONGEST_NAME,
        "name",
        f"at most {_LONGEST_NAME} bytes",
        name,
    )
    layers = config.encoder_layers
    demand.that(
        layers is None or layers >= 1, "encoder_layers", "at least 1, or null for all", layers
    )
    demand.that(config.seed >= 0, "seed", "a whole number of at least 0", config.seed)


def _check_task(config: Config, demand: _Demand) -> None:
    task = config.task
    demand.one_of("task.name", task.name, TASKS)
    demand.at_least(1, "task.train_examples", task.train_examples)
    demand.at_least(1, "task.eval_examples", task.eval_examples)
    demand.at_least(3, "task.max_length", task.max_length)


def _check_training(config: Config, demand: _Demand) -> None:
    training = config.training
    demand.one_of("training.precision", training.precision, ("float32", "float16", "bfloat16"))
    demand.one_of("training.mode", training.mode, ("graph", "pynative"))
    demand.one_of("training.schedule", training.schedule, ("linear", "constant"))
    counts = ("epochs", "batch_size", "accumulation_steps", "checkpoint_every", "log_every")
    for key in (*counts, "threads"):
        demand.at_least(1, f"training.{key}", getattr(training, key))
    demand.above_zero("training.learning_rate", training.learning_rate)
    for key in ("weight_decay", "warmup"):
        demand.at_least(0, f"training.{key}", getattr(training, key))
    rate = training.dropout
    demand.that(
        rate is None or 0 <= rate < 1,
        "training.dropout",
        "at least 0 and below 1, or null for the encoder's own",
        rate,
    )
    norm = training.max_gradient_norm
    demand.that(
        norm is None or norm > 0, "training.max_gradient_norm", "more than 0, or null", norm
    )
    buckets = training.buckets
    demand.that(
        bool(buckets) and all(3 <= length <= _MOST["task.max_length"] for length in buckets),
        "training.buckets",
        f"a list of lengths of 3 to {_MOST['task.max_length']}",
        list(buckets),
    )
    demand.that(
        training.batch_size % training.accumulation_steps == 0,
        "training.accumulation_steps",
        f"a divisor of training.batch_size ({training.batch_size})",
        training.accumulation_steps,
    )


def _check_attack(config: Config, demand: _Demand) -> None:
    attack = config.attack
    for number, recipe in enumerate(attack.recipes):
        demand.one_of(f"attack.recipes[{number}]", recipe, RECIPES)
    demand.one_of("attack.profile", attack.profile, PROFILES)
    demand.at_least(0, "attack.seed", attack.seed)
    for key in ("num_examples", "workers", "epoch_examples", "max_queries", "candidates"):
        demand.at_least(1, f"attack.{key}", getattr(attack, key))
    demand.one_of("attack.columns", attack.columns, COLUMNS)
    single = len(TASKS[config.task.name].text_columns) == 1
    if single and attack.columns != "both":
        demand.refuse(
            "attack.columns", f"task '{config.task.name}' has a single text; leave it out"
        )
    if isinstance(attack.temperature, float):
        demand.above_zero("attack.temperature", attack.temperature)
    demand.one_of("attack.held_out", attack.held_out, get_args(Split))
    _check_meant(config, demand)
    if attack.max_seconds is not None:
        demand.above_zero("attack.max_seconds", attack.max_seconds)
    if attack.each_epoch and not config.training.keep_epochs:
        demand.refuse(
            "attack.each_epoch", "needs the models of the epochs; set training.keep_epochs: true"
        )


def _check_meant(config: Config, demand: _Demand) -> None:
    """A setting of some recipes needs one that has it."""
    attack = config.attack
    made = {*attack.recipes, config.search.recipe}
    choosing = [name for name, entry in RECIPES.items() if entry.has_candidates]
    if attack.candidates is not None and made.isdisjoint(choosing):
        demand.refuse("attack.candidates", f"only {choosing[0]} has such a setting; leave it out")
    asking = [name for name, entry in RECIPES.items() if entry.asks_masked_lm]
    if attack.masked_lm is not None and (attack.profile != "offline" or made.isdisjoint(asking)):
        which = " and ".join(asking)
        demand.refuse("attack.masked_lm", f"only {which} (offline) ask such a model; leave it out")


def _check_flood_level(config: Config, demand: _Demand) -> None:
    level = config.fixed_level
    demand.that(level is None or level >= 0, "flood_level", "a number of at least 0", level)
    if config.flood_level == "flooding-x" and not config.defends:
        demand.refuse("flood_level", "'flooding-x' is for the defences; use method: flooding-x")
    if config.method == "flooding" and level is None:
        demand.refuse("flood_level", "'flooding' needs one, for instance 0.1")
    if level is not None and config.method != "flooding" and not config.defends:
        demand.refuse("flood_level", f"'{config.method}' takes none; use method: flooding")


def _check_accordance(config: Config, demand: _Demand) -> None:
    accordance = config.accordance
    demand.that(
        re.fullmatch(r"all|encoder|last-[1-9][0-9]*", accordance.parameters) is not None,
        "accordance.parameters",
        "all, encoder or last-N (layers)",
        accordance.parameters,
    )
    demand.one_of("accordance.direction", accordance.direction, get_args(Direction))
    for key in ("sub_epochs", "persistence"):
        demand.at_least(1, f"accordance.{key}", getattr(accordance, key))
    demand.that(
        accordance.batches >= 2,
        "accordance.batches",
        "at least 2 (accordance compares them)",
        accordance.batches,
    )
    demand.that(
        0 <= accordance.margin < 0.5, "accordance.margin", "0 <= margin < 0.5", accordance.margin
    )
    probes, least = accordance.sub_epochs * config.training.epochs, 2 * accordance.persistence
    demand.that(
        not config.needs_crossing or probes >= least,
        "accordance.sub_epochs",
        f"at least {least} in the run's {config.training.epochs} epochs, as a crossing of zero "
        f"takes accordance.persistence ({accordance.persistence}) on either side",
        accordance.sub_epochs,
    )


def _check_search(config: Config, demand: _Demand) -> None:
    search = config.search
    demand.one_of("search.recipe", search.recipe, RECIPES)
    demand.one_of("search.bounds", search.bounds, ("fixed", "accordance"))
    demand.one_of("search.choose_on", search.choose_on, ("held-out", "test"))
    demand.at_least(0, "search.lower", search.lower)
    demand.that(
        search.lower <= search.upper,
        "search.lower",
        f"at most search.upper ({search.upper:g}), or there is no level to try",
        search.lower,
    )
    demand.above_zero("search.step", search.step)
    demand.that(
        search.upper - search.lower < _MOST_LEVELS * search.step,
        "search.step",
        f"at most {_MOST_LEVELS} levels between search.lower and search.upper",
        search.step,
    )
    demand.at_least(1, "search.examples", search.examples)


def _check_needs(config: Config, demand: _Demand) -> None:
    """What the table of the defences says of this one."""
    method, training = DEFENCE_METHODS[config.method], config.training
    if method.whole_batch and training.accumulation_steps > 1:
        demand.refuse(
            "training.accumulation_steps",
            f"'{config.method}' {method.whole_batch} and takes it whole; set 1",
        )
    if method.one_device and training.batch_size == 1:
        demand.refuse(
            "training.batch_size", f"'{config.method}' {method.whole_batch}; use at least 2"
        )
    if method.float32 and training.precision != "float32":
        demand.refuse("training.precision", f"'{config.method}' {method.float32}; use float32")
    if method.two_layers and config.encoder_layers == 1:
        demand.refuse("encoder_layers", f"'{config.method}' {method.two_layers}; use at least 2")


def _with_defence(config: Config, demand: _Demand) -> Config:
    given = config.defence
    if given.norm is not None:
        demand.one_of("defence.norm", given.norm, NORMS)
    demand.at_least(1, "defence.steps", given.steps)
    if given.step_size is not None:
        demand.above_zero("defence.step_size", given.step_size)
    for key in ("magnitude", "radius", "alpha", "beta"):
        demand.at_least(0, f"defence.{key}", getattr(given, key))
    demand.at_least(1, "defence.inner_steps", given.inner_steps)
    if given.variant is not None:
        demand.one_of("defence.variant", given.variant, VARIANTS)
    if not config.defends:
        return config
    for key in ("steps", "inner_steps", "variant", "normalise", "alpha", "beta"):
        if getattr(given, key) is not None and getattr(DEFENCES[config.method], key) is None:
            demand.refuse(f"defence.{key}", f"'{config.method}' has none; leave it out")
    _check_needs(config, demand)
    defence = resolved(config.method, given)
    if defence.norm == "linf":
        missing = [f"defence.{key}" for key in LENGTHS if getattr(defence, key) is None]
        if missing:
            demand.refuse(
                ", ".join(missing),
                "expected numbers with defence.norm linf, as the defaults are lengths in L2; "
                "give what one coordinate of δ may be changed by (radius 0: no ball)",
            )
    for key in ("step_size", "magnitude"):
        if getattr(defence, key) is None:
            demand.refuse(
                f"defence.{key}",
                f"'{config.method}' takes it from defence.radius, which is 0; give both",
            )
    moved = DEFENCE_METHODS[config.method].moved_start
    if moved and not defence.magnitude:
        demand.refuse("defence.magnitude", f"'{config.method}' needs more than 0, as {moved}")
    return dataclasses.replace(config, defence=defence)
