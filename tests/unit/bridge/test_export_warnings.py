"""What an export says of predictions that are no better than one answer to all."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mindflood.bridge.agreement import Agreement
from mindflood.bridge.export import _no_better_than_one_answer, _warnings
from mindflood.bridge.source import of_checkpoint

NAMES = ("not_equivalent", "equivalent")


def test_predictions_no_better_than_the_commonest_label_are_told():
    labels = np.array([1] * 44 + [0] * 20)
    other_task = np.array([0, 0] + [1] * 62)  # nearly always the same, and wrong where not
    (told,) = _no_better_than_one_answer(other_task, labels, NAMES)
    assert told.startswith("the accuracy of 65.6 % is no better than to answer 'equivalent' always")
    better = labels.copy()
    better[:10] = 0
    assert _no_better_than_one_answer(better, labels, NAMES) == []


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ("weights.ckpt", 1),  # nothing tells of what task it is
        ("run/checkpoints/step-00000003.ckpt", 0),
        ("run/adversarial/epoch-2/weights.ckpt", 0),  # of a run that is not complete yet
        ("run/elsewhere/epoch-2/weights.ckpt", 1),
    ],
)
def test_another_task_is_suspected_only_where_no_run_tells_it(
    tmp_path: Path, tiny_encoder, write_config, place, lines
):
    (tmp_path / "run").mkdir()
    shutil.copyfile(write_config(), tmp_path / "run" / "config.yaml")
    weights = tmp_path / place
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.touch()
    source = of_checkpoint(weights, str(tiny_encoder), None, "corpus", None, 16)

    labels = np.array([1] * 11 + [0] * 5)
    logits = np.zeros((16, 2), np.float32)
    logits[:, 1] = np.linspace(-0.1, 1, 16)  # two rows are answered otherwise, and wrong
    said = _warnings(Agreement(16, 0.0, 1e-4, 0), logits, labels, source)
    assert len(said) == lines
    assert all("it may be of another task" in line for line in said)
