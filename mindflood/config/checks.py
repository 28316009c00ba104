"""Which settings make sense together; what each of them may be stands with its field."""

import dataclasses
from typing import Any, NoReturn

from mindflood.config.recipes import RECIPES
from mindflood.config.settings import Config
from mindflood.config.strict_yaml import shown
from mindflood.data.tasks import TASKS
from mindflood.defences.settings import DEFENCES, LENGTHS, resolved
from mindflood.errors import UserError

_MOST_LEVELS = 1000


def checked(config: Config, source: str) -> Config:
    """The same config, once its values make sense together, with its defence's settings filled in.

    Raises:
        UserError: names the file and the key.
    """
    demand = _Demand(source)
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


def _check_training(config: Config, demand: _Demand) -> None:
    training = config.training
    demand.that(
        training.batch_size % training.accumulation_steps == 0,
        "training.accumulation_steps",
        f"a divisor of training.batch_size ({training.batch_size})",
        training.accumulation_steps,
    )


def _check_attack(config: Config, demand: _Demand) -> None:
    attack = config.attack
    single = len(TASKS[config.task.name].text_columns) == 1
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
        which = " and ".join(asking)
        demand.refuse("attack.masked_lm", f"only {which} (offline) ask such a model; leave it out")


def _check_flood_level(config: Config, demand: _Demand) -> None:
    level = config.fixed_level
    if config.flood_level == "flooding-x" and not config.defends:
        demand.refuse("flood_level", "'flooding-x' is for the defences; use method: flooding-x")
    if config.method == "flooding" and level is None:
        demand.refuse("flood_level", "'flooding' needs one, for instance 0.1")
    if level is not None and config.method != "flooding" and not config.defends:
        demand.refuse("flood_level", f"'{config.method}' takes none; use method: flooding")


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


def _check_whole_batch(config: Config, demand: _Demand) -> None:
    """Some defences are no sum over the rows of a batch, so that it cannot come in parts."""
    why = {
        "freeat": "updates the weights within a batch",
        "tavat": "makes its vocabulary table of whole batches",
        "infobert": "contrasts the rows of a batch",
    }.get(config.method)
    if why is not None and config.training.accumulation_steps > 1:
        demand.refuse(
            "training.accumulation_steps",
            f"'{config.method}' {why} and takes it whole; set 1",
        )
    if config.method == "infobert" and config.training.batch_size == 1:
        demand.refuse(
            "training.batch_size", "'infobert' contrasts the rows of a batch; use at least 2"
        )


def _check_precision(config: Config, demand: _Demand) -> None:
    why = {
        "freeat": "cannot take back an overflow in the middle of its updates",
        "lds": "climbs the difference of two outputs so near that half precision rounds it away",
    }.get(config.method)
    if why is not None and config.training.precision != "float32":
        demand.refuse("training.precision", f"'{config.method}' {why}; use float32")


def _with_defence(config: Config, demand: _Demand) -> Config:
    given = config.defence
    if not config.defends:
        return config
    for key in ("inner_steps", "variant", "normalise", "alpha", "beta"):
        if getattr(given, key) is not None and getattr(DEFENCES[config.method], key) is None:
            demand.refuse(f"defence.{key}", f"'{config.method}' has none; leave it out")
    _check_whole_batch(config, demand)
    _check_precision(config, demand)
    if config.method == "yopo" and config.encoder_layers == 1:
        demand.refuse(
            "encoder_layers", "'yopo' steps through the first of several layers; use at least 2"
        )
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
    if config.method == "lds" and not defence.magnitude:
        demand.refuse(
            "defence.magnitude",
            "'lds' needs more than 0, as the divergence has no gradient at δ = 0",
        )
    return dataclasses.replace(config, defence=defence)
