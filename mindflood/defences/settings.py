"""What a defence can be told, and what each method does when it is told nothing."""

import dataclasses
from dataclasses import dataclass

from mindflood.defences.registry import DEFENCE_METHODS

NORMS = ("l2", "linf")
VARIANTS = ("paper", "release")
LENGTHS = ("step_size", "magnitude", "radius")  # in the unit of the norm


@dataclass(frozen=True)
class DefenceSettings:
    """How the perturbation δ of the word embeddings is found; null takes the method's default.

    Attributes:
        steps: K, the adversarial steps.
        step_size: η of one ascent step.
        magnitude: of the initial δ; 0 starts from zeros. Uniform noise, for pgd-at and lds
            Gaussian with σ = magnitude/√(L·d) in L2.
        radius: ε, the ball that δ is projected to after every ascent; 0 projects nothing.
        norm: of the ball and of the normalised gradient: ``l2`` or ``linf``, per sample. With
            ``linf``, ``step_size``, ``magnitude`` and ``radius`` have no defaults.
        reuse_dropout: the same dropout masks in all passes of a step (FreeLB §3.3); the releases of
            Flooding-X draw new ones for every pass.
        inner_steps: n of YOPO-m-n, steps on δ through the first layer alone after each of the m
            = ``steps`` passes; each is of size η/n.
        variant: ``paper``, or ``release``: what the authors' code does where it differs (freelb,
            yopo, tavat, infobert).
        normalise: false climbs by η·g, g that of the sample's own loss: Altinisik et al.'s
            Algorithm 1 to the letter (pgd-at, lds).
        alpha, beta: InfoBERT's weights of the anchored features' information and of the bottleneck.
    """

    steps: int | None = None
    step_size: float | None = None
    magnitude: float | None = None
    radius: float | None = None
    norm: str | None = None
    reuse_dropout: bool | None = None
    inner_steps: int | None = None
    variant: str | None = None
    normalise: bool | None = None
    alpha: float | None = None
    beta: float | None = None


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
