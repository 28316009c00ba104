"""What an export says of predictions that are no better than one answer to all."""

import numpy as np

from mindflood.bridge.export import _no_better_than_one_answer

NAMES = ("not_equivalent", "equivalent")


def test_predictions_no_better_than_the_commonest_label_are_told():
    labels = np.array([1] * 44 + [0] * 20)
    other_task = np.array([0, 0] + [1] * 62)  # nearly always the same, and wrong where not
    (told,) = _no_better_than_one_answer(other_task, labels, NAMES)
    assert told.startswith("the accuracy of 65.6 % is no better than to answer 'equivalent' always")
    better = labels.copy()
    better[:10] = 0
    assert _no_better_than_one_answer(better, labels, NAMES) == []
