"""Which settings make sense together; what each of them may be stands with its field."""

import dataclasses
from typing import Any, NoReturn

from mindflood.config.recipes import RECIPES
from mindflood.config.settings import Config, TaskSettings
from mindflood.config.strict_yaml import shown
from mindflood.data.own import check_columns
from mindflood.data.tasks import TASKS
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, LENGTHS, resolved
from mindflood.errors import UserError, nearest
from mindflood.flooding.row_methods import ROW_METHODS
from mindflood.kinds import NAMES, WITHOUT_CLASSES

_MOST_LEVELS = 1000


def checked(config: Config, source: str) -> Config:
    """The same config, once its values make sense together, with its defence's settings filled in.

    Raises:
        UserError: names the file and the key.
    """
    demand = _Demand(source)
    _check_task(config.task, demand)
    _check_training(config, demand)
    _check_attack(config, demand)
    _check_flood_level(config, demand)
    _check_classes(config, demand)
    _check_adversarial(config, demand)
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


def _check_task(task: TaskSettings, demand: _Demand) -> None:
    if task.text is None:
        if task.name not in TASKS:
            unknown = f"unknown {shown(task.name)}{nearest(task.name, TASKS)}"
            demand.refuse("task.name", f"{unknown}; your own data needs task.text and task.label")
        for key in ("label", "labels", "hub"):
            if getattr(task, key) is not None:
                demand.refuse(
                    f"task.{key}",
                    f"is for your own data, whose texts task.text names; task '{task.name}' has "
                    "its own",
                )
    else:
        _check_own_data(task, demand)
    files = [key for key in ("train", "dev", "test") if getattr(task, key) is not None]
    sources = [key for key in ("data", "hub") if getattr(task, key) is not None]
    places = [*sources, *files[:1]]
    if len(places) > 1:
        demand.refuse(
            f"task.{places[-1]}", f"task.{places[0]} says where all rows are; leave one of them out"
        )
    if files and "train" not in files:
        demand.refuse(f"task.{files[0]}", "needs task.train beside it")


def _check_own_data(task: TaskSettings, demand: _Demand) -> None:
    if task.name in TASKS:
        demand.refuse(
            "task.text",
            f"task '{task.name}' has its own columns; leave task.name out, or call your data "
            "something else",
        )
    if task.label is None:
        demand.refuse("task.label", "is missing; name the column of the classes")
    if all(place is None for place in (task.train, task.hub, task.data)):
        demand.refuse("task.train", "is missing; name the file of the training rows, or task.hub")
    if task.data in ("hub", "builtin"):
        demand.refuse("task.data", "your own data on the hub is task.hub: org/name")
    try:
        check_columns(task.columns, task.label)
    except UserError as error:
        key, _, why = str(error).partition(": ")
        demand.refuse(f"task.{key}", why)


def _check_training(config: Config, demand: _Demand) -> None:
    training = config.training
    demand.that(
        training.batch_size % training.accumulation_steps == 0,
        "training.accumulation_steps",
        f"a divisor of training.batch_size ({training.batch_size})",
        training.accumulation_steps,
    )
    if training.pack_texts:
        _check_packing(config, demand)


def _check_packing(config: Config, demand: _Demand) -> None:
    key, kind = "training.pack_texts", config.task.kind
    if config.defends:
        demand.refuse(key, f"'{config.method}' perturbs each text in a row of its own; set false")
    if kind not in ("classification", "regression"):
        demand.refuse(key, f"is for texts of a class or a number, not for {NAMES[kind]}")
    if config.training.accumulation_steps > 1:
        demand.refuse(key, "packs a whole batch; set training.accumulation_steps: 1")


def _check_attack(config: Config, demand: _Demand) -> None:
    attack = config.attack
    single = len(config.task.columns) == 1
    if single and attack.columns != "both":
        demand.refuse(
            "attack.columns", f"task '{config.task.name}' has a single text; leave it out"
        )
    _check_meant(config, demand)
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
        which = f"{', '.join(asking[:-1])} and {asking[-1]}"
        demand.refuse("attack.masked_lm", f"only {which} (offline) ask such a model; leave it out")


