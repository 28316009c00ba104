"""The pages' own examples, run as a reader would run them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.attack_models import save_classifier


def example(page: str) -> str:
    """The longest Python block of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return max(re.findall(r"```python\n(.*?)```", text, re.DOTALL), key=len)


@pytest.mark.slow
def test_a_network_of_ones_own_gets_a_level_from_a_crossing_and_floats_at_it(tmp_path: Path):
    script = tmp_path / "own.py"
    script.write_text(example("own_network.md"))
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    level, plain, flooded = map(float, re.findall(r"(?:b = |loss: |plain, )([0-9.]+)", ran.stdout))
    assert "(accordance)" in ran.stdout
    assert plain < 0.8 * level
    assert abs(flooded - level) < 0.2 * level


@pytest.mark.slow
def test_a_network_with_a_loss_a_row_is_flooded_row_by_row(tmp_path: Path):
    text = (ROOT / "docs" / "own_network.md").read_text(encoding="utf-8")
    [block] = [
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "rows=" in block
    ]
    script = tmp_path / "rows.py"
    script.write_text(block)
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    found = re.findall(r"^(\w+): mean loss ([0-9.]+), (\d+)% of the rows climb$", ran.stdout, re.M)
    assert [name for name, *_ in found] == ["iflood", "softad", "adaflood"]
    assert all(0 < int(climbing) < 100 for *_, climbing in found)
    assert float(found[0][1]) == pytest.approx(0.1, rel=0.5)  # the losses float at the level


ATTACK = """
import json
import sys

from mindflood.config import recipes as table

row, model, folder, samples = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
table.RECIPES["keyboard"] = eval(row, vars(table))  # as the table would have it: before all else

from mindflood.attack import recipes
from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.settings import AttackSettings
from mindflood.data.tasks import get_task

recipes.__path__.append(folder)
attacker = SampleAttacker(AttackSettings(model=model, task=get_task("sst2"), recipe="keyboard"))
print(json.dumps([attacker(row, [text], label) for row, (text, label) in enumerate(samples)]))
"""


def test_the_recipe_of_the_page_attacks_as_the_others(tmp_path: Path):
    samples = [("a charming and moving comedy", 1), ("the dull actors ruin a good story", 0)]
    save_classifier(tmp_path / "model", *map(list, zip(*samples, strict=True)))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "keyboard.py").write_text(example("add_a_recipe.md"))
    row = re.search(
        r'"keyboard": (Entry\(.*\)),', (ROOT / "docs/add_a_recipe.md").read_text("utf-8")
    )
    assert row is not None
    words = [row[1], str(tmp_path / "model"), str(tmp_path / "recipes"), json.dumps(samples)]
    ran = subprocess.run(
        [sys.executable, "-c", ATTACK, *words], capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    records = json.loads(ran.stdout.splitlines()[-1])
    assert "succeeded" in {record["result"] for record in records}
    for record in records:
        before, after = record["original"][0], record["perturbed"][0]
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert 0 < len(changed) <= len(before.split())
