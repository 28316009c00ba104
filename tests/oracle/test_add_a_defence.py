"""docs/add_a_defence.md: its code, as it stands there, is a defence."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from mindflood.defences import registry
from mindflood.defences.settings import DefenceSettings
from tests.conftest import ROOT
from tests.oracle import defences_in_torch
from tests.oracle.defended_step import ORACLES, Defended, check

PAGE = (ROOT / "docs/add_a_defence.md").read_text(encoding="utf-8")
FILE, ROW, IN_TORCH = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def _fgm(monkeypatch, tmp_path):
    """The page's file is importable, its row in the table, its oracle with the others."""
    path = tmp_path / "fgm.py"
    path.write_text(FILE, encoding="utf-8")  # graph mode reads a class's source
    spec = importlib.util.spec_from_file_location("mindflood.defences.fgm", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)
    row = eval(f"{{{ROW}}}", vars(registry).copy())
    monkeypatch.setitem(registry.DEFENCE_METHODS, "fgm", row["fgm"])
    names = vars(defences_in_torch).copy()
    exec(IN_TORCH, names)
    monkeypatch.setitem(ORACLES, "fgm", names["fgm"])


@pytest.mark.usefixtures("_fgm")
@pytest.mark.parametrize(
    ("norm", "level"),
    [("l2", None), pytest.param("linf", 9.0, marks=pytest.mark.slow)],
)
def test_a_step_of_the_pages_defence_equals_torch(norm, level, tmp_path):
    settings = DefenceSettings(
        step_size=0.04, magnitude=0.0, radius=0.0, norm=norm, reuse_dropout=True
    )
    check(Defended("fgm", settings, tmp_path, rows="filled", level=level))


@pytest.mark.slow
def test_the_page_s_file_and_row_are_all_that_a_training_takes(write_config, tmp_path):
    """A package with both is trained on the page's method, and refuses a setting it has not."""
    package, source = tmp_path / "with_fgm/mindflood", ROOT / "mindflood"
    package.mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name == "defences":
            shutil.copytree(entry, package / "defences")
        else:
            (package / entry.name).symlink_to(entry)
    (package / "defences/fgm.py").write_text(FILE, encoding="utf-8")
    table = package / "defences/registry.py"
    head, rows = table.read_text(encoding="utf-8").split("DEFENCE_METHODS = {\n")
    table.write_text(f"{head}DEFENCE_METHODS = {{\n{ROW}{rows}", encoding="utf-8")

    def train(**changes):
        command = [sys.executable, "-m", "mindflood", "train", write_config(**changes)]
        where = os.environ | {"PYTHONPATH": str(package.parent)}
        return subprocess.run(command, env=where, cwd=tmp_path, text=True, capture_output=True)

    done = train(method="fgm", flood_level=0.1)
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "runs/fgm-seed0/card.json").read_text())
    assert card["method"] == "fgm"
    assert card["settings"]["defence.step_size"] == 0.03
    refused = train(method="fgm", defence__steps=2)
    assert refused.returncode == 2
    assert "defence.steps: 'fgm' has none; leave it out" in refused.stderr
