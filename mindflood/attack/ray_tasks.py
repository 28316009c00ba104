"""Shares of an attack as tasks of a Ray cluster; their records come back one by one."""

import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ray

from mindflood.attack.samples import AttackSettings, SampleAttacker
from mindflood.attack.workers import Records, Sample, attack_here
from mindflood.errors import UserError


def attack_with_ray(settings: AttackSettings, samples: Sequence[Sample], tasks: int) -> Records:
    """Records of ``samples`` from ``tasks`` Ray tasks, each as it is finished, in any order.

    The cluster is the one that ``RAY_ADDRESS`` names or that runs on this machine, else one is
    started here. Every node needs this package, and a model folder under the same path. A task
    takes one GPU where the cluster has any.

    Raises:
        UserError: there is no cluster at ``RAY_ADDRESS``, or a task was lost, with its node or for
            its memory.
    """
    _connect()
    share = ray.remote(max_retries=0, num_gpus=1 if ray.cluster_resources().get("GPU") else 0)(
        _attack_share
    )
    if Path(settings.model).is_dir():
        settings = dataclasses.replace(settings, model=str(Path(settings.model).resolve()))
    count = min(tasks, len(samples))
    running = [share.remote(settings, samples[at::count]) for at in range(count)]
    try:
        while running:
            (ready,), waiting = ray.wait(running, num_returns=1)
            record = next(ready, None)
            running = waiting if record is None else [*waiting, ready]  # each gets its turn
            if record is not None:
                yield ray.get(record)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error  # what the share itself raised
    except ray.exceptions.RayError as error:
        raise UserError(
            f"--ray: a task was lost ({type(error).__name__}), perhaps with its node or for want "
            "of memory; the same command continues"
        ) from error
    finally:
        for task in running:
            ray.cancel(task, force=True)


def _connect() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told who attacks what
    try:
        ray.init(
            ignore_reinit_error=True,
            log_to_driver=False,
            include_dashboard=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray raises it bare where a cluster does not start in time
        said = " ".join(str(error).split())[:200]
        raise UserError(
            f"--ray: no cluster to be had: {said}; check RAY_ADDRESS, or start one with 'ray start'"
        ) from error


def _attack_share(settings: AttackSettings, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    yield from attack_here(SampleAttacker(settings), samples)
