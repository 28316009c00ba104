"""Reading an experiment's YAML file: checked key by key before anything runs."""

import collections
import copy
import dataclasses
from pathlib import Path
from typing import Any

from mindflood.config.checks import checked
from mindflood.config.messages import validated
from mindflood.config.settings import Config
from mindflood.config.strict_yaml import StrictYamlError, load, shown
from mindflood.errors import UserError
from mindflood.fields import Number, fields_of

_LARGEST_FILE = 256 * 1024  # bytes
_MOST_MODELS = 500  # each of which 'mindflood run' holds a lock of


def load_train_config(path: Path, overrides: list[str]) -> Config:
    """One method, one seed.

    Raises:
        UserError: the file is missing or not YAML, a key is unknown, a value does not fit, or the
            file lists several methods and no ``method=`` chooses one.
    """
    configs = load_run_configs(path, overrides)
    if len(configs) > 1:
        names = ", ".join(f"{c.name or c.method} (seed {c.seed})" for c in configs)
        raise UserError(
            f"{path}: describes {len(configs)} models ({names}): choose one with "
            f"method=NAME seed=S, or train them all with 'mindflood run {path}'"
        )
    return configs[0]


def load_run_configs(path: Path, overrides: list[str]) -> list[Config]:
    """One Config for every method, level and seed of the file.

    ``methods`` and ``seeds`` are lists; a ``flood_level`` may be one, for a sweep, whose models are
    then called ``NAME-bLEVEL``. ``overrides`` are ``section.key=value`` words whose values are
    YAML; ``method=NAME`` and ``seed=S`` choose among those that the lists name.

    Raises:
        UserError: see :func:`load_train_config`; or two models would share a RUN folder.
    """
    mapping = _read_yaml(path)
    chosen = _parse_overrides(overrides)
    methods = chosen.pop("methods", mapping.pop("methods", None))
    wanted = chosen.pop("method", None)
    seeds = mapping.pop("seeds", None)
    seeds = chosen.pop("seeds", seeds)
    if seeds is None or "seed" in chosen:
        seeds = [chosen.get("seed", mapping.get("seed", 0))]
    if not isinstance(seeds, list) or not seeds:
        raise UserError(f"{path}: seeds: expected a list of whole numbers, not {shown(seeds)}")
    models = _models(mapping, _entries(methods, path), chosen, wanted, path)
    if len(models) * len(seeds) > _MOST_MODELS:
        raise UserError(
            f"{path}: describes {len(models) * len(seeds)} models, expected at most {_MOST_MODELS}"
        )
    configs = []
    for model in models:
        for seed in seeds:
            values = model | {"seed": seed}
            configs.append(checked(validated(Config, values, str(path)), str(path)))
    folders = collections.Counter(config.run_folder for config in configs)
    for folder, times in folders.items():
        if times > 1:
            raise UserError(f"{path}: two models would be written to {folder}; give each a 'name'")
    return configs


def with_labels(configs: list[Config]) -> list[Config]:
    """The same with the classes of a user's own data, which its training rows tell, listed.

    Raises:
        UserError: they cannot be read, or tell no classes.
    """
    found = {task: task.with_labels() for task in dict.fromkeys(one.task for one in configs)}
    return [dataclasses.replace(config, task=found[config.task]) for config in configs]


def from_yaml(path: Path) -> Config:
    """The resolved config of a RUN folder.

    Raises:
        UserError: the file is missing or holds something else.
    """
    mapping = _read_yaml(path)
    if isinstance(training := mapping.get("training"), dict):
        training.setdefault("group_by_length", True)  # as batches were before one could choose
    return checked(validated(Config, mapping, str(path)), str(path))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give the path of a YAML config") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder; give the path of a YAML config") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_FILE:
        raise UserError(
            f"{path}: longer than {_LARGEST_FILE // 1024} KiB; give the path of a YAML config"
        )
    try:
        value = load(content.decode("utf-8"))
    except (UnicodeDecodeError, StrictYamlError) as error:
        raise UserError(f"{path}: expected a YAML file: {error}") from None
    if value is None:
        raise UserError(f"{path}: the file is empty; expected keys and values")
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected keys and values, found {type(value).__name__}")
    return value


def _parse_overrides(words: list[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(
                f"{shown(word)}: expected section.key=value, for instance training.epochs=3"
            )
        if key in chosen:
            raise UserError(f"{shown(word)}: {key} is given twice; leave one")
        try:
            chosen[key] = load(value)
        except StrictYamlError as error:
            raise UserError(f"{shown(word)}: the value is not YAML: {error}") from None
    return chosen


def _set(mapping: dict[str, Any], dotted: str, value: Any, path: Path) -> None:
    *sections, key = dotted.split(".")
    for section in sections:
        mapping = mapping.setdefault(section, {})
        if not isinstance(mapping, dict):
            raise UserError(f"{path}: {dotted}: {shown(section)} is no section")
    mapping[key] = value


def _entries(methods: Any, path: Path) -> list[dict[str, Any]]:
    if methods is None:
        return [{}]
    if not isinstance(methods, list) or not methods:
        raise UserError(f"{path}: methods: expected a list of method names, not {shown(methods)}")
    return [entry if isinstance(entry, dict) else {"method": entry} for entry in methods]


def _models(
    mapping: dict[str, Any],
    entries: list[dict[str, Any]],
    chosen: dict[str, Any],
    wanted: Any,
    path: Path,
) -> list[dict[str, Any]]:
    """The models that ``method=wanted`` chooses, by name or method; all without one."""

    def overridden(entry: dict[str, Any]) -> dict[str, Any]:
        merged = _merge(mapping, entry)
        for key, value in chosen.items():
            _set(merged, key, value, path)
        return merged

    found = []
    for entry in entries:
        whole = wanted is None or wanted in (entry.get("name"), entry.get("method"))
        for model in _each_level(overridden(entry), path):
            if whole or wanted == model.get("name"):
                found.append(model)
    return found or _each_level(overridden({}) | {"method": wanted}, path)


def _each_level(model: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """One model a level, where ``flood_level`` is a list of them."""
    levels = model.get("flood_level")
    if not isinstance(levels, list):
        return [model]
    if not levels:
        raise UserError(f"{path}: flood_level: expected a number or a list of numbers, not []")
    name = model.get("name") or model.get("method") or fields_of(Config)["method"].default
    numbers: list[float] = validated(list[Number], levels, str(path), "flood_level")
    for number in numbers:
        if numbers.count(number) > 1:
            raise UserError(f"{path}: flood_level: {number:g} is listed more than once")
    return [model | {"flood_level": b, "name": f"{name}-b{b:g}"} for b in numbers]


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(base)
    for key, value in over.items():
        below = merged.get(key)
        nested = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below, value) if nested else value  # type: ignore[arg-type]
    return merged
