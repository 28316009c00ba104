"""An attack's shares as tasks of a real Ray cluster on this machine; what a node is asked to do."""

import os
import platform
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray

from mindflood.attack.driver import ray_tasks
from mindflood.config.attack import AttackSettings
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

SAMPLES = [(row, ("text",), 0) for row in range(5)]


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one process, which runs two tasks one after the other: it imports once."""
    yield ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    ray.shutdown()


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
    return AttackSettings(
        model="model", task=get_task("sst2"), recipe="bae", masked_lm=Path("masked-lm")
    )


def test_every_sample_comes_back_once_and_a_node_gets_whole_paths(
    cluster, settings, monkeypatch, tmp_path
):
    def share(settings, expected, samples, at_once):
        for index, *_ in samples:
            folders = (settings.model, str(settings.masked_lm))
            yield {"index": index, "folders": folders, "at_once": at_once, "of": expected["model"]}

    monkeypatch.setattr(ray_tasks, "_attack_share", share)
    found = list(ray_tasks.attack_with_ray(attacker(settings), SAMPLES, 2, 3))
    assert sorted(record["index"] for record in found) == [0, 1, 2, 3, 4]
    whole = (str(tmp_path / "model"), str(tmp_path / "masked-lm"))
    for record in found:
        assert (record["folders"], record["at_once"], record["of"]) == (whole, 3, "m")


def test_what_a_node_refuses_is_the_user_s_line(cluster, settings, monkeypatch):
    def share(settings, expected, samples, at_once):
        yield {"index": 0}
        raise UserError("--ray: node mars has no folder")

    monkeypatch.setattr(ray_tasks, "_attack_share", share)
    records = ray_tasks.attack_with_ray(attacker(settings), SAMPLES, 1)
    assert next(records) == {"index": 0}
    with pytest.raises(UserError, match=r"^--ray: node mars has no folder$"):
        next(records)


def test_a_task_that_is_killed_ends_the_attack_in_a_line(cluster, settings, monkeypatch):
    def share(settings, expected, samples, at_once):
        yield {"index": 0}
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(ray_tasks, "_attack_share", share)
    records = ray_tasks.attack_with_ray(attacker(settings), SAMPLES, 1)
    with pytest.raises(UserError, match=r"^--ray: a task was lost .*the same command continues$"):
        list(records)


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
def test_a_node_with_another_recipe_is_refused(settings, changes, message):
    expected = ray_tasks.parts_of(attacker(settings))
    ray_tasks.check_alike(ray_tasks.parts_of(attacker(settings)), expected, "mars")
    with pytest.raises(UserError, match=message):
        ray_tasks.check_alike(ray_tasks.parts_of(attacker(settings, **changes)), expected, "mars")


@pytest.mark.parametrize("name", ["model", "masked-lm"])
def test_a_node_without_a_folder_names_it(settings, tmp_path, name):
    driver = attacker(settings)
    whole = ray_tasks._for_other_machines(settings)
    (tmp_path / name).rmdir()
    message = f"node {platform.node()} has no folder {tmp_path / name};"
    with pytest.raises(UserError, match=message):
        list(ray_tasks._attack_share(whole, ray_tasks.parts_of(driver), SAMPLES, None))
