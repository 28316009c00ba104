"""Samples attacked in this process or shared out among several; the outcome is the same."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any

from mindflood.attack.samples import AttackSettings, SampleAttacker
from mindflood.errors import UserError

Sample = tuple[int, Sequence[str], int]  # row, texts, label
Records = Generator[dict[str, Any], None, None]
_attacker: SampleAttacker | None = None  # a worker process's own


def attack_here(attacker: SampleAttacker, samples: Sequence[Sample]) -> Records:
    """Records of ``samples``, each as it is finished."""
    for sample in samples:
        yield attacker(*sample)


def attack_in_workers(settings: AttackSettings, samples: Sequence[Sample], workers: int) -> Records:
    """Records of ``samples`` from ``workers`` processes, each as it is finished, in any order.

    Raises:
        UserError: a worker was killed, most likely for its memory.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(
        min(workers, len(samples)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(settings, threads),
    )
    try:
        futures = [pool.submit(_attack_sample, sample) for sample in samples]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise UserError(
            f"one of the {workers} attack workers was killed, perhaps for want of memory; run the "
            "same command with fewer --workers: it continues where it was"
        ) from None
    finally:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # a sample in work is dropped: the next run attacks it again
            process.terminate()


def _start_worker(settings: AttackSettings, threads: int) -> None:
    global _attacker
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _attacker = SampleAttacker(settings)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers: they watch it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _attack_sample(sample: Sample) -> dict[str, Any]:
    assert _attacker is not None, "the pool's initializer has run"
    return _attacker(*sample)
