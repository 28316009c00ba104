"""Shares of an attack as tasks of a Ray cluster; their records come back one by one."""

import dataclasses
import logging
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.driver.side_by_side import Records, Sample, attack_here
from mindflood.config.attack import AttackSettings
from mindflood.errors import UserError


def attack_with_ray(
    attacker: SampleAttacker, samples: Sequence[Sample], tasks: int, at_once: int | None = None
) -> Records:
    """Records of ``samples`` from ``tasks`` Ray tasks, each as it is finished, in any order.

    The cluster is the one that ``RAY_ADDRESS`` names or that runs on this machine, else one is
    started here. Every node needs this package with the same resources (for ``paper``, NLTK's data)
    and the folders of the model and of the masked language model under the same paths: a node whose
    model or recipe is another attacks nothing. A task takes one GPU where the cluster has any.

    Args:
        attacker: the attack as it is built on this machine.
        at_once: most samples in work in a task; None takes what suits its device.

    Raises:
        UserError: there is no cluster at ``RAY_ADDRESS``, a node lacks a folder or has another
            recipe, or a task was lost, with its node or for its memory.
    """
    _connect()
    share = ray.remote(max_retries=0, num_gpus=1 if ray.cluster_resources().get("GPU") else 0)(
        _attack_share
    )
    settings, expected = _for_other_machines(attacker.settings), parts_of(attacker)
    count = min(tasks, len(samples))
    running = [share.remote(settings, expected, samples[at::count], at_once) for at in range(count)]
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


def _for_other_machines(settings: AttackSettings) -> AttackSettings:
    """The same with whole paths: a task has a working folder of its own."""
    model, masked_lm = settings.model, settings.masked_lm
    if masked_lm is not None:
        masked_lm = str(Path(masked_lm).resolve())
    if Path(model).is_dir():
        model = str(Path(model).resolve())
    return dataclasses.replace(settings, model=model, masked_lm=masked_lm)


def parts_of(attacker: SampleAttacker) -> dict[str, Any]:
    """What has to be the same on every node, by its name."""
    return {
        "model": attacker.victim.fingerprint,
        "replaced parts": "; ".join(attacker.recipe.replaced_components) or "none",
        "recipe": attacker.recipe.fingerprint,
    }


def check_alike(found: Mapping[str, Any], expected: Mapping[str, Any], node: str) -> None:
    """Refuse a node whose attack is another than the driver's; ``found``: its :func:`parts_of`.

    Raises:
        UserError: naming the node and the first part that differs.
    """
    for part, value in expected.items():
        if found[part] != value:
            raise UserError(
                f"--ray: node {node} has another attack: {part}: {found[part]}, expected {value}; "
                "give every node the same packages, NLTK data and folders"
            )


def _attack_share(
    settings: AttackSettings,
    expected: Mapping[str, Any],
    samples: Sequence[Sample],
    at_once: int | None,
) -> Iterator[dict[str, Any]]:
    """A task, on its node."""
    node = platform.node()
    for folder in (settings.model, settings.masked_lm):
        if folder is not None and Path(folder).is_absolute() and not Path(folder).is_dir():
            raise UserError(
                f"--ray: node {node} has no folder {folder}; put it where every node reads it "
                "under the same path"
            )
    attacker = SampleAttacker(settings)
    check_alike(parts_of(attacker), expected, node)
    yield from attack_here(attacker, samples, at_once)
