"""What a defence can be told, and what each method does when it is told nothing."""

import dataclasses
from dataclasses import dataclass

NORMS = ("l2", "linf")


@dataclass(frozen=True)
class DefenceSettings:
    """How the perturbation δ of the word embeddings is found; null takes the method's default.

    Attributes:
        steps: K, the adversarial steps.
        step_size: η of one ascent step.
        magnitude: of the initial δ; 0 starts from zeros.
        radius: ε, the ball that δ is projected to after every ascent; 0 projects nothing.
        norm: of the ball and of the normalised gradient: ``l2`` or ``linf``, per sample.
        reuse_dropout: the same dropout masks in all passes of a step (FreeLB §3.3).
    """

    steps: int | None = None
    step_size: float | None = None
    magnitude: float | None = None
    radius: float | None = None
    norm: str | None = None
    reuse_dropout: bool | None = None

    def or_else(self, defaults: "DefenceSettings") -> "DefenceSettings":
        """These settings, with those of ``defaults`` where they are null."""
        given = {key: value for key, value in vars(self).items() if value is not None}
        return dataclasses.replace(defaults, **given)


# The releases' settings: K, η, magnitude, ε.
DEFENCES = {
    "pgd": DefenceSettings(3, 0.03, 0.05, 0.0, "l2", True),
    "freelb": DefenceSettings(5, 0.03, 0.05, 0.0, "l2", True),
}
