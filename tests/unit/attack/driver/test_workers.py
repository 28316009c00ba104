"""Workers share the cores that this process may use, and the GPUs."""

import multiprocessing
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
import torch

from mindflood.attack.driver import worker, workers
from mindflood.config.attack import AttackSettings
from mindflood.data.tasks import get_task
from mindflood.process import usable_cores


@pytest.fixture
def started(monkeypatch):
    """What the processes are told, which are started by none."""
    found = []

    def process(*, target, args, daemon):
        found.append(args)
        return SimpleNamespace(start=int, terminate=int, join=int)

    end = SimpleNamespace(close=int)
    context = SimpleNamespace(Value=lambda *_: None, Pipe=lambda: (end, end), Process=process)
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: context)
    return found


@pytest.mark.parametrize(("cores", "count", "threads"), [(5, 2, 2), (1, 3, 1), (64, 2, 32)])
def test_the_workers_share_the_cores_that_are_ours(started, monkeypatch, cores, count, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1000)
    settings = AttackSettings(model="model", task=get_task("sst2"), recipe="textfooler")
    with workers.Workers(settings, count):
        assert [(number, given) for *_, number, given, _ in started] == [
            (number, threads) for number in range(count)
        ]


PARENT = """
import time
from mindflood.config.attack import AttackSettings
from mindflood.attack.driver.workers import Workers
from mindflood.data.tasks import get_task

if __name__ == "__main__":
    with Workers(AttackSettings(model="model", task=get_task("sst2"), recipe="textfooler"), 2):
        print("started", flush=True)
        time.sleep(60)
"""


def test_workers_that_still_import_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout.readline() == b"started\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 2
    time.sleep(1)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=5)  # to import TextAttack takes longer
    assert not alive


def test_where_no_scheduler_gives_cores_all_are_ours(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6


def test_the_workers_take_the_gpus_in_turn(monkeypatch):
    taken = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    for number in range(4):
        worker._take_gpu(number)
    assert taken == [0, 1, 0, 1]


def test_without_a_gpu_none_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "set_device", pytest.fail)
    worker._take_gpu(1)
