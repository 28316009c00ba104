"""The scripts do nothing when a worker process imports them; a mistake is one line."""

import runpy
import sys

import pytest

from tests.conftest import ROOT

TOOLS = ROOT / "tools"


@pytest.mark.parametrize("script", ["attack.py", "export_torch.py", "train.py"])
def test_a_script_does_nothing_when_a_worker_imports_it(script):
    runpy.run_path(str(TOOLS / script), run_name="__mp_main__")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "--task", "sst-2"], "did you mean 'sst2'"),
        (["nowhere", "--task", "corpus"], "nowhere: no such folder"),
        (["nowhere", "--task", "corpus", "--rounds", "0"], "--rounds 0: expected 1 or more"),
        (["nowhere", "--task", "corpus", "--rounds", "9999"], "too few for 9999 rounds"),
    ],
    ids=["task", "model", "no round", "too many rounds"],
)
def test_a_mistake_in_the_race_is_one_line(monkeypatch, capsys, words, message):
    monkeypatch.setattr(sys, "argv", ["bench_attack.py", *words])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOLS / "bench_attack.py"), run_name="__main__")
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bench_attack: error: ")
    assert message in line
