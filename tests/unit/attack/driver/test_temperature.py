"""The weakest temperature: of all rows alike, whatever came of their attacks."""

import numpy as np
import pytest

from mindflood.attack.driver import temperature
from mindflood.attack.victim.calibration import Calibration
from mindflood.config.attack import AttackSettings
from mindflood.data.sources import Examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.files import read_json, write_json

ROWS = Examples((("a",), ("b",), ("c",)), np.zeros(3, int))
SETTINGS = AttackSettings(model="model", task=get_task("sst2"), recipe="textfooler")
FITTED = 2.0


def record(result, queries=10):
    raised = "ValueError: no tokens" if result == "error" else None
    return {"result": result, "queries": queries, "seconds": 0.1, "error": raised}


@pytest.fixture
def weakest(monkeypatch):
    """The temperature that is chosen where attacks at FITTED times a factor have these records."""

    def chosen(found, others):
        def attack(settings, samples, workers):
            return found.get(settings.temperature / FITTED, others)

        monkeypatch.setattr(temperature, "_attack", attack)
        return temperature.weakest_temperature(SETTINGS, FITTED, ROWS)

    return chosen


def test_what_runs_out_of_its_budget_is_not_weak(weakest):
    """Its accuracy under attack is 0: of three rows, one was wrong before and none is decided."""
    decided = [record("skipped"), record("failed"), record("succeeded")]
    exhausted = [record("skipped"), record("out_of_budget", 500), record("out_of_budget", 500)]
    assert weakest({1.0: exhausted, 4.0: decided}, exhausted) == 4 * FITTED


def test_what_raises_is_not_weak(weakest):
    decided = [record("failed"), record("failed"), record("succeeded")]
    raised = [record("error", 0), record("error", 0), record("succeeded")]
    assert weakest({0.25: decided}, raised) == FITTED  # one each, and fewer queries
    nothing = [record("skipped"), record("error", 0), record("error", 0)]
    assert weakest({0.25: decided}, nothing) == FITTED / 4


def test_of_as_many_the_one_of_fewer_queries_then_the_nearest(weakest):
    slow, fast = [record("succeeded", 20)], [record("succeeded", 19)]
    assert weakest({16.0: fast}, slow) == 16 * FITTED
    assert weakest({}, slow) == FITTED


def test_rows_that_all_raise_are_one_line(weakest):
    raised = [record("skipped"), record("error", 0), record("error", 0)]
    with pytest.raises(UserError, match=r"weakest: every attack .* raised .*ValueError: no tokens"):
        weakest({}, raised)


def test_a_choice_is_taken_up_and_never_written_over(tmp_path):
    """Another attack's took hours; what is no choice of ours is somebody's."""
    path, key = tmp_path / "bae-calibrated.temperature.json", {"model": "m", "wanted": "weakest"}
    assert temperature._kept(path, key) is None
    kept = {"temperature": 2.0, "source": "weakest", "held_out": "dev", "rows": 50}
    write_json(path, {"key": key, "calibration": kept})
    assert temperature._kept(path, key) == Calibration(**kept)
    for content in ({"key": {"model": "n"}, "calibration": kept}, {"key": key}, [], 7):
        write_json(path, content)
        with pytest.raises(UserError, match=r"temperature\.json: holds no choice"):
            temperature._kept(path, key)
        assert read_json(path) == content
