"""A RUN folder is attacked as its own config says, and options replace that."""

from pathlib import Path

import pytest

from mindflood.attack.of_run import attacks_of_run
from mindflood.cli import main
from mindflood.config.attack import AttackSection, AttackSettings
from mindflood.config.settings import Config, TaskSettings, to_yaml
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

SECTION = {
    "recipes": ("pwws", "bert-attack"), "num_examples": 7, "candidates": 8, "seed": 3, "workers": 2
}  # fmt: skip


def a_run(folder: Path, **attack) -> Path:
    config = Config(
        task=TaskSettings(name="mrpc", data="FOLDER"),
        attack=AttackSection(**(SECTION | attack)),
    )
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(to_yaml(config))
    return folder


def test_each_recipe_of_the_config_has_the_config_s_settings(tmp_path):
    run = a_run(tmp_path / "run")
    first, second = attacks_of_run(run, {})
    assert first == AttackSettings(
        model=str(run), task=get_task("mrpc"), recipe="pwws", num_examples=7, seed=3, workers=2,
        data="FOLDER", split="test",
    )  # fmt: skip
    assert (second.recipe, second.candidates) == ("bert-attack", 8)


def test_options_replace_the_config_s(tmp_path):
    run = a_run(tmp_path / "run")
    given = {"recipe": "bae", "num_examples": 2, "data": "rows.csv", "columns": "second"}
    (found,) = attacks_of_run(run, given)
    assert (found.recipe, found.num_examples, found.seed) == ("bae", 2, 3)
    assert (found.data, found.split, found.columns) == ("rows.csv", None, "second")
    with pytest.raises(UserError, match="--recipe: unknown 'pwsw'; did you mean 'pwws'"):
        list(attacks_of_run(run, {"recipe": "pwsw"}))
    with pytest.raises(UserError, match="--seed: expected at least 0, not -1"):
        list(attacks_of_run(run, {"seed": -1}))


def test_a_temperature_of_the_config_is_an_attack_beside_the_plain_one(tmp_path):
    run = a_run(tmp_path / "run", recipes=("bert-attack",), temperature="fitted")
    found = [(one.temperature, one.held_out) for one in attacks_of_run(run, {"held_out": "train"})]
    assert found == [(None, None), ("fitted", "train")]
    assert [one.temperature for one in attacks_of_run(run, {"temperature": 2.0})] == [2.0]


@pytest.fixture
def done(monkeypatch) -> list[tuple]:
    """The processes that are started and the attacks that are made."""
    found: list[tuple] = []
    monkeypatch.setattr("mindflood.attack.of_run.run_verb", lambda *words: found.append(words))
    monkeypatch.setattr(
        "mindflood.attack.runner.attack_as",
        lambda settings, out: found.append((settings.recipe, settings.profile, str(out))),
    )
    monkeypatch.setattr("mindflood.attack.command.described", lambda *_: [])
    return found


def test_a_run_is_exported_first_and_attacked_into_its_own_folder(tmp_path, done):
    run = a_run(tmp_path / "run")
    assert main(["attack", str(run)]) == 0
    attacks = str(run / "attacks")
    export = ("export", str(run), str(run / "model"))
    both = [("pwws", "offline", attacks), ("bert-attack", "offline", attacks)]
    assert done == [export, *both]
    (run / "model").mkdir()
    (run / "model" / "config.json").write_text("{}")
    done.clear()
    assert main(["attack", str(run), "--recipe", "pruthi", "--profile", "paper",
                 "--out", str(tmp_path / "out")]) == 0  # fmt: skip
    assert done == [("pruthi", "paper", str(tmp_path / "out"))]


def test_any_other_model_needs_task_recipe_and_out(tmp_path, done, capsys):
    assert main(["attack", str(tmp_path), "--task", "sst2"]) == 2
    assert "--recipe, --out: missing; only a RUN folder, which" in capsys.readouterr().err
    words = ["attack", "some/model", "--task", "sst2", "--recipe", "pwws", "--out", "there"]
    assert main(words) == 0
    assert done == [("pwws", "offline", "there")]


def test_a_log_is_of_one_attack(tmp_path, done, capsys):
    run = a_run(tmp_path / "run")
    assert main(["attack", str(run), "--csv", str(tmp_path / "log.csv")]) == 2
    assert "takes one attack, and" in capsys.readouterr().err
    assert done == []


def test_settings_cross_into_another_process_as_they_are(tmp_path, done):
    settings = AttackSettings(
        model="m", task=get_task("mrpc"), recipe="bae", masked_lm="lm", temperature=2.5,
        max_seconds=1.5, columns="second", held_out=None, shard="1/2",
    )  # fmt: skip
    assert AttackSettings.from_json(settings.to_json()) == settings
    words = ["attack", "m", "--out", str(tmp_path), "--settings", settings.to_json()]
    assert main(words) == 0
    assert done == [("bae", "offline", str(tmp_path))]


def test_a_setting_is_stated_once_for_config_and_command():
    """What both have is one field with one default."""
    shared = set(AttackSection.__dataclass_fields__) & set(AttackSettings.__dataclass_fields__)
    section = Config().attack
    asked = AttackSettings(model="m", task=get_task("sst2"), recipe="pwws")
    same = {name for name in shared if getattr(section, name) == getattr(asked, name)}
    assert shared - same == {"held_out"}  # the config writes out that it is dev
    assert section.profile == "offline"
