"""Several workers on one machine, started by MindSpore's own ``msrun``."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from mindflood.errors import UserError
from mindflood.training.parallel import Worker
from mindflood.training.state import checkpoints
from tests.conftest import ROOT, read_lines, weights_of
from tests.end_to_end import parallel_micro_batches as micro_batches
from tests.end_to_end.test_train import assert_identical
from tests.msrun import kill, msrun, start

TRAIN = ROOT / "tools" / "train.py"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"training__max_gradient_norm": 0.5}, marks=pytest.mark.slow),
        pytest.param({"training__accumulation_steps": 2}, marks=pytest.mark.slow),
        *(
            pytest.param({"method": method, "defence__steps": 2}, marks=pytest.mark.slow)
            for method in ("pgd", "freelb", "freeat", "yopo", "tavat", "pgd-at", "lds")
        ),
    ],
    ids=["clipped", "accumulated", "pgd", "freelb", "freeat", "yopo", "tavat", "pgd-at", "lds"],
)
def test_two_workers_take_the_steps_of_one(write_config, mindflood, tmp_path, changes):
    # 90 rows: the last batch of an epoch is not full, and one worker has all of its fillers.
    changes = {"method": "flooding", "flood_level": 0.69, "task__train_examples": 90, **changes}
    one = write_config("one.yaml", output=str(tmp_path / "one"), **changes)
    two = write_config("two.yaml", output=str(tmp_path / "two"), **changes)
    done = mindflood("train", one)
    assert done.returncode == 0, done.stderr
    msrun(tmp_path / "logs", TRAIN, two)
    runs = [tmp_path / name / f"{changes['method']}-seed0" for name in ("one", "two")]
    assert_same_training(*runs)
    assert {line["flooding"] for line in read_lines(runs[0] / "trace.jsonl")} == {True, False}


def assert_same_training(first: Path, second: Path) -> None:
    """The same losses and weights, to float32 rounding."""
    traces = [read_lines(run / "trace.jsonl") for run in (first, second)]
    losses = [[line["loss"] for line in trace] for trace in traces]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-5)
    floods = [[line["flooding"] for line in trace] for trace in traces]
    assert floods[0] == floods[1]
    ours, theirs = (weights_of(checkpoints(run / "checkpoints")[-1][1]) for run in (first, second))
    for name in ours:
        # A key's bias moves all scores of a row alike, so its gradient is nothing but rounding,
        # which Adam blows up to full steps.
        if name.startswith(("bert.", "classifier.", "vocabulary_table")) and not name.endswith(
            "key.bias"
        ):
            np.testing.assert_allclose(ours[name], theirs[name], atol=2e-4, err_msg=name)


PROBED = {"training__epochs": 3, "accordance__sub_epochs": 2, "accordance__batches": 3}
# Few rows and a high rate, so that the accordance crosses zero while the run goes.
ONLINE = {
    "task__train_examples": 48,
    "training__epochs": 14,
    "training__batch_size": 8,
    "training__learning_rate": 3e-3,
    "accordance__batches": 3,
    "accordance__persistence": 1,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "changes"),
    [("flooding-x", PROBED), ("flooding-x-online", ONLINE)],
    ids=["flooding-x", "online"],
)
def test_two_workers_find_the_level_of_one(write_config, mindflood, tmp_path, method, changes):
    one, two = (
        write_config(f"{name}.yaml", output=str(tmp_path / name), method=method, **changes)
        for name in ("one", "two")
    )
    done = mindflood("train", one)
    assert done.returncode == 0, done.stderr
    msrun(tmp_path / "logs", TRAIN, two)
    runs = [tmp_path / name / f"{method}-seed0" for name in ("one", "two")]
    traces = [read_lines(run / "accordance.jsonl") for run in runs]
    for key, tolerance in {"step": 0, "accordance": 1e-4, "train_loss": 2e-5}.items():
        values = [[line[key] for line in trace] for trace in traces]
        np.testing.assert_allclose(*values, rtol=tolerance, atol=tolerance, err_msg=key)
    cards = [json.loads((run / "card.json").read_text()) for run in runs]
    assert cards[0]["flood_level"] == pytest.approx(cards[1]["flood_level"], rel=2e-5)
    assert cards[0]["accordance"]["step"] == cards[1]["accordance"]["step"]
    assert_same_training(*runs)
    if method == "flooding-x-online":
        assert cards[1]["flood_level_source"] == "accordance"
    else:
        assert_same_training(*(run / "search" / "probe-seed0" for run in runs))


@pytest.mark.slow
def test_two_workers_that_are_killed_continue(write_config, tmp_path):
    changes = {"method": "flooding", "flood_level": 0.69, "training__checkpoint_every": 2}
    whole, killed = (
        write_config(f"{name}.yaml", output=str(tmp_path / name), **changes)
        for name in ("whole", "killed")
    )
    msrun(tmp_path / "logs", TRAIN, whole)
    process = start(tmp_path / "killed-logs", TRAIN, killed)
    trace = tmp_path / "killed" / "flooding-seed0" / "trace.jsonl"
    while not (trace.exists() and trace.read_text().count("\n") >= 7):
        assert process.poll() is None
        time.sleep(0.002)
    kill(process, killed)
    assert not (trace.parent / "card.json").exists()
    msrun(tmp_path / "again-logs", TRAIN, killed)
    runs = [tmp_path / name / "flooding-seed0" for name in ("whole", "killed")]
    assert_identical(*runs)
    losses = [[line["loss"] for line in read_lines(run / "trace.jsonl")] for run in runs]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_an_overflow_on_one_worker_skips_the_step_on_all(tmp_path):
    logs = msrun(tmp_path / "logs", Path(__file__).with_name("parallel_overflow.py"))
    lines = [line for log in logs for line in log.splitlines() if line.startswith("seen ")]
    seen = [json.loads(line.removeprefix("seen ")) for line in lines]
    for rank in (0, 1):
        first, second, third = (step for step in seen if step["rank"] == rank)
        assert [first["applied"], second["applied"], third["applied"]] == [True, False, True]
        assert [first["scale"], second["scale"], third["scale"]] == [256.0, 128.0, 128.0]
        assert first["weight"] == second["weight"] != third["weight"]
        assert first["J"] == pytest.approx((9.0 + 36.0) / 2)
    assert seen[0]["weight"] == seen[3]["weight"]


@pytest.mark.slow
def test_micro_batches_on_two_workers_equal_numpy(tmp_path):
    """One worker is below the level, the other above it: the mean over both has one sign."""
    logs = msrun(tmp_path / "logs", Path(micro_batches.__file__))
    parts = [part for rank in (0, 1) for part in micro_batches.rows_of(rank)]
    rows = np.concatenate(parts).astype(np.float64)
    weight, signs = np.ones(3), []
    expected = []
    for _ in range(3):
        J = np.square(rows @ weight).mean()
        signs.append(np.sign(J - micro_batches.LEVEL))
        gradient = 2 * ((rows @ weight)[:, None] * rows).mean(0)
        weight = weight - micro_batches.RATE * signs[-1] * gradient
        expected.append((J, weight))
    assert signs == [-1, 1, -1]
    for log in logs:
        lines = [line for line in log.splitlines() if line.startswith("seen ")]
        seen = [json.loads(line.removeprefix("seen ")) for line in lines]
        for found, (J, weight) in zip(seen, expected, strict=True):
            assert found["J"] == pytest.approx(J, rel=1e-5)
            np.testing.assert_allclose(found["weight"], weight, rtol=1e-5)


@pytest.mark.parametrize(
    ("count", "parts_each"), [(1, 1), (2, 1), (1, 4), (4, 2)], ids=lambda value: str(value)
)
def test_the_workers_share_every_row_once(count, parts_each):
    rows = [
        row
        for rank in range(count)
        for part in Worker(rank, count).rows(16, parts_each)
        for row in part
    ]
    assert sorted(rows) == list(range(16))


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(UserError, match="use a multiple of 6"):
        Worker(0, 3).rows(16, 2)
