"""Nodes of a Ray cluster, played by a stand-in that runs each task where it is asked to."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from mindflood.attack.options import RecipeOptions
from mindflood.attack.samples import AttackSettings
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

SAMPLES = [(row, ("text",), 0) for row in range(5)]


class TaskError(Exception):
    """As Ray's: carries what the task raised."""

    def __init__(self, cause):
        self.cause = cause


@pytest.fixture
def ray_tasks(monkeypatch):
    """The module, with a Ray whose tasks run at once, in this process."""
    ray = ModuleType("ray")
    ray.init = lambda **_: None
    ray.cluster_resources = dict
    ray.exceptions = SimpleNamespace(RayTaskError=TaskError, RayError=RuntimeError)
    ray.remote = lambda **_: lambda share: SimpleNamespace(remote=share)
    ray.wait = lambda running, num_returns: (running[:1], running[1:])
    ray.get = lambda record: record
    ray.cancel = lambda task, force: None
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delitem(sys.modules, "mindflood.attack.ray_tasks", raising=False)
    from mindflood.attack import ray_tasks

    yield ray_tasks
    sys.modules.pop("mindflood.attack.ray_tasks", None)


def attacker(settings, **changes):
    """What :func:`parts_of` and the driver look at."""
    recipe = {"fingerprint": "f", "replaced_components": ("USE by MiniLM",)} | changes
    return SimpleNamespace(
        settings=settings, victim=SimpleNamespace(fingerprint="m"), recipe=SimpleNamespace(**recipe)
    )


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Of an attack whose folders were named from the folder the user stands in."""
    (tmp_path / "model").mkdir()
    (tmp_path / "masked-lm").mkdir()
    monkeypatch.chdir(tmp_path)
    options = RecipeOptions(masked_lm=Path("masked-lm"))
    return AttackSettings("model", get_task("sst2"), "bae", "offline", 0, options)


def test_a_node_gets_whole_paths_and_how_many_at_once(ray_tasks, settings, monkeypatch, tmp_path):
    asked = []

    def attack_here(node, samples, at_once):
        asked.append((node.settings, at_once))
        yield from ({"index": sample[0]} for sample in samples)

    monkeypatch.setattr(ray_tasks, "SampleAttacker", attacker)
    monkeypatch.setattr(ray_tasks, "attack_here", attack_here)
    found = list(ray_tasks.attack_with_ray(attacker(settings), SAMPLES, 2, 3))
    assert sorted(record["index"] for record in found) == [0, 1, 2, 3, 4]
    assert [at_once for _, at_once in asked] == [3, 3]
    for node, _ in asked:
        assert node.model == str(tmp_path / "model")
        assert node.options.masked_lm == tmp_path / "masked-lm"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"replaced_components": ("USE by MiniLM", "counter-fitting by leaving out antonyms")},
            "node mars has another attack: replaced parts: .*antonyms, expected USE by MiniLM;",
        ),
        ({"fingerprint": "g"}, "node mars has another attack: recipe: g, expected f;"),
    ],
    ids=["replaced parts", "fingerprint"],
)
def test_a_node_with_another_recipe_attacks_nothing(
    ray_tasks, settings, monkeypatch, changes, message
):
    monkeypatch.setattr(ray_tasks.platform, "node", lambda: "mars")
    monkeypatch.setattr(ray_tasks, "SampleAttacker", lambda given: attacker(given, **changes))
    monkeypatch.setattr(ray_tasks, "attack_here", None)
    with pytest.raises(UserError, match=message):
        list(ray_tasks.attack_with_ray(attacker(settings), SAMPLES, 2))


@pytest.mark.parametrize("name", ["model", "masked-lm"])
def test_a_node_without_a_folder_names_it(ray_tasks, settings, monkeypatch, tmp_path, name):
    monkeypatch.setattr(ray_tasks.platform, "node", lambda: "mars")
    driver = attacker(settings)
    whole = ray_tasks._for_other_machines(settings)
    (tmp_path / name).rmdir()
    with pytest.raises(UserError, match=f"node mars has no folder {tmp_path / name};"):
        list(ray_tasks._attack_share(whole, ray_tasks.parts_of(driver), SAMPLES, None))
