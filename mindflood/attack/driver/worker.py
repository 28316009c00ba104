"""What an attack worker does; :mod:`mindflood.attack.driver.worker_process` begins it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.driver.side_by_side import Sample, attack_here, suited
from mindflood.config.attack import AttackSettings
from mindflood.errors import UserError

MEMORY = (
    "perhaps for want of memory; run the same command with fewer --workers: it continues where it "
    "was"
)


def work(
    settings: AttackSettings,
    taken: Any,
    at_once: int | None,
    number: int,
    threads: int,
    pipe: Any,
) -> None:
    """A worker process: attacks what it is sent, or sends why it cannot."""
    torch.set_num_threads(threads)
    try:
        _take_gpu(number)
        _attack_what_comes(settings, taken, at_once, pipe)
    except Exception as error:  # the parent has loaded the same models: here they may not fit
        if not isinstance(error, UserError):
            said = f"{type(error).__name__}: {error}"[:300]
            error = UserError(f"an attack worker could not go on: {said}; {MEMORY}")
        with contextlib.suppress(BrokenPipeError):  # a parent that is gone needs no reason
            pipe.send(error)


def _take_gpu(number: int) -> None:
    """Make one of the GPUs, where there are some, the one that this process calls ``cuda``."""
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())


def _attack_what_comes(
    settings: AttackSettings, taken: Any, at_once: int | None, pipe: Any
) -> None:
    """Attack the next sample that no worker has taken, until all are, of each lot that comes."""
    attacker = SampleAttacker(settings)
    while True:
        samples, share = pipe.recv()
        most = min(share, at_once or suited(attacker))  # else one worker would take all of a few
        for record in attack_here(attacker, _not_taken(samples, taken), most):
            pipe.send(record)
        pipe.send(None)


def _not_taken(samples: Sequence[Sample], taken: Any) -> Iterator[Sample]:
    while True:
        with taken.get_lock():
            number = taken.value
            taken.value += 1
        if number >= len(samples):
            return
        yield samples[number]
