"""Which config a RUN folder belongs to, and what may change under it."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from mindflood.config.attack import AttackSection
from mindflood.config.load import from_yaml
from mindflood.config.settings import AccordanceSettings, Config, TrainingSettings
from mindflood.errors import UserError
from mindflood.pipeline.grid_search import candidate_config
from mindflood.training.probe_pass import probe_config
from mindflood.training.run_folder import claim


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(output=str(tmp_path / "runs"))


def begin(config: Config) -> None:
    """Claim the folder and leave a file of training there."""
    assert not claim(config.run_folder, config)
    (config.run_folder / "trace.jsonl").touch()


def test_a_folder_that_was_moved_is_continued_where_it_is(config: Config, tmp_path: Path) -> None:
    begin(config)
    moved = dataclasses.replace(config, output=str(tmp_path / "elsewhere"))
    shutil.move(config.output, moved.output)
    claim(moved.run_folder, moved)
    assert from_yaml(moved.run_folder / "config.yaml").run_folder == moved.run_folder


def test_another_attack_may_follow_and_another_model_not(config: Config) -> None:
    begin(config)
    again = dataclasses.replace(config, attack=AttackSection(num_examples=7))
    claim(again.run_folder, again)
    resolved = config.run_folder / "config.yaml"
    assert from_yaml(resolved) == again
    other = dataclasses.replace(config, training=TrainingSettings(epochs=3))
    with pytest.raises(UserError, match=r"training\.epochs 10, not 3"):
        claim(other.run_folder, other)
    assert from_yaml(resolved) == again


@pytest.mark.parametrize(
    "change", [{"log_every": 7}, {"threads": 1}, {"mode": "pynative"}, {"checkpoint_every": 9}]
)
def test_what_leaves_model_and_files_as_they_are_may_change(config: Config, change: dict) -> None:
    begin(config)
    other = dataclasses.replace(config, training=TrainingSettings(**change))
    claim(other.run_folder, other)
    assert from_yaml(config.run_folder / "config.yaml") == other
    assert other.conditions() == config.conditions()


def test_what_leaves_only_the_model_as_it_is_may_not(config: Config) -> None:
    """Epochs before the change would be missing; and still these are seeds of one method."""
    begin(config)
    other = dataclasses.replace(config, training=TrainingSettings(keep_epochs=True))
    with pytest.raises(UserError, match=r"training\.keep_epochs False, not True"):
        claim(other.run_folder, other)
    assert other.conditions() == config.conditions()


def test_every_setting_that_differs_is_named(config: Config) -> None:
    begin(config)
    training = TrainingSettings(epochs=3, batch_size=8)
    message = r"with training\.epochs 10, not 3; training\.batch_size 32, not 8; choose another"
    other = dataclasses.replace(config, training=training)
    with pytest.raises(UserError, match=message):
        claim(other.run_folder, other)
    other = dataclasses.replace(other, seed=4, method="flooding-x", encoder="embedded")
    named = r"method 'finetune', not 'flooding-x'; seed 0, not 4; encoder .*, not 'embedded', and"
    with pytest.raises(UserError, match=rf"{named} \d+ more; choose"):
        claim(config.run_folder, other)


@pytest.mark.parametrize("record", [True, False])
def test_a_run_cannot_begin_or_cease_to_be_recorded(config: Config, record: bool) -> None:
    before, now = (
        dataclasses.replace(config, accordance=AccordanceSettings(record=is_recorded))
        for is_recorded in (record, not record)
    )
    begin(before)
    with pytest.raises(UserError, match=rf"accordance\.record {record}, not {not record}"):
        claim(now.run_folder, now)


def test_a_run_does_not_go_on_with_other_batches(config: Config) -> None:
    grouped = dataclasses.replace(config, training=TrainingSettings(group_by_length=True))
    begin(grouped)
    resolved = config.run_folder / "config.yaml"
    message = r"training\.group_by_length True, not False"
    with pytest.raises(UserError, match=message):
        claim(config.run_folder, config)
    # Runs whose config does not tell are older than the choice.
    lines = resolved.read_text().splitlines(keepends=True)
    resolved.write_text("".join(line for line in lines if "group_by_length" not in line))
    with pytest.raises(UserError, match=message):
        claim(config.run_folder, config)
    claim(config.run_folder, grouped)


def test_settings_of_a_probe_that_does_not_run_are_free(config: Config) -> None:
    begin(config)
    other = dataclasses.replace(config, accordance=AccordanceSettings(sub_epochs=4))
    claim(other.run_folder, other)


def test_a_kill_before_the_first_config_leaves_a_folder_to_begin_in(config: Config) -> None:
    config.run_folder.mkdir(parents=True)
    for left, name in ((".config.yaml.abcd1234.part", "config.yaml"), (".x.part", "card.json")):
        (config.run_folder / left).mkdir()
        (config.run_folder / left / name).touch()
    (config.run_folder / ".checkpoints.lock").touch()
    assert not claim(config.run_folder, config)
    mended = dataclasses.replace(config, encoder="embedded")
    assert not claim(mended.run_folder, mended)
    assert from_yaml(config.run_folder / "config.yaml").encoder == "embedded"


@pytest.mark.parametrize("of", [probe_config, lambda config: candidate_config(config, 0.1, "d")],
                         ids=["probe", "candidate"])  # fmt: skip
def test_models_on_the_way_keep_no_epochs(config: Config, of) -> None:
    final = dataclasses.replace(
        config,
        method="flooding-search",
        training=TrainingSettings(keep_epochs=True),
        attack=AttackSection(each_epoch=True),
    )
    on_the_way = of(final)
    claim(on_the_way.run_folder, on_the_way)
    assert from_yaml(on_the_way.run_folder / "config.yaml") == on_the_way
    assert not on_the_way.training.keep_epochs


def test_candidates_are_not_probed(config: Config) -> None:
    recorded = dataclasses.replace(config, accordance=AccordanceSettings(record=True))
    assert not candidate_config(recorded, 0.1, None).accordance.record
    assert probe_config(recorded).accordance.record
