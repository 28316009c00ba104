"""What a defence can be told, and what each method does when it is told nothing."""

import dataclasses
from typing import Literal, get_args

from pydantic import Field
from pydantic.dataclasses import dataclass

from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.fields import STRICT, NotNegative, Positive, Truth, Whole

Norm = Literal["l2", "linf"]
Variant = Literal["paper", "release"]
NORMS: tuple[Norm, ...] = get_args(Norm)
LENGTHS = ("step_size", "magnitude", "radius")  # in the unit of the norm


@dataclass(frozen=True, config=STRICT)
class DefenceSettings:
    """How the perturbation δ of the word embeddings is found; null takes the method's default."""

    steps: Whole | None = Field(
        default=None, ge=1, le=10**3, description="K, the adversarial steps."
    )
    step_size: Positive | None = Field(default=None, description="η of one ascent step.")
    magnitude: NotNegative | None = Field(
        default=None,
        description="Size of the initial δ; 0 starts from zeros. Uniform noise, for pgd-at and lds "
        "Gaussian with σ = magnitude/√(L·d) in L2.",
    )
    radius: NotNegative | None = Field(
        default=None,
        description="ε, the ball that δ is projected to after every ascent; 0 projects nothing.",
    )
    norm: Norm | None = Field(
        default=None,
        description="Of the ball and of the normalised gradient, per sample. With linf, "
        "step_size, magnitude and radius have no defaults.",
    )
    reuse_dropout: Truth | None = Field(
        default=None,
        description="The same dropout masks in all passes of a step (FreeLB §3.3); the releases "
        "of Flooding-X draw new ones for every pass.",
    )
    inner_steps: Whole | None = Field(
        default=None,
        ge=1,
        le=10**3,
        description="n of YOPO-m-n: steps on δ through the first layer alone after each of the "
        "m = steps passes, each of size η/n.",
    )
    variant: Variant | None = Field(
        default=None,
        description="release does what the authors' code does where it differs from the paper "
        "(freelb, yopo, tavat, infobert).",
    )
    normalise: Truth | None = Field(
        default=None,
        description="false climbs by η·g, g that of the sample's own loss: Altinisik et al.'s "
        "Algorithm 1 to the letter (pgd-at, lds).",
    )
    alpha: NotNegative | None = Field(
        default=None, description="InfoBERT's weight of the anchored features' information."
    )
    beta: NotNegative | None = Field(
        default=None, description="InfoBERT's weight of the information bottleneck."
    )


DEFENCES = {name: DefenceSettings(**row.defaults) for name, row in DEFENCE_METHODS.items()}


def resolved(method: str, settings: DefenceSettings) -> DefenceSettings:
    """The settings with the method's defaults where they are null.

    The defaults' lengths are of the whole δ in L2; a coordinate that is moved by such a length is
    moved √(L·d) times too far. So with ``linf`` those that are not given stay null.
    """
    given = {key: value for key, value in vars(settings).items() if value is not None}
    defaults = DEFENCES[method]
    if settings.norm not in (None, defaults.norm):
        return dataclasses.replace(defaults, **(dict.fromkeys(LENGTHS) | given))
    whole = dataclasses.replace(defaults, **given)
    if whole.radius:
        if whole.step_size is None:
            whole = dataclasses.replace(whole, step_size=whole.radius / 2)
        if whole.magnitude is None:
            whole = dataclasses.replace(whole, magnitude=whole.radius)
    return whole
