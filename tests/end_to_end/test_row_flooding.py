"""Methods that flood row by row, end to end on a tiny network."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, read_lines
from tests.end_to_end.test_parallel import PROBED, assert_same_training
from tests.end_to_end.test_train import assert_identical, kill_when, start
from tests.msrun import msrun

FOLDED = {"method": "adaflood", "adaflood__folds": 3, "adaflood__encoder_layers": 1}


def card_of(run: Path) -> dict:
    return json.loads((run / "card.json").read_text())


def losses_of(run: Path) -> list[float]:
    return [line["loss"] for line in read_lines(run / "trace.jsonl")]


@pytest.mark.slow
def test_adaflood_takes_levels_from_models_that_have_not_seen_the_row(
    write_config, mindflood, tmp_path
):
    done = mindflood("train", write_config(**FOLDED))
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "adaflood-seed0"
    [auxiliary] = (tmp_path / "runs" / "auxiliary").iterdir()
    folds = np.array(json.loads((auxiliary / "folds.json").read_text())["fold_of_row"])
    losses = np.empty(96)
    cards = []
    for fold in range(3):
        folder = auxiliary / f"fold{fold + 1}-seed0"
        losses[folds == fold] = json.loads((folder / "held_out_losses.json").read_text())
        cards.append(card_of(folder))
        assert cards[-1]["data"]["train"] == (folds != fold).sum() == 64
        assert cards[-1]["clean_loss"] == pytest.approx(losses[folds == fold].mean(), rel=1e-6)
    levels = -np.log(0.5 * np.exp(-losses) + 0.5)
    rows = read_lines(run / "row_losses.jsonl")
    np.testing.assert_allclose([row["level"] for row in rows], levels, rtol=1e-6)
    card = card_of(run)
    assert card["flood_level"] is None
    found = card["adaflood"]
    assert found["seconds"] == pytest.approx(sum(one["train_seconds"] for one in cards))
    assert found["loss"] == pytest.approx(losses.mean())
    assert found["levels"] == pytest.approx(np.quantile(levels, [0, 0.25, 0.5, 0.75, 1]), rel=1e-6)
    below = [row["loss"] < row["level"] for row in rows]
    assert card["training_losses"]["below_level"] == pytest.approx(np.mean(below))
    wrong = [row["loss"] for row in rows if row["wrong_label"]]
    assert card["training_losses"]["wrong_labels"] == pytest.approx(np.mean(wrong))
    # γ = 1 floods nothing, and asks for no other auxiliary models.
    before = {path: path.stat().st_mtime_ns for path in auxiliary.rglob("*.ckpt")}
    done = mindflood("train", write_config(**FOLDED), "name=all", "adaflood.gamma=1")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in auxiliary.rglob("*.ckpt")} == before
    assert mindflood("train", write_config("plain.yaml")).returncode == 0
    plain, unflooded = (tmp_path / "runs" / f"{name}-seed0" for name in ("finetune", "all"))
    np.testing.assert_allclose(losses_of(unflooded), losses_of(plain), rtol=1e-5)
    assert {line["climbing"] for line in read_lines(unflooded / "trace.jsonl")} == {0.0}
    # A report is of the runs, not of the auxiliary models.
    done = mindflood("report", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "report" / "climbing-1.svg").exists()
    assert (tmp_path / "runs" / "report" / "rows-1.svg").exists()
    assert "fold1" not in (tmp_path / "runs" / "report.html").read_text()


@pytest.mark.slow
def test_adaflood_that_is_killed_continues(write_config, mindflood, tmp_path):
    whole, killed = (
        write_config(f"{name}.yaml", output=str(tmp_path / name), **FOLDED)
        for name in ("whole", "killed")
    )
    assert mindflood("train", whole).returncode == 0
    output = tmp_path / "killed"
    # In the middle of the second auxiliary model, behind its last step, and in the run itself.
    for seen in (
        lambda: any(output.glob("auxiliary/*/fold2-seed0/trace.jsonl")),
        lambda: any(output.glob("auxiliary/*/fold2-seed0/card.json")),
        lambda: any(output.glob("adaflood-seed0/trace.jsonl")),
    ):
        kill_when(start(killed), seen)
    done = mindflood("train", killed)
    assert done.returncode == 0, done.stderr
    runs = [tmp_path / name / "adaflood-seed0" for name in ("whole", "killed")]
    assert_identical(*runs)
    assert losses_of(runs[0]) == losses_of(runs[1])
    assert read_lines(runs[0] / "row_losses.jsonl") == read_lines(runs[1] / "row_losses.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"method": "softad"},
        {"method": "pgd", "flood_rows": "iflood", "defence__steps": 2},
        {"method": "tavat", "flood_rows": "softad", "defence__steps": 2},
    ],
    ids=["softad", "pgd", "tavat"],
)
def test_rows_are_flooded_at_the_level_of_a_first_pass(write_config, mindflood, tmp_path, changes):
    done = mindflood("train", write_config(flood_level="flooding-x", **changes, **PROBED))
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / f"{changes['method']}-seed0"
    unflooded = {key: value for key, value in changes.items() if key != "flood_rows"}
    if changes["method"] == "softad":
        unflooded["method"] = "finetune"
    plain = write_config("plain.yaml", output=str(tmp_path / "plain"), **unflooded, **PROBED)
    assert mindflood("train", plain).returncode == 0
    first = losses_of(run / "search" / "probe-seed0")
    assert first == losses_of(tmp_path / "plain" / f"{unflooded['method']}-seed0")
    found = json.loads((run / "flood_level.json").read_text())
    assert card_of(run)["flood_level"] == found["level"]
    shares = [line["climbing"] for line in read_lines(run / "trace.jsonl")]
    assert 0 < np.mean(shares) < 1


@pytest.mark.slow
def test_rows_are_flooded_from_the_crossing_on(write_config, mindflood, tmp_path):
    changes = {
        "task__train_examples": 48, "training__epochs": 14, "training__batch_size": 8,
        "training__learning_rate": 3e-3, "accordance__batches": 3, "accordance__persistence": 1,
    }  # fmt: skip
    path = write_config(method="iflood", flood_level="flooding-x-online", **changes)
    done = mindflood("train", path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "iflood-seed0"
    card = card_of(run)
    assert card["flood_level_source"] == "accordance"
    trace = read_lines(run / "trace.jsonl")
    confirmed = next(at for at, line in enumerate(trace) if line["climbing"] > 0)
    assert confirmed >= card["accordance"]["step"]  # before it nothing climbs


SHARED = [
    {"method": "iflood", "flood_level": 0.69, "training__max_gradient_norm": 0.5},
    {"method": "softad", "flood_level": 0.69, "training__accumulation_steps": 2},
    FOLDED | {"adaflood__gamma": 0.0},  # levels that so short a training comes down to
    {"method": "freelb", "flood_level": 0.69, "flood_rows": "iflood", "defence__steps": 2},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", SHARED, ids=lambda changes: changes["method"])
def test_two_workers_take_the_steps_of_one(write_config, mindflood, tmp_path, changes):
    # 90 rows: the last batch of an epoch is not full, and one worker has all of its fillers.
    one, two = (
        write_config(
            f"{name}.yaml", output=str(tmp_path / name), task__train_examples=90, **changes
        )
        for name in ("one", "two")
    )
    done = mindflood("train", one)
    assert done.returncode == 0, done.stderr
    msrun(tmp_path / "logs", ROOT / "tools" / "train.py", two)
    runs = [tmp_path / name / f"{changes['method']}-seed0" for name in ("one", "two")]
    assert_same_training(*runs)
    shares = [[line["climbing"] for line in read_lines(run / "trace.jsonl")] for run in runs]
    np.testing.assert_allclose(*shares, atol=0.02)  # a row at its level may fall on either side
    assert 0 < np.mean(shares) < 1


@pytest.mark.slow
def test_half_precision_takes_nearly_the_same_steps(write_config, mindflood, tmp_path):
    for name in ("float32", "float16"):
        path = write_config(
            f"{name}.yaml", output=str(tmp_path / name), method="softad", flood_level=0.69,
            training__precision=name,
        )  # fmt: skip
        done = mindflood("train", path)
        assert done.returncode == 0, done.stderr
    whole, half = (losses_of(tmp_path / name / "softad-seed0") for name in ("float32", "float16"))
    np.testing.assert_allclose(half, whole, rtol=0.02)


def test_more_folds_than_rows_of_a_class_are_refused_in_a_line(write_config, mindflood, tmp_path):
    done = mindflood("train", write_config(method="adaflood", adaflood__folds=90))
    assert done.returncode == 2
    assert "adaflood.folds: 90 are more than the training rows of class" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs" / "auxiliary").exists()
