"""The weights of a MindSpore checkpoint, every one of them, put into the network."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mindspore import Tensor

from mindflood.errors import UserError
from mindflood.models.bert import BertForSequenceClassification
from mindflood.training.checkpoint import read_checkpoint

# MindSpore's own layers name these parameters otherwise than Hugging Face.
_MINDSPORE_NAMES = {"gamma": "weight", "beta": "bias", "embedding_table": "weight"}
# What a training of this project keeps beside the network: the defences' own parameters.
_OWN_STATE = ("critic.", "vocabulary_table")
_OWN_MOMENTS = ("exp_avg", "exp_avg_sq")


def load(model: BertForSequenceClassification, checkpoint: Path) -> None:
    """Set every parameter of ``model`` from the checkpoint.

    Raises:
        UserError: it is corrupt, has a parameter missing, of another shape or not finite, or has
            one that the model has no place for (see :func:`unused`).
    """
    arrays = {_hugging_face_name(k): v for k, v in read_checkpoint(checkpoint).items()}
    parameters = {parameter.name: parameter for parameter in model.get_parameters()}
    for name, parameter in parameters.items():
        value, shape = arrays.get(name), tuple(parameter.shape)
        if value is None or value.shape != shape:
            had = "nothing" if value is None else f"shape {list(value.shape)}"
            raise UserError(
                f"{checkpoint}: has {had} for {name}, expected shape {list(shape)}: the checkpoint "
                "is of another architecture or label set"
            )
        if not np.isfinite(value).all():
            raise UserError(
                f"{checkpoint}: {name} holds NaN or an infinity; the training diverged: export an "
                "earlier checkpoint, or train again with a smaller learning rate"
            )
    left = unused(arrays, {name: tuple(p.shape) for name, p in parameters.items()})
    if left:
        raise UserError(
            f"{checkpoint}: the network has no place for {left[0]} ({len(left)} such weights in "
            "all): the checkpoint is of another architecture; check --encoder and "
            "--encoder-layers"
        )
    for name, parameter in parameters.items():
        parameter.set_data(Tensor(arrays[name].astype(np.float32)))


def unused(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Names of the weights that a network of these parameters would drop.

    Left out is what is none of its weights: single numbers (a step, a loss scale); position ids;
    what an optimizer keeps of a parameter that is used, which has its name behind a prefix, and
    its shape; the state of this project's defences. All else is somebody's layer.
    """
    return [
        name
        for name, array in arrays.items()
        if name not in shapes
        and array.size > 1
        and not name.endswith("position_ids")
        and not _is_state(name, array, shapes)
    ]


def _is_state(name: str, array: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    prefix, _, parameter = name.partition(".")
    if shapes.get(parameter) == array.shape:
        return True
    own = parameter if prefix in _OWN_MOMENTS else name
    return own.startswith(_OWN_STATE)


def _hugging_face_name(name: str) -> str:
    stem, _, last = name.rpartition(".")
    return f"{stem}.{_MINDSPORE_NAMES.get(last, last)}" if stem else name
