"""Predictions that no classifier makes are named."""

import numpy as np
import pytest

from mindflood.cards.degenerate import signs_of_degeneracy

NAMES = ("negative", "positive")


@pytest.mark.parametrize(
    ("predictions", "labels", "expected"),
    [
        ([0, 1, 1, 0], [0, 1, 1, 1], []),
        ([1, 1, 1, 1], [0, 1, 1, 1], ["answers 'positive' to every row"]),
        ([1, 0, 0, 0], [0, 1, 1, 0], ["25.0 % is below chance (50.0 %)"]),
        ([0, 1, 0], [0, 0, 0], ["all 3 rows have the label 'negative'"]),
        ([0, 0, 0], [0, 0, 0], ["all 3 rows have the label 'negative'"]),
        (
            [0, 0, 0],
            [1, 1, 1],
            ["all 3 rows have the label", "answers 'negative' to every", "0.0 % is below chance"],
        ),
        ([0], [1], []),  # one row shows nothing
        ([], [], []),
    ],
)
def test_signs(predictions: list[int], labels: list[int], expected: list[str]) -> None:
    found = signs_of_degeneracy(np.array(predictions, int), np.array(labels, int), NAMES)
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def test_chance_is_that_of_the_number_of_classes() -> None:
    names = ("a", "b", "c", "d")
    labels = np.array([0, 1, 2, 3])
    assert signs_of_degeneracy(np.array([0, 2, 1, 1]), labels, names) == []  # 1/4 is chance
    assert "below chance (25.0 %)" in signs_of_degeneracy(np.array([1, 2, 3, 0]), labels, names)[0]
