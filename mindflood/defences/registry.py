"""The table of the defences: a defence is a file beside this one and a row here.

No framework is imported before a row's class is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class DefenceMethod:
    """One defence.

    The reasons are words that follow the method's name in a message; None: it has no such need.

    Attributes:
        title: as tables print it.
        cell: ``module:Class`` of its :class:`~mindflood.defences.defence.Defence`, or, where it
            ``replays``, of its training step.
        defaults: of the settings ``defence.*``; a setting that is not here the method does not
            have, but for ``step_size`` and ``magnitude``, which are then taken from ``radius``.
        gaussian: its unit noise is N(0, 1), not uniform(-1, 1).
        resamples: a pass also takes, for each token, another one at random.
        shuffled_release: the release also puts the anchored tokens into a random order.
        replays: every pass updates the weights, so that a batch gets as many updates as steps.
        beside: ``module:Class`` of a cell that is trained beside the network, made from the hidden
            size and a seed; the release neither clips its gradients nor spares its biases decay.
        whole_batch: why a batch cannot come in micro-batches.
        one_device: the rows of a batch belong on one device too, and there are at least two.
        two_layers: why one transformer layer is not enough.
        float32: why half precision is not enough.
        moved_start: why δ cannot start at zero.
        no_rows: why its rows cannot be flooded one by one. A method that can takes its gradients
            with ``weight_gradients`` or ``full_pass``, sums J from ``nothing``, and says None.
    """

    title: str
    cell: str
    defaults: Mapping[str, Any]
    gaussian: bool = False
    resamples: bool = False
    shuffled_release: bool = False
    replays: bool = False
    beside: str | None = None
    whole_batch: str | None = None
    one_device: bool = False
    two_layers: str | None = None
    float32: str | None = None
    moved_start: str | None = None
    no_rows: str | None = "does not tell the losses of its rows"


# K, η, magnitude and ε are those of Flooding-X's scripts, not what the methods' own authors chose
# task by task (docs/results/defences.md). FreeAT and YOPO have what PGD has, as in FreeLB.
# Where Altinisik et al. state neither step nor σ, η = ε/2 and the magnitude is ε.
DEFENCE_METHODS = {
    "pgd": DefenceMethod(
        "PGD",
        "mindflood.defences.pgd:PGD",
        {"steps": 3, "step_size": 0.03, "magnitude": 0.05, "radius": 0.0, "norm": "l2",
         "reuse_dropout": True},
        no_rows=None,
    ),
    "pgd-at": DefenceMethod(
        "PGD-AT",
        "mindflood.defences.pgd_at:PGDAT",
        {"steps": 3, "radius": 0.003, "norm": "l2", "reuse_dropout": True, "normalise": True},
        gaussian=True,
        no_rows=None,
    ),
    "freeat": DefenceMethod(
        "FreeAT",
        "mindflood.defences.freeat:FreeATTrainOneStepCell",
        {"steps": 3, "step_size": 0.03, "magnitude": 0.05, "radius": 0.0, "norm": "l2",
         "reuse_dropout": False},
        replays=True,
        whole_batch="updates the weights within a batch",
        float32="cannot take back an overflow in the middle of its updates",
        no_rows="updates the weights in every pass, with one sign for the batch",
    ),
    "yopo": DefenceMethod(
        "YOPO",
        "mindflood.defences.yopo:YOPO",
        {"steps": 3, "step_size": 0.03, "magnitude": 0.05, "radius": 0.0, "norm": "l2",
         "reuse_dropout": True, "inner_steps": 2, "variant": "paper"},
        two_layers="steps through the first of several layers",
        no_rows="climbs by the first layer's part of the gradient, which a row's weight would turn",
    ),
    "freelb": DefenceMethod(
        "FreeLB",
        "mindflood.defences.freelb:FreeLB",
        {"steps": 5, "step_size": 0.03, "magnitude": 0.05, "radius": 0.0, "norm": "l2",
         "reuse_dropout": True, "variant": "paper"},
        no_rows=None,
    ),
    "tavat": DefenceMethod(
        "TAVAT",
        "mindflood.defences.tavat:TAVAT",
        {"steps": 3, "step_size": 0.03, "magnitude": 0.2, "radius": 0.5, "norm": "l2",
         "reuse_dropout": False, "variant": "paper"},
        whole_batch="makes its vocabulary table of whole batches",
        no_rows=None,
    ),
    "infobert": DefenceMethod(
        "InfoBERT",
        "mindflood.defences.infobert:InfoBERT",
        {"steps": 3, "step_size": 0.04, "magnitude": 0.08, "radius": 0.0, "norm": "l2",
         "reuse_dropout": True, "variant": "paper", "alpha": 5e-3, "beta": 5e-3},
        resamples=True,
        shuffled_release=True,
        beside="mindflood.defences.information:Critic",
        whole_batch="contrasts the rows of a batch",
        one_device=True,
        no_rows="contrasts the rows of a batch, so that its loss is not one of rows",
    ),
    "lds": DefenceMethod(
        "LDS",
        "mindflood.defences.lds:LDS",
        {"steps": 3, "radius": 0.003, "norm": "l2", "reuse_dropout": True, "normalise": True},
        gaussian=True,
        float32="climbs the difference of two outputs so near that half precision rounds it away",
        moved_start="the divergence has no gradient at δ = 0",
        no_rows="adds a divergence to the loss, which has no level",
    ),
}  # fmt: skip


def named_class(name: str) -> Any:
    """The class that a row calls ``module:Class``; its module is imported now."""
    module, _, of_module = name.partition(":")
    return getattr(import_module(module), of_module)
