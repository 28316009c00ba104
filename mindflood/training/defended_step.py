"""A config's defence as a training step, and the noise that goes into it."""

from typing import Any

import mindspore as ms
from mindspore import ParameterTuple, nn

from mindflood.config.settings import Config
from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.freeat import FreeATTrainOneStepCell
from mindflood.defences.freelb import FreeLB
from mindflood.defences.infobert import InfoBERT
from mindflood.defences.information import Critic
from mindflood.defences.lds import LDS
from mindflood.defences.noise import StepNoise
from mindflood.defences.perturbation import Perturbation, UnitNoise
from mindflood.defences.pgd import PGD
from mindflood.defences.pgd_at import PGDAT
from mindflood.defences.settings import DefenceSettings
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.defences.tavat import TAVAT
from mindflood.defences.vocabulary_table import VocabularyTable
from mindflood.defences.yopo import YOPO
from mindflood.errors import UserError
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.dropout import DropoutNoise

_PLAIN = {"pgd": PGD, "pgd-at": PGDAT, "lds": LDS}
_GAUSSIAN = ("pgd-at", "lds")


def defended(
    config: Config,
    model: BertForSequenceClassification,
    optimizer: nn.Optimizer,
    level: float | None,
    critic: Critic | None = None,
    *,
    max_gradient_norm: float | None,
    loss_scale: LossScale | None,
) -> tuple[FloodingTrainOneStepCell, StepNoise]:
    """The step cell of a config whose method is a defence, and what draws its inputs.

    Args:
        level, max_gradient_norm, loss_scale: those of ``FloodingTrainOneStepCell``.
        critic: InfoBERT's, whose weights the optimizer has too.
    """
    settings: dict[str, Any] = vars(config.defence)
    passes = settings["steps"]
    releases = settings["variant"] == "release"
    step: FloodingTrainOneStepCell
    if config.method == "freeat":  # which updates the weights within
        step = FreeATTrainOneStepCell(
            AdversarialLoss(model, settings["reuse_dropout"]), optimizer, level,
            perturbation_of(config.method, config.defence), passes,
            max_gradient_norm=max_gradient_norm,
        )  # fmt: skip
    else:
        loss, defence = defence_of(
            config.method, config.defence, model, optimizer.parameters, config.seed, critic
        )
        passes = defence.passes
        step = DefendedTrainOneStepCell(
            loss, defence, optimizer, level,
            max_gradient_norm=max_gradient_norm, loss_scale=loss_scale,
            unclipped=critic.trainable_params() if critic is not None and releases else (),
        )  # fmt: skip
    size = model.config.hidden_size
    noise = StepNoise(
        DropoutNoise(model.config, config.seed),
        UnitNoise(size, config.seed, normal=config.method in _GAUSSIAN),
        passes,
        settings["reuse_dropout"],
        resamples=config.method == "infobert",
        shuffles=config.method == "infobert" and releases,
    )
    return step, noise


def defence_of(
    method: str,
    settings: DefenceSettings,
    model: BertForSequenceClassification,
    parameters: ParameterTuple,
    seed: int = 0,
    critic: Critic | None = None,
) -> tuple[AdversarialLoss, nn.Cell]:
    """J of one pass, and the defence that calls it; ``settings`` without any null it needs.

    Args:
        method: a key of ``DEFENCES`` but freeat, which is a step of its own.
        parameters: those trained, the critic's too.
        seed: of what the defence itself starts from.
        critic: InfoBERT's.

    Raises:
        UserError: the network has no layer behind the first, which yopo needs.
    """
    value: dict[str, Any] = vars(settings)
    loss = AdversarialLoss(model, value["reuse_dropout"])
    perturbation = perturbation_of(method, settings)
    common = (loss, parameters, perturbation, value["steps"])
    release = value["variant"] == "release"
    if method == "freelb":
        return loss, FreeLB(*common, final_pass=release)
    if method == "yopo":
        if model.config.num_hidden_layers == 1:
            raise UserError(
                "method: 'yopo' steps through the first of several layers, and this encoder has "
                "one; use 'freelb'"
            )
        return loss, YOPO(*common, value["inner_steps"], final_pass=release)
    if method == "tavat":
        # Every worker of msrun keeps the same table.
        workers = int(ms.get_auto_parallel_context("device_num"))
        shape = (model.config.vocab_size, model.config.hidden_size)
        table = VocabularyTable(*shape, value["magnitude"], seed, workers)
        return loss, TAVAT(*common, table, release)
    if method == "infobert":
        assert critic is not None  # trained with the network, so its parameters come with it
        return loss, InfoBERT(*common, critic, value["alpha"], value["beta"], release)
    return loss, _PLAIN[method](*common)


def perturbation_of(method: str, settings: DefenceSettings) -> Perturbation:
    """How δ starts and climbs; a step of YOPO is η/n."""
    value: dict[str, Any] = vars(settings)
    step_size = value["step_size"] / (value["inner_steps"] if method == "yopo" else 1)
    normalise = value["normalise"] is not False
    return Perturbation(
        step_size, value["magnitude"], value["radius"], value["norm"], normalise=normalise
    )
