"""Samples attacked side by side in this process, or in several; the outcome is the same."""

import contextlib
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from mindflood.attack.hub import run_searches
from mindflood.attack.samples import AttackSettings, SampleAttacker, words_of
from mindflood.attack.search import Task
from mindflood.attack.words import remembered_words
from mindflood.errors import UserError

Sample = tuple[int, Sequence[str], int]  # row, texts, label
Records = Generator[dict[str, Any], None, None]

_AT_ONCE = {"cpu": 16, "cuda": 64}  # samples: with more, no batch is fuller
_WORDS_AT_ONCE = {"cpu": 1024, "cuda": 2**14}  # of all samples in work, for their memory
_context = multiprocessing.get_context("spawn")


def attack_here(
    attacker: SampleAttacker, samples: Iterable[Sample], at_once: int | None = None
) -> Records:
    """Records of ``samples``, each as it is finished, with ``seconds``: the sample's share.

    Args:
        at_once: most samples in work; None takes what suits the victim's device.
    """
    device = attacker.victim.device.type
    searches = run_searches(
        (Task(partial(attacker, *sample), words_of(sample[1])) for sample in samples),
        at_once=at_once or _AT_ONCE.get(device, 16),
        max_size=_WORDS_AT_ONCE.get(device, 1024),
        max_seconds=attacker.settings.budget.max_seconds or math.inf,
    )
    with remembered_words(), contextlib.closing(searches):
        for search in searches:
            yield search.result | {"seconds": round(search.seconds, 4)}


def attack_in_workers(
    settings: AttackSettings, samples: Sequence[Sample], workers: int, at_once: int | None = None
) -> Records:
    """Records of ``samples`` from ``workers`` processes, each as it is finished, in any order.

    Raises:
        UserError: a worker was killed, most likely for its memory.
    """
    workers = min(workers, len(samples))
    at_once = min(at_once or _AT_ONCE["cuda"], -(-len(samples) // workers))
    taken = _context.Value("l", 0)
    threads = max(1, (os.cpu_count() or 1) // workers)
    processes, pipes = [], []
    try:
        for _ in range(workers):
            ours, theirs = _context.Pipe(duplex=False)
            process = _context.Process(
                target=_work, args=(settings, samples, taken, at_once, threads, theirs)
            )
            process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
        yield from _received(pipes, workers)
    finally:
        for process in processes:  # a sample in work is dropped: the next run attacks it again
            process.terminate()
            process.join()


def _received(pipes: list[Any], workers: int) -> Records:
    """Records as they come, until each worker has said that it is done."""
    while pipes:
        ready: list[Any] = wait(pipes)
        for pipe in ready:
            try:
                record = pipe.recv()
            except EOFError:
                raise UserError(
                    f"one of the {workers} attack workers was killed, perhaps for want of memory; "
                    "run the same command with fewer --workers: it continues where it was"
                ) from None
            if record is None:
                pipes.remove(pipe)
            else:
                yield record


def _work(
    settings: AttackSettings,
    samples: Sequence[Sample],
    taken: Any,
    at_once: int,
    threads: int,
    results: Any,
) -> None:
    """A worker process: takes the next sample that none has, until all are taken."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    attacker = SampleAttacker(settings)
    for record in attack_here(attacker, _not_taken(samples, taken), at_once):
        results.send(record)
    results.send(None)


def _not_taken(samples: Sequence[Sample], taken: Any) -> Iterator[Sample]:
    while True:
        with taken.get_lock():
            number = taken.value
            taken.value += 1
        if number >= len(samples):
            return
        yield samples[number]


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers: they watch it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