def _check_flood_level(config: Config, demand: _Demand) -> None:
    level, by_rows = config.flood_level, config.row_method
    _check_flood_rows(config, demand)
    if config.has_own_levels:
        if level is not None:
            demand.refuse("flood_level", f"'{by_rows}' gives every row its own; leave it out")
        return
    if by_rows is not None and level is None:
        demand.refuse("flood_level", f"'{by_rows}' needs one, for instance 0.1, or flooding-x")
    if isinstance(level, str) and by_rows is None and not config.defends:
        instead = "give a number" if config.in_input_space else f"use method: {level}"
        demand.refuse(
            "flood_level",
            f"'{level}' is for the defences and for {' and '.join(_of_one_level())}; {instead}",
        )
    if config.method == "flooding" and level is None:
        demand.refuse("flood_level", "'flooding' needs one, for instance 0.1")
    takes_one = config.method == "flooding" or config.defends or by_rows is not None
    takes_one = takes_one or config.in_input_space
    if level is not None and not takes_one:
        demand.refuse("flood_level", f"'{config.method}' takes none; use method: flooding")


def _of_one_level() -> list[str]:
    return [name for name, method in ROW_METHODS.items() if not method.own_levels]


def _check_flood_rows(config: Config, demand: _Demand) -> None:
    rows = config.flood_rows
    if rows is None:
        return
    if not config.defends:
        demand.refuse("flood_rows", f"only the defences have it; use method: {rows}")
    why = DEFENCE_METHODS[config.method].no_rows
    if why:
        able = [name for name, method in DEFENCE_METHODS.items() if not method.no_rows]
        demand.refuse("flood_rows", f"'{config.method}' {why}; use {', '.join(able)}")


def _check_adversarial(config: Config, demand: _Demand) -> None:
    """Training on adversarial examples: clean epochs, then those with attacks."""
    if not config.in_input_space:
        return
    section, epochs = config.adversarial, config.training.epochs
    demand.that(
        section.clean_epochs <= epochs,
        "adversarial.clean_epochs",
        f"at most training.epochs ({epochs})",
        section.clean_epochs,
    )
    if config.accordance.record:
        demand.refuse(
            "accordance.record", f"'{config.method}' trains on other rows each epoch; leave it out"
        )
    entry = RECIPES[config.method]
    if section.candidates is not None and not entry.has_candidates:
        demand.refuse(
            "adversarial.candidates", f"'{config.method}' has no such setting; leave it out"
        )
    if section.masked_lm is not None and not (
        entry.asks_masked_lm and section.profile == "offline"
    ):
        demand.refuse(
            "adversarial.masked_lm",
            f"'{config.method}' ({section.profile}) asks no such model; leave it out",
        )


def _check_accordance(config: Config, demand: _Demand) -> None:
    accordance = config.accordance
    probes, least = accordance.sub_epochs * config.training.epochs, 2 * accordance.persistence
    demand.that(
        not config.needs_crossing or probes >= least,
        "accordance.sub_epochs",
        f"at least {least} in the run's {config.training.epochs} epochs, as a crossing of zero "
        f"takes accordance.persistence ({accordance.persistence}) on either side",
        accordance.sub_epochs,
    )


def _check_classes(config: Config, demand: _Demand) -> None:
    """What is only there for classifiers: gradient accordance, and a search that attacks."""
    kind = config.task.kind
    if kind == "classification":
        return
    why = f"task '{config.task.name}' is {NAMES[kind]}"
    accordance = "gradient accordance compares the gradients of the rows of a class, and " + why
    asked = {
        "method": config.method in ("flooding-x", "flooding-x-online"),
        "flood_level": config.flood_level == "flooding-x",
        "search.bounds": config.method == "flooding-search" and config.search.bounds != "fixed",
        "accordance.record": config.accordance.record,
    }
    remedies = {"search.bounds": "set fixed", "accordance.record": "leave it out"}
    for key, is_asked in asked.items():
        if is_asked and kind in WITHOUT_CLASSES:
            remedy = remedies.get(key, "give method: flooding, or a defence, a flood_level")
            demand.refuse(key, f"{accordance}: {WITHOUT_CLASSES[kind]}; {remedy}")
    if config.method == "flooding-search":
        demand.refuse(
            "method", f"'flooding-search' ranks its levels by an attack, and {why}; give levels"
        )
    if config.attack.each_epoch:
        demand.refuse("attack.each_epoch", f"attacks are for classifiers, and {why}")
    if config.in_input_space:
        demand.refuse("method", f"'{config.method}' attacks its training rows, and {why}")
    if config.augment is not None and kind != "regression":
        demand.refuse("augment", f"copies the label of a text, and {why}; leave it out")


def _check_search(config: Config, demand: _Demand) -> None:
    search = config.search
    demand.that(
        search.lower <= search.upper,
        "search.lower",
        f"at most search.upper ({search.upper:g}), or there is no level to try",
        search.lower,
    )
    demand.that(
        search.upper - search.lower < _MOST_LEVELS * search.step,
        "search.step",
        f"at most {_MOST_LEVELS} levels between search.lower and search.upper",
        search.step,
    )


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
