"""The defences through the command line: trained, resumed, run whole."""

import json

import numpy as np
import pytest

from tests.conftest import read_lines
from tests.end_to_end.test_train import assert_identical, kill_when, start

METHODS = [
    pytest.param({"method": "pgd", "defence__steps": 2}, marks=pytest.mark.slow),
    pytest.param(
        {"method": "freelb", "defence__steps": 2, "flood_level": 0.69}, marks=pytest.mark.slow
    ),
    pytest.param(
        {"method": "freelb", "defence__steps": 2, "defence__reuse_dropout": False},
        marks=pytest.mark.slow,
    ),
    pytest.param({"method": "freeat", "defence__steps": 2}, marks=pytest.mark.slow),
    pytest.param({"method": "yopo", "defence__steps": 2}, marks=pytest.mark.slow),
    pytest.param({"method": "infobert", "defence__steps": 2}, marks=pytest.mark.slow),
    pytest.param(
        {
            "method": "infobert",
            "defence__steps": 2,
            "defence__variant": "release",
            "training__max_gradient_norm": 1.0,
        },
        marks=pytest.mark.slow,
    ),
    pytest.param(
        {"method": "tavat", "defence__steps": 2, "flood_level": 0.69}, marks=pytest.mark.slow
    ),
    pytest.param(
        {"method": "pgd-at", "defence__steps": 2, "defence__radius": 0.1}, marks=pytest.mark.slow
    ),
    pytest.param(
        {"method": "lds", "defence__steps": 2, "defence__radius": 0.1, "flood_level": 0.69},
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(
    "changes", METHODS, ids=lambda changes: "-".join(map(str, changes.values()))
)
def test_a_killed_run_ends_with_the_same_weights(changes, write_config, mindflood, tmp_path):
    changes = {"training__checkpoint_every": 3, **changes}
    whole = write_config("whole.yaml", output=str(tmp_path / "whole"), **changes)
    done = mindflood("train", whole)
    assert done.returncode == 0, done.stderr
    killed = write_config("killed.yaml", output=str(tmp_path / "killed"), **changes)
    run, reference = (
        tmp_path / name / f"{changes['method']}-seed0" for name in ("killed", "whole")
    )
    trace = run / "trace.jsonl"
    kill_when(start(killed), lambda: trace.exists() and trace.read_text().count("\n") >= 5)
    finished = mindflood("train", killed)
    assert finished.returncode == 0, finished.stderr
    assert_identical(run, reference)
    lines = read_lines(trace)
    assert [line["loss"] for line in lines] == [
        line["loss"] for line in read_lines(reference / "trace.jsonl")
    ]
    assert len(lines) == 12
    level = changes.get("flood_level")
    assert all(line["flooding"] == (level is not None and line["loss"] < level) for line in lines)
    assert np.mean([line["loss"] for line in lines[-4:]]) < 0.75
    assert json.loads((run / "card.json").read_text())["flood_level"] == level


@pytest.mark.slow
def test_a_defence_runs_whole(write_config, mindflood, tmp_path):
    config = write_config(
        methods=["finetune", {"method": "freelb", "defence": {"steps": 2}}], training__epochs=1,
        attack={"profile": "offline", "num_examples": 2},
    )  # fmt: skip
    text = config.read_text().replace("method: finetune\n", "")
    config.write_text(text)
    done = mindflood("run", config)
    assert done.returncode == 0, done.stderr
    assert "FreeLB" in done.stdout
    card = json.loads((tmp_path / "runs" / "freelb-seed0" / "card.json").read_text())
    assert card["attacks"]["textfooler-offline"]["num_examples"] == 2


def test_another_defence_setting_is_another_run(write_config, mindflood):
    config = write_config(method="pgd", defence__steps=1, training__epochs=1)
    assert mindflood("train", config).returncode == 0
    refused = mindflood("train", config, "defence.steps=2")
    assert refused.returncode == 2
    assert "holds a run with defence.steps 1, not 2" in refused.stderr
