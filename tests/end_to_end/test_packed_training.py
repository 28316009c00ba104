"""``training.pack_texts``: the same batches with less padding, so the same training."""

import numpy as np
import pytest

from mindflood.training.state import checkpoints
from tests.conftest import read_lines, weights_of
from tests.end_to_end.test_train import assert_identical, kill_when, start

ADAFLOOD = {"method": "adaflood", "adaflood__folds": 2}
METHODS = [
    {"method": "finetune"},
    pytest.param({"method": "flooding", "flood_level": 0.6}, marks=pytest.mark.slow),
    {"method": "iflood", "flood_level": 0.6},
    pytest.param(ADAFLOOD, marks=pytest.mark.slow),
]


def name_of(changes):
    return changes["method"]


@pytest.mark.parametrize("changes", METHODS, ids=name_of)
def test_packed_texts_train_as_one_text_a_row(write_config, mindflood, tmp_path, changes):
    """90 rows, so that the last batch has fillers; no dropout, whose masks are others."""
    runs = []
    for name in ("apart", "packed"):
        config = write_config(
            f"{name}.yaml", output=str(tmp_path / name), task__train_examples=90,
            training__dropout=0.0, training__pack_texts=name == "packed", **changes,
        )  # fmt: skip
        done = mindflood("train", config)
        assert done.returncode == 0, done.stderr
        runs.append(tmp_path / name / f"{changes['method']}-seed0")
    losses = [[line["loss"] for line in read_lines(run / "trace.jsonl")] for run in runs]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    before, after = (weights_of(checkpoints(run / "checkpoints")[-1][1]) for run in runs)
    # Sums over other rows round otherwise: it was packed.
    assert any(not np.array_equal(after[name], before[name]) for name in before)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=2e-4, err_msg=name)


def test_a_killed_packed_run_ends_with_the_same_weights(write_config, mindflood, tmp_path):
    changes = {"training__pack_texts": True, "training__checkpoint_every": 3}
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **changes)
    assert mindflood("train", whole).returncode == 0
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **changes)
    runs = [tmp_path / name / "finetune-seed0" for name in ("whole", "killed")]
    trace = runs[1] / "trace.jsonl"
    kill_when(start(killed), lambda: trace.exists() and trace.read_text().count("\n") >= 5)
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    assert_identical(runs[1], runs[0])


def test_several_workers_do_not_pack(write_config, mindflood):
    config = write_config(training__pack_texts=True)
    refused = mindflood("train", config, MS_WORKER_NUM="2")
    assert refused.returncode == 2
    assert "training.pack_texts: packs a whole batch; start it without msrun" in refused.stderr
