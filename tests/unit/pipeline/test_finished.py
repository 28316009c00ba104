"""A finished attack is not started again; one that differs in anything is asked itself."""

import dataclasses
import shutil
from typing import Any

import pytest

from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import merge_attack, new_card, write_card
from mindflood.config.attack import AttackSection, AttackSettings
from mindflood.config.settings import Config, TaskSettings
from mindflood.pipeline import finished as of_card
from mindflood.pipeline import stages

SETTINGS = AttackSection(profile="offline", num_examples=20, temperature="fitted")
CONFIG = Config(task=TaskSettings(name="mrpc"), attack=SETTINGS)
SUMMARY: dict[str, Any] = {
    "num_examples": 20, "skipped": 2, "succeeded": 10, "failed": 8, "errors": 0,
    "out_of_budget": 0, "accuracy_under_attack": 0.4, "attack_success_rate": 0.5,
    "mean_queries": 30.0, "seconds": 3.0, "fingerprint": "0" * 16, "replaced": [], "seed": 0,
    "requested": 20, "calibration_error": 0.1, "columns": "both",
}  # fmt: skip
FITTED = {"temperature": 1.7, "source": "fitted", "held_out": "dev", "rows": 30}


def is_finished(out, config, recipe, num_examples, *, calibrated=False):
    """Whether the attack that a config asks for is finished."""
    model = out.parent / "model"
    return of_card.is_finished(
        out, config.attack_on(model, recipe, num_examples, calibrated=calibrated)
    )


def out_with(tmp_path, summary=SUMMARY, recipe="textfooler", accuracy=0.9, calibration=None):
    card = new_card(task="mrpc", method="finetune", seed=0, encoder="embedded")
    card["clean_accuracy"] = accuracy
    tmp_path.mkdir(exist_ok=True)
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


def with_data(folder, rows, **attack):
    """The config of a task whose attacked split has so many rows; MRPC's is attacked whole."""
    lines = [f"first {row}\tsecond {row}\t{row % 2}" for row in range(rows)]
    folder.mkdir()
    for split in ("train", "test"):
        file = folder / f"{split}.tsv"
        file.write_text("\n".join(["sentence1\tsentence2\tlabel", *lines]) + "\n")
    task = TaskSettings(name="mrpc", data=str(folder))
    return dataclasses.replace(CONFIG, task=task, attack=dataclasses.replace(SETTINGS, **attack))


@pytest.mark.parametrize("asked", [19, 21, None], ids=str)
def test_another_number_of_samples_is_asked_itself(tmp_path, asked):
    config = with_data(tmp_path / "data", 30)
    assert not is_finished(out_with(tmp_path), config, "textfooler", asked)


@pytest.mark.parametrize("asked", [None, 25], ids=["whole split", "more than there are"])
def test_a_split_that_is_attacked_whole_is_finished(tmp_path, asked):
    config = with_data(tmp_path / "data", 20)
    assert is_finished(out_with(tmp_path), config, "textfooler", asked)


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


@pytest.fixture
def language_models(tmp_path, monkeypatch):
    """The task's own language model, and another: folders of like files with other weights."""
    own = "mindflood.pipeline.finished._own_masked_lm"
    monkeypatch.setattr(own, lambda task, data: tmp_path / "own")
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_text(name)
    return tmp_path / "own", tmp_path / "other"


@pytest.mark.parametrize(("asked", "known"), [(None, 48), (48, 48), (8, 8), (8, 48), (None, 8)])
def test_the_candidates_are_those_asked_for(tmp_path, language_models, asked, known):
    own = model_fingerprint(language_models[0])
    out = out_with(tmp_path, SUMMARY | {"candidates": known, "masked_lm": own}, "bert-attack")
    config = dataclasses.replace(CONFIG, attack=dataclasses.replace(SETTINGS, candidates=asked))
    assert is_finished(out, config, "bert-attack", 20) == ((asked or 48) == known)


def test_the_language_model_is_the_one_asked_for(tmp_path, language_models):
    fingerprints = [model_fingerprint(folder) for folder in language_models]
    named = dataclasses.replace(
        CONFIG, attack=dataclasses.replace(SETTINGS, masked_lm=str(language_models[1]))
    )
    out = out_with(tmp_path, SUMMARY | {"masked_lm": fingerprints[0]}, "bae")
    assert is_finished(out, CONFIG, "bae", 20)
    assert not is_finished(out, named, "bae", 20)
    merge_attack(tmp_path / "card.json", "bae-offline", SUMMARY | {"masked_lm": fingerprints[1]})
    assert is_finished(out, named, "bae", 20)
    assert not is_finished(out, CONFIG, "bae", 20)
    shutil.rmtree(language_models[0])
    assert not is_finished(out, CONFIG, "bae", 20)  # it is to be made


def test_a_card_that_does_not_tell_the_candidates_is_asked_itself(tmp_path, language_models):
    assert not is_finished(out_with(tmp_path, recipe="bert-attack"), CONFIG, "bert-attack", 20)
    assert not is_finished(out_with(tmp_path / "bae", recipe="bae"), CONFIG, "bae", 20)


@pytest.mark.parametrize(
    ("recipe", "candidates", "masked_lm"),
    [("bert-attack", 8, "folder"), ("bae", None, "folder"), ("textfooler", None, None)],
)
def test_a_recipe_is_given_the_settings_that_it_has(
    tmp_path, monkeypatch, recipe, candidates, masked_lm
):
    said = []
    monkeypatch.setattr(stages, "run_verb", lambda *words: said.append(words))
    attack = dataclasses.replace(SETTINGS, candidates=8, masked_lm="folder")
    config = dataclasses.replace(CONFIG, attack=attack)
    stages.attack(tmp_path, config, recipe, 20)
    ((verb, model, *_, asked),) = said
    assert (verb, model) == ("attack", str(tmp_path / "model"))
    settings = AttackSettings.from_json(asked)
    assert settings == config.attack_on(tmp_path / "model", recipe, 20)
    assert (settings.candidates, settings.masked_lm) == (candidates, masked_lm)
    assert (settings.recipe, settings.task.name, settings.num_examples) == (recipe, "mrpc", 20)
