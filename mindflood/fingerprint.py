"""A hash of a recipe's exact parts: two numbers compare only where their fingerprints match."""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

# What changes the speed or belongs to the victim, not to the recipe.
_NOT_THE_RECIPE = {"model", "batch_size", "use_cache", "goal_function"}


def recipe_fingerprint(attack: Any, recipe: str, profile: str, resources: dict[str, str]) -> str:
    """Hash of the recipe's name, profile, parts, settings and resources: 16 hexadecimal digits.

    Args:
        attack: a ``textattack.Attack``.
        resources: what else decides the outcome (the tagger's weights, ...), name → hash.
    """
    parts = {
        "recipe": recipe,
        "profile": profile,
        "textattack": metadata.version("textattack"),
        "resources": resources,
        "goal": _part(attack.goal_function),
        "search": _part(attack.search_method),
        "transformation": _part(attack.transformation),
        "before": [_part(constraint) for constraint in attack.pre_transformation_constraints],
        "after": [_part(constraint) for constraint in attack.constraints],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def file_fingerprint(*paths: Path) -> str:
    """Hash of the files' names and contents, in the order given: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def array_fingerprint(*arrays: np.ndarray) -> str:
    """Hash of the arrays' types, shapes and values, in the order given: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _part(part: Any) -> Any:
    """Class and public settings of one component, as JSON with a fixed order."""
    if isinstance(named := getattr(part, "fingerprint", None), str):
        return {"class": _name(part), "fingerprint": named}
    settings = {
        name: _setting(value)
        for name, value in vars(part).items()
        if not name.startswith("_") and name not in _NOT_THE_RECIPE and not callable(value)
    }
    return {"class": _name(part), "settings": settings}


def _setting(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)  # infinity has no JSON
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_setting(item) for item in value]
    if isinstance(value, dict):
        items = sorted((str(key), _setting(item)) for key, item in value.items())
        return hashlib.sha256(json.dumps(items).encode()).hexdigest()[:16]
    if isinstance(value, np.ndarray):
        return array_fingerprint(value)
    if hasattr(value, "__dict__"):
        return _part(value)
    return type(value).__name__


def _name(part: Any) -> str:
    module = type(part).__module__
    # Numbers and audits from before this room was built still carry their fingerprints.
    module = module.replace("mindflood.attack.swaps.", "mindflood.attack.")
    return f"{module}.{type(part).__qualname__}"
