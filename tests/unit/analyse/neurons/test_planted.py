"""Planted neurons are found first, and alone they keep the accuracy; others know nothing."""

import numpy as np
import pytest

from mindflood.analyse.neurons.activations import Activations
from mindflood.analyse.neurons.probe import Penalty, accuracy_alone, fit
from mindflood.analyse.neurons.ranking import by_weight, overall

PLANTED = [17, 3, 58, 40]  # of tag 1, 2, 3 and 4; nothing tells of tag 0, the commonest
TAGS, NEURONS = 5, 60
PENALTY = Penalty(1e-3, 1e-3)


@pytest.fixture(scope="module")
def words() -> dict[str, tuple[Activations, np.ndarray]]:
    """Training and test words: noise, and for each tag one neuron that moves by 8 deviations."""
    random = np.random.default_rng(0)
    found, means = {}, random.normal(0, 3, NEURONS)
    for part, n in (("train", 1500), ("test", 1000)):
        tags = random.choice(TAGS, n, p=[0.4, 0.15, 0.15, 0.15, 0.15])
        z = random.standard_normal((n, NEURONS)) + means
        for tag, neuron in enumerate(PLANTED, 1):
            z[tags == tag, neuron] += 8
        stored = Activations(n, NEURONS)
        stored.write(0, z)
        found[part] = (stored, tags)
    return found


def test_planted_neurons_come_first_and_keep_the_accuracy(words):
    probe = fit(*words["train"], TAGS, PENALTY)
    assert probe.converged
    whole = float(np.mean(probe.predict(words["test"][0]) == words["test"][1]))
    assert whole > 0.98
    order = overall(probe.weights)
    assert set(order[:4]) == set(PLANTED)
    assert by_weight(probe.weights)[1:, 0].tolist() == PLANTED
    kept = accuracy_alone(order[:4], words["train"], words["test"], TAGS, PENALTY, 200)
    assert kept == pytest.approx(whole, abs=0.01)


def test_random_neurons_give_the_majority_rate(words):
    tags = words["test"][1]
    majority = float(np.mean(tags == 0))
    others = np.setdiff1d(np.arange(NEURONS), PLANTED)
    for seed in range(3):
        drawn = np.random.default_rng(seed).choice(others, 4, replace=False)
        alone = accuracy_alone(drawn, words["train"], words["test"], TAGS, PENALTY, 200)
        assert alone == pytest.approx(majority, abs=0.02)


def test_shuffled_tags_give_the_majority_rate_and_find_nothing(words):
    matrix, tags = words["train"]
    shuffled = np.random.default_rng(1).permutation(tags)
    probe = fit(matrix, shuffled, TAGS, Penalty(0.02, 0.02))
    truth = np.random.default_rng(2).permutation(words["test"][1])
    accuracy = float(np.mean(probe.predict(words["test"][0]) == truth))
    assert accuracy == pytest.approx(float(np.mean(truth == 0)), abs=0.02)
