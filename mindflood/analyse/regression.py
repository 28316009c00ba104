"""y = θx + noise, learnt with OLS, PGD-AT and LDS (Altinisik et al. 2023, §3, Table 1, Figure 1).

One number is learnt, so that what an adversarial loss does to its estimate can be written down.
"""

from dataclasses import dataclass

import numpy as np

METHODS = ("ols", "pgd-at", "lds")


@dataclass(frozen=True)
class Study:
    """How a neuron is trained; the paper leaves n, x, ε, μ, S and the first δ open.

    Attributes:
        epochs, learning_rate, clean_epochs: 2,000 at 0.005; the first 1,750 on the OLS loss.
        points: n; x ~ N(0, 1).
        radius: ε: each step leaves δ within ±ε; it starts from N(0, ε²).
        ascent_rate, steps: μ and S of δ ← Π(δ + μ·g).
    """

    theta: float = 0.5
    epochs: int = 2000
    clean_epochs: int = 1750
    learning_rate: float = 0.005
    points: int = 100
    radius: float = 0.1
    ascent_rate: float = 0.05
    steps: int = 3


def closed_form(method: str, x: np.ndarray, y: np.ndarray, delta: np.ndarray | float) -> float:
    """The θ that minimises a method's loss for a fixed δ (Table 1)."""
    moved = x + delta
    above = {
        "ols": x * y,
        "pgd-at": x * y + moved * y,
        "lds": x * y,
    }[method]
    below = {
        "ols": x**2,
        "pgd-at": x**2 + moved**2,
        "lds": x**2 + np.square(delta),
    }[method]
    return float(np.sum(above) / np.sum(below * np.ones_like(x)))


def gradient(
    method: str, theta: float, x: np.ndarray, y: np.ndarray, delta: np.ndarray | float
) -> float:
    """∂/∂θ of a method's mean loss: the squared error, and what the method adds to it."""
    clean = 2 * x * (theta * x - y)
    added = {
        "ols": np.zeros_like(x),
        "pgd-at": 2 * (x + delta) * (theta * (x + delta) - y),
        "lds": 2 * theta * np.square(delta) * np.ones_like(x),
    }[method]
    return float(np.mean(clean + added))


def ascended(
    method: str, theta: float, x: np.ndarray, y: np.ndarray, start: np.ndarray, study: Study
) -> np.ndarray:
    """δ after S steps up the method's own loss, its gradient raw, as in Algorithm 1.

    There the start is not projected, only what each step makes of it.
    """
    delta = start
    for _ in range(study.steps):
        if method == "pgd-at":
            climb = 2 * theta * (theta * (x + delta) - y)
        else:
            climb = 2 * theta**2 * delta
        delta = np.clip(delta + study.ascent_rate * climb, -study.radius, study.radius)
    return delta


def estimate(method: str, noise: float, seed: int, study: Study) -> float:
    """θ as one neuron learns it from pairs whose y carries N(0, ``noise``²)."""
    random = np.random.default_rng(seed)
    x = random.standard_normal(study.points)
    y = study.theta * x + noise * random.standard_normal(study.points)
    theta = float(random.standard_normal())
    for epoch in range(study.epochs):
        if method == "ols" or epoch < study.clean_epochs:
            theta -= study.learning_rate * gradient("ols", theta, x, y, 0.0)
            continue
        start = study.radius * random.standard_normal(study.points)
        delta = ascended(method, theta, x, y, start, study)
        theta -= study.learning_rate * gradient(method, theta, x, y, delta)
    return theta
