"""The largest rise of the loss in a ball around each sample (FreeLB §4.3, Table 5)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mindflood.analyse.embedded import EmbeddedClassifier, Rows
from mindflood.cards.schema import BallAnalysis
from mindflood.data.sources import Examples

_STRIDE = 2.5  # the steps of a search add up to that many radii


@dataclass(frozen=True)
class BallSearch:
    """A long PGD in the L2 ball, again from several random starts.

    Attributes:
        steps: of one start (FreeLB takes 2,000).
        restarts: starts; the first is the sample itself.
        seed: of the others, with the row and the number of the start.
    """

    steps: int = 100
    restarts: int = 2
    seed: int = 0


def right(classifier: EmbeddedClassifier, examples: Examples) -> np.ndarray:
    """Which examples the model classifies right: bool ``[n]``."""
    found = np.zeros(len(examples), bool)
    with torch.inference_mode():
        for rows in classifier.rows(examples):
            _, correct = classifier.judged(rows, torch.zeros_like(rows.words))
            found[list(rows.places)] = correct.cpu().numpy()
    return found


def safe_radii(
    classifier: EmbeddedClassifier,
    examples: Examples,
    search: BallSearch,
    largest: float,
    halvings: int,
) -> np.ndarray:
    """ε of every example: the largest at which the reference stays right under the search.

    Found by bisection of [0, ``largest``] in ``halvings`` steps, from below: at the ε that comes
    back the model was seen to stay right, or ε is 0.

    Returns:
        float64 ``[n]``.
    """
    low, high = np.zeros(len(examples)), np.full(len(examples), largest)
    for number in range(halvings + 1):
        middle = high.copy() if number == 0 else (low + high) / 2
        _, stays = _searched(classifier, examples, middle, search)
        low = np.where(stays, middle, low)
        high = np.where(stays, high, middle)
    return low


def max_increments(
    classifier: EmbeddedClassifier, examples: Examples, radii: np.ndarray, search: BallSearch
) -> tuple[np.ndarray, np.ndarray]:
    """(rise of the loss above that of the clean sample, the clean loss), float64 ``[n]``, nats."""
    highest, _ = _searched(classifier, examples, radii, search)
    natural, _ = _searched(classifier, examples, radii, BallSearch(0, 1, search.seed))
    return highest - natural, natural


def summary(
    increments: np.ndarray,
    natural: np.ndarray,
    radii: np.ndarray,
    largest: float,
    search: BallSearch,
) -> BallAnalysis:
    """Median and quartiles of the increments, with the clean loss and the radii beside them.

    ``without_radius`` counts the samples whose radius is below the bisection's resolution, and
    whose increment therefore is 0, ``of_largest_radius`` those that no tried radius was too large
    for.
    """
    low, median, high = np.percentile(increments, [25, 50, 75])
    return {
        "max_increment": float(median),
        "quartiles": [float(low), float(high)],
        "natural_loss": float(np.median(natural)),
        "radius": float(np.median(radii)),
        "without_radius": int((radii == 0).sum()),
        "of_largest_radius": int((radii == largest).sum()),
        "num_examples": len(increments),
        "steps": search.steps,
        "restarts": search.restarts,
        "seed": search.seed,
    }


def _searched(
    classifier: EmbeddedClassifier, examples: Examples, radii: np.ndarray, search: BallSearch
) -> tuple[np.ndarray, np.ndarray]:
    """(highest loss seen, whether every point seen was classified right), by example."""
    highest, stays = np.full(len(examples), -np.inf), np.ones(len(examples), bool)
    for rows in classifier.rows(examples):
        places = list(rows.places)
        radius = torch.tensor(radii[places], dtype=torch.float32, device=rows.words.device)
        for start in range(search.restarts):
            loss, holds = _climb(classifier, rows, radius[:, None, None], search, start)
            highest[places] = np.maximum(highest[places], loss)
            stays[places] &= holds
    return highest, stays


def _climb(
    classifier: EmbeddedClassifier, rows: Rows, radius: torch.Tensor, search: BallSearch, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """One start: δ ← Π_ε(δ + η·g/‖g‖) from zero or from a random point of the ball."""
    delta = _within(rows.noise(search.seed, start), radius) if start else 0.0 * rows.words
    highest = torch.full_like(rows.labels, -torch.inf, dtype=torch.float32)
    stays = torch.ones_like(rows.labels, dtype=torch.bool)
    for step in range(search.steps + 1):
        delta.requires_grad_()
        losses, correct = classifier.judged(rows, delta)
        highest = torch.maximum(highest, losses.detach())
        stays &= correct
        if step == search.steps:
            break
        (gradient,) = torch.autograd.grad(losses.sum(), delta)
        gradient = gradient * rows.mask
        length = _norm(gradient).clamp_min(1e-12)
        move = _STRIDE * radius / search.steps
        delta = _within(delta.detach() + move * gradient / length, radius)
    return highest.double().cpu().numpy(), stays.cpu().numpy()


def _within(delta: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    return delta * (radius / torch.maximum(_norm(delta), radius.clamp_min(1e-12)))


def _norm(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).norm(dim=1)[:, None, None]


def digest(examples: Examples) -> str:
    """What tells the rows from others: eight hexadecimal digits of texts, labels and order."""
    rows = json.dumps([examples.texts, examples.labels.tolist()])
    return hashlib.sha256(rows.encode()).hexdigest()[:8]


def all_right(classifiers: Sequence[EmbeddedClassifier], examples: Examples) -> Examples:
    """The examples that every model classifies right."""
    kept = np.logical_and.reduce([right(classifier, examples) for classifier in classifiers])
    return examples.take(np.flatnonzero(kept))
