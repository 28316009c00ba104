"""The clean accuracy, over any number of steps, with progress and without a traceback."""

import contextlib

import numpy as np
import pytest
import torch

from mindflood.attack.results import accuracy
from mindflood.attack.results.accuracy import predictions
from mindflood.data.sources import Examples

TEXTS = [("yes", "no", "yes yes", "no no no", "yes")[row % 5] for row in range(23)]
LABELS = np.array([row % 3 % 2 for row in range(23)])


class SaysYes:
    """Label 1 for a text that begins with yes; a pair counts by its second text."""

    asked = staticmethod(contextlib.nullcontext)

    def __call__(self, texts):
        said = [text if isinstance(text, str) else text[1] for text in texts]
        return torch.tensor([[0.0, 1.0 if text.startswith("yes") else -1.0] for text in said])


@pytest.mark.parametrize("at_once", [1, 7, 23, 512])
@pytest.mark.parametrize("pair", [False, True], ids=["single", "pairs"])
def test_the_answers_and_the_share_that_is_right(monkeypatch, capsys, at_once, pair):
    monkeypatch.setattr(accuracy, "_AT_ONCE", at_once)
    right = sum(text.startswith("yes") == label for text, label in zip(TEXTS, LABELS, strict=True))
    rows = tuple(("no", text) if pair else (text,) for text in TEXTS)
    assert 0 < right < 23
    found = predictions(SaysYes(), Examples(rows, LABELS))
    assert found.tolist() == [text.startswith("yes") for text in TEXTS]
    assert f"23/23  {100 * right / 23:.1f} %" in capsys.readouterr().err
