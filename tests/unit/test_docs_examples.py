"""The pages' own examples, run as a reader would run them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


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


def test_the_recipe_of_the_page_attacks_as_the_others(tmp_path: Path, monkeypatch):
    from mindflood.attack import recipes
    from mindflood.attack.driver.sample import SampleAttacker
    from mindflood.attack.settings import AttackSettings
    from mindflood.config.recipes import RECIPES, STOP_WORDS, Entry
    from mindflood.data.tasks import get_task
    from tests.unit.attack_models import save_classifier

    samples = [("a charming and moving comedy", 1), ("the dull actors ruin a good story", 0)]
    save_classifier(tmp_path / "model", *map(list, zip(*samples, strict=True)))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "keyboard.py").write_text(example("add_a_recipe.md"))
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path / "recipes")])
    row = re.search(r'"keyboard": (Entry\(.*\)),', (ROOT / "docs/add_a_recipe.md").read_text())
    assert row is not None
    entry = eval(row[1], {"Entry": Entry, "STOP_WORDS": STOP_WORDS})
    monkeypatch.setitem(RECIPES, "keyboard", entry)

    settings = AttackSettings(
        str(tmp_path / "model"), get_task("sst2"), "keyboard", "offline", seed=0
    )
    attacker = SampleAttacker(settings)
    records = [attacker(row, [text], label) for row, (text, label) in enumerate(samples)]
    assert "succeeded" in {record["result"] for record in records}
    for record in records:
        before, after = record["original"][0], record["perturbed"][0]
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert changed
        assert len(changed) <= len(before.split())
