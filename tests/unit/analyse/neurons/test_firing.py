"""Match and Total on six words, by hand."""

import numpy as np

from mindflood.analyse.neurons.firing import commonest_tags, fired_by, matches, word_scores

WORDS = ["the", "dog", "runs", "the", "cat", "slept"]
ACTIVATIONS = np.array(
    #  neuron 0: "runs" far below the mean; 1: "dog", then "cat"; 2 never moves
    [[1, 0, 5], [1, 6, 5], [-5, 0, 5], [1, 0, 5], [1, 3, 5], [1, 0, 5]],
    np.float32,
)


def test_words_are_scored_by_the_mean_distance_of_their_occurrences():
    distinct, scores = word_scores(ACTIVATIONS, [0, 1, 2], WORDS)
    assert distinct == ["the", "dog", "runs", "cat", "slept"]
    # Neuron 0: mean 0, variance (5·1 + 25)/6 = 5. Neuron 1: mean 1.5, variance (4·2.25 + 20.25
    # + 2.25)/6 = 5.25.
    np.testing.assert_allclose(scores[:, 0], np.array([1, 1, 5, 1, 1]) / 5**0.5)
    np.testing.assert_allclose(scores[:, 1], np.array([1.5, 4.5, 1.5, 1.5, 1.5]) / 5.25**0.5)
    assert (scores[:, 2] == 0).all()


def test_occurrences_of_a_word_are_averaged():
    activations = np.array([[0.0], [4.0], [2.0]], np.float32)
    _, scores = word_scores(activations, [0], ["a", "a", "b"])
    np.testing.assert_allclose(scores[:, 0], [2 / (8 / 3) ** 0.5, 0.0])


def test_match_and_total_by_hand():
    lists = fired_by(*word_scores(ACTIVATIONS, [0, 1], WORDS), 2)
    assert lists == [["runs", "the"], ["dog", "the"]]
    commonest = commonest_tags(
        ["dog", "dog", "dog", "runs", "the", "runs"], ["NN", "VB", "NN", "VBZ", "DT", "NNS"]
    )
    assert commonest == {"dog": "NN", "runs": "VBZ", "the": "DT"}  # "runs" was VBZ first
    assert matches(lists, "VBZ", commonest) == (["runs"], ["runs", "the", "dog"])
    assert matches(lists, "NN", commonest) == (["dog"], ["runs", "the", "dog"])
    assert matches([["slept"]], "VBD", commonest) == ([], ["slept"])  # not in the training data


def test_many_neurons_are_scored_as_few_are():
    activations = np.random.default_rng(0).standard_normal((50, 150)).astype(np.float32)
    words = [f"w{at % 17}" for at in range(50)]
    _, together = word_scores(activations, range(150), words)
    for neuron in (0, 63, 64, 149):
        _, alone = word_scores(activations, [neuron], words)
        np.testing.assert_allclose(together[:, neuron], alone[:, 0])
