"""Flooding and gradient accordance: the paper's two ideas, usable with any MindSpore network."""

from importlib import import_module
from typing import Any

_HOMES = {
    "flood": "step",
    "FloodingTrainOneStepCell": "step",
    "SoftAD": "rows",
    "AccumulatedFloodingStep": "accumulation",
    "folds_of": "own_levels",
    "held_out_losses": "own_levels",
    "levels_of": "own_levels",
    "AccordanceEstimator": "estimator",
    "AccordanceProbe": "accordance",
    "LabelledBatch": "accordance",
    "probed_parameters": "accordance",
    "CrossingDetector": "level",
    "FloodLevel": "level",
    "choose_flood_level": "level",
}

__all__ = sorted(_HOMES)


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Import on first use, so that the NumPy half works where MindSpore is not wanted."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
