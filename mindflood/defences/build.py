"""A config's defence as a training step, and the noise that goes into it."""

from typing import Any

from mindspore import ParameterTuple, nn

from mindflood.config import Config
from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.freelb import FreeLB
from mindflood.defences.lds import LDS
from mindflood.defences.noise import StepNoise
from mindflood.defences.perturbation import Perturbation, UnitNoise
from mindflood.defences.pgd import PGD
from mindflood.defences.pgd_at import PGDAT
from mindflood.defences.settings import DefenceSettings
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.dropout import DropoutNoise

_CELLS = {"pgd": PGD, "freelb": FreeLB, "pgd-at": PGDAT, "lds": LDS}


def defended(
    config: Config,
    model: BertForSequenceClassification,
    optimizer: nn.Optimizer,
    level: float | None,
    **options: Any,
) -> tuple[DefendedTrainOneStepCell, StepNoise]:
    """The step cell of a config whose method is a defence, and what draws its inputs.

    Args:
        level, options: those of ``FloodingTrainOneStepCell``.
    """
    loss, defence = defence_of(config.method, config.defence, model, optimizer.parameters)
    noise = StepNoise(
        DropoutNoise(model.config, config.seed),
        UnitNoise(model.config.hidden_size, config.seed, normal=isinstance(defence, PGDAT)),
        defence.passes,
        bool(config.defence.reuse_dropout),
    )
    return DefendedTrainOneStepCell(loss, defence, optimizer, level, **options), noise


def defence_of(
    method: str,
    settings: DefenceSettings,
    model: BertForSequenceClassification,
    parameters: ParameterTuple,
) -> tuple[AdversarialLoss, nn.Cell]:
    """J of one pass, and the defence that calls it; ``settings`` without any null.

    Args:
        method: a key of ``DEFENCES``.
        parameters: those trained.
    """
    value: dict[str, Any] = vars(settings)
    loss = AdversarialLoss(model, value["reuse_dropout"])
    perturbation = Perturbation(
        value["step_size"], value["magnitude"], value["radius"], value["norm"]
    )
    return loss, _CELLS[method](loss, parameters, perturbation, value["steps"])
