"""A config's defence as a training step, and the noise that goes into it."""

from typing import Any

from mindspore import ParameterTuple, nn

from mindflood.config.settings import Config
from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.defence import Defence
from mindflood.defences.noise import StepNoise
from mindflood.defences.perturbation import UnitNoise
from mindflood.defences.registry import DEFENCE_METHODS, named_class
from mindflood.defences.settings import DefenceSettings
from mindflood.defences.step import DefendedTrainOneStepCell
from mindflood.errors import UserError
from mindflood.flooding.rows import RowWeights, SoftAD, rule_of
from mindflood.flooding.step import FloodingTrainOneStepCell
from mindflood.flooding.update import LossScale
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.dropout import DropoutNoise


def rule_in(config: Config) -> RowWeights | None:
    """The rule by which a config floods rows one by one; None where it does not."""
    if config.row_method == "softad":
        return SoftAD(config.softad.scale)
    return None if config.row_method is None else rule_of(config.row_method)


def cell_beside(method: str, network: BertForSequenceClassification, seed: int) -> nn.Cell | None:
    """What is trained beside the network, as InfoBERT's critic; None for most methods."""
    defence = DEFENCE_METHODS.get(method)
    if defence is None or defence.beside is None:
        return None
    cell: nn.Cell = named_class(defence.beside)(network.config.hidden_size, seed)
    return cell


def defended(
    config: Config,
    model: BertForSequenceClassification,
    optimizer: nn.Optimizer,
    level: float | None,
    beside: nn.Cell | None = None,
    *,
    max_gradient_norm: float | None,
    loss_scale: LossScale | None,
    rows: RowWeights | None = None,
) -> tuple[FloodingTrainOneStepCell, StepNoise]:
    """The step cell of a config whose method is a defence, and what draws its inputs.

    Args:
        level, max_gradient_norm, loss_scale, rows: those of ``FloodingTrainOneStepCell``.
        beside: what :func:`cell_beside` made, whose weights the optimizer has too.

    Raises:
        UserError: see :func:`defence_of`.
    """
    settings: Any = config.defence
    step: FloodingTrainOneStepCell
    if DEFENCE_METHODS[config.method].replays:
        loss = AdversarialLoss(model, settings.reuse_dropout)
        step = replaying = named_class(DEFENCE_METHODS[config.method].cell)(
            loss, optimizer, level, settings, max_gradient_norm=max_gradient_norm
        )
        passes = replaying.passes
    else:
        defence = defence_of(
            config.method, settings, model, optimizer.parameters, config.seed, beside, rows
        )
        passes = defence.passes
        free = beside is not None and settings.variant == "release"
        step = DefendedTrainOneStepCell(
            defence, optimizer, level, max_gradient_norm=max_gradient_norm, loss_scale=loss_scale,
            unclipped=beside.trainable_params() if beside is not None and free else (),
        )  # fmt: skip
    return step, noise_of(config.method, settings, model, passes, config.seed)


def defence_of(
    method: str,
    settings: DefenceSettings,
    model: BertForSequenceClassification,
    parameters: ParameterTuple,
    seed: int = 0,
    beside: nn.Cell | None = None,
    rows: RowWeights | None = None,
) -> Defence:
    """The defence of a method that does not replay.

    Args:
        settings: without any null that the method needs.
        parameters: those trained, those of ``beside`` too.
        seed: of what the defence itself starts from.
        beside: what :func:`cell_beside` made.
        rows: the rule by which rows are flooded one by one; None: they are not.

    Raises:
        UserError: the network has a single layer, and the method needs more; or its rows cannot be
            flooded one by one.
    """
    row = DEFENCE_METHODS[method]
    if rows is not None and row.no_rows:
        raise UserError(f"flood_rows: '{method}' {row.no_rows}; leave it out")
    if row.two_layers and model.config.num_hidden_layers == 1:
        raise UserError(
            f"method: '{method}' {row.two_layers}, and this encoder has one; use another defence"
        )
    loss = AdversarialLoss(model, bool(settings.reuse_dropout), rows)
    defence: Defence = named_class(row.cell)(loss, parameters, settings, seed, beside)
    return defence


def noise_of(
    method: str,
    settings: DefenceSettings,
    model: BertForSequenceClassification,
    passes: int,
    seed: int,
) -> StepNoise:
    """What draws the masks and the noise of a method's steps."""
    row = DEFENCE_METHODS[method]
    return StepNoise(
        DropoutNoise(model.config, seed),
        UnitNoise(model.config.word_size, seed, normal=row.gaussian),
        passes,
        bool(settings.reuse_dropout),
        resamples=row.resamples,
        shuffles=row.shuffled_release and settings.variant == "release",
    )
