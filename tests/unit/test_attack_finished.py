"""A finished attack is not started again; one that differs in anything is asked itself."""

import dataclasses
from typing import Any

import pytest

from mindflood.attack.finished import is_finished
from mindflood.config import AttackSettings, Config, TaskSettings
from mindflood.report.cards import merge_attack, new_card, write_card

SETTINGS = AttackSettings(profile="offline", num_examples=20, temperature="fitted")
CONFIG = Config(task=TaskSettings(name="mrpc"), attack=SETTINGS)
SUMMARY: dict[str, Any] = {
    "num_examples": 20, "skipped": 2, "succeeded": 10, "failed": 8, "errors": 0,
    "out_of_budget": 0, "accuracy_under_attack": 0.4, "attack_success_rate": 0.5,
    "mean_queries": 30.0, "seconds": 3.0, "fingerprint": "0" * 16, "replaced": [], "seed": 0,
    "requested": 20, "calibration_error": 0.1, "columns": "both",
}  # fmt: skip
FITTED = {"temperature": 1.7, "source": "fitted", "held_out": "dev", "rows": 30}


def out_with(tmp_path, summary=SUMMARY, recipe="textfooler", accuracy=0.9, calibration=None):
    card = new_card(task="mrpc", method="finetune", seed=0, encoder="embedded")
    card["clean_accuracy"] = accuracy
    path = tmp_path / "card.json"
    write_card(path, card)
    merge_attack(path, f"{recipe}-offline", summary)
    if calibration is not None:
        calibrated = summary | {"calibration": calibration}
        merge_attack(path, f"{recipe}-offline-calibrated", calibrated)
    (tmp_path / "attacks").mkdir()
    return tmp_path / "attacks"


def test_a_whole_attack_is_finished(tmp_path):
    assert is_finished(out_with(tmp_path), CONFIG, "textfooler", 20)


def test_nothing_is_finished_without_a_card(tmp_path):
    assert not is_finished(tmp_path, CONFIG, "textfooler", 20)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"columns": "second"},
        {"max_queries": 100},
        {"max_seconds": 1.0},
        {"profile": "paper"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_is_asked_itself(tmp_path, change):
    config = dataclasses.replace(CONFIG, attack=dataclasses.replace(SETTINGS, **change))
    assert not is_finished(out_with(tmp_path), config, "textfooler", 20)


@pytest.mark.parametrize("asked", [19, 21, None], ids=str)
def test_another_number_of_samples_is_asked_itself(tmp_path, asked):
    assert not is_finished(out_with(tmp_path), CONFIG, "textfooler", asked)


def test_a_killed_attack_is_not_finished(tmp_path):
    out = out_with(tmp_path, SUMMARY | {"num_examples": 12, "failed": 0})
    assert not is_finished(out, CONFIG, "textfooler", 20)


def test_an_accuracy_that_is_missing_is_still_to_be_measured(tmp_path):
    assert not is_finished(out_with(tmp_path, accuracy=None), CONFIG, "textfooler", 20)


def test_the_swarm_has_a_budget_of_its_own(tmp_path):
    out = out_with(tmp_path, SUMMARY | {"max_queries": 5000}, recipe="pso")
    assert is_finished(out, CONFIG, "pso", 20)


@pytest.mark.parametrize(
    ("temperature", "held_out", "finished"),
    [
        ("fitted", "dev", True),
        ("fitted", "train", False),
        ("weakest", "dev", False),
        (1.7, "dev", False),
    ],
)
def test_the_temperature_is_the_one_asked_for(tmp_path, temperature, held_out, finished):
    attack = dataclasses.replace(SETTINGS, temperature=temperature, held_out=held_out)
    config = dataclasses.replace(CONFIG, attack=attack)
    out = out_with(tmp_path, calibration=FITTED)
    assert is_finished(out, config, "textfooler", 20, calibrated=True) is finished


def test_a_given_temperature_is_compared_as_a_number(tmp_path):
    given = {"temperature": 1.7, "source": "given", "held_out": None, "rows": 0}
    out = out_with(tmp_path, calibration=given)
    for temperature, finished in ((1.7, True), (1.8, False)):
        attack = dataclasses.replace(SETTINGS, temperature=temperature)
        config = dataclasses.replace(CONFIG, attack=attack)
        assert is_finished(out, config, "textfooler", 20, calibrated=True) is finished
