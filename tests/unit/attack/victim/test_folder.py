"""What the folder of a model to attack has to hold, told before anything heavy is imported."""

import json
from pathlib import Path
from typing import Any

import pytest

from mindflood.attack.victim.folder import model_folder
from mindflood.errors import UserError


def a_model(folder: Path, config: Any) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").touch()
    return folder


@pytest.mark.parametrize("names", [["no", "yes"], "no", 5, {"x": "no", "y": "yes"}, {"-1": "no"}])
def test_labels_that_are_not_by_number_are_named(tmp_path: Path, names: Any) -> None:
    with pytest.raises(UserError, match=r"config\.json: key 'id2label': expected an object"):
        model_folder(a_model(tmp_path, {"id2label": names}))


@pytest.mark.parametrize("config", [[], "bert", None])
def test_a_configuration_that_is_no_object_is_named(tmp_path: Path, config: Any) -> None:
    with pytest.raises(UserError, match=r"config\.json: expected an object"):
        model_folder(a_model(tmp_path, config))


def test_nesting_without_end_is_a_line(tmp_path: Path) -> None:
    a_model(tmp_path, {})
    (tmp_path / "config.json").write_text('{"id2label": ' + "[" * 100_000)
    with pytest.raises(UserError, match=r"config\.json: expected a JSON file: nested more than"):
        model_folder(tmp_path)


@pytest.mark.parametrize("names", [None, {}, {"0": "no", "1": "yes"}])
def test_labels_by_number_or_none_pass(tmp_path: Path, names: Any) -> None:
    assert model_folder(a_model(tmp_path, {"id2label": names})) == str(tmp_path)
