"""The loss under Gaussian noise in the word embeddings (Flooding-X Figure 1)."""

from collections.abc import Sequence

import numpy as np
import torch

from mindflood.analyse.embedded import EmbeddedClassifier
from mindflood.cards.schema import NoiseAnalysis
from mindflood.data.sources import Examples


def loss_under_noise(
    classifier: EmbeddedClassifier,
    examples: Examples,
    alphas: Sequence[float],
    *,
    draws: int,
    seed: int,
) -> NoiseAnalysis:
    """Mean loss and accuracy at E + α·z, z ~ N(0, 1) a coordinate.

    A row's z depends on (seed, draw, row) alone: every α and every model is measured with the same.

    Args:
        alphas: standard deviations.
        draws: of z, over which loss and accuracy are averaged.

    Returns:
        ``alpha``, ``loss`` (nats) and ``accuracy``, one entry an α, and what they rest on.
    """
    losses, right = np.zeros(len(alphas)), np.zeros(len(alphas))
    with torch.inference_mode():
        for rows in classifier.rows(examples):
            for draw in range(draws):
                noise = rows.noise(seed, draw)
                for number, alpha in enumerate(alphas):
                    each, correct = classifier.judged(rows, alpha * noise)
                    losses[number] += float(each.double().sum())
                    right[number] += int(correct.sum())
    total = len(examples) * draws
    return {
        "alpha": [float(alpha) for alpha in alphas],
        "loss": (losses / total).tolist(),
        "accuracy": (right / total).tolist(),
        "num_examples": len(examples),
        "draws": draws,
        "seed": seed,
    }
