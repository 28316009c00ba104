"""The three scripts do nothing when they are imported, as every worker process of theirs does."""

import runpy
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.mark.parametrize("script", ["attack.py", "export_torch.py", "train.py"])
def test_a_script_does_nothing_when_a_worker_imports_it(script):
    runpy.run_path(str(TOOLS / script), run_name="__mp_main__")
