"""Samples attacked in several processes; the outcome is that of one."""

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from typing_extensions import Self

from mindflood.attack.driver.side_by_side import Records, Sample
from mindflood.attack.driver.worker import MEMORY
from mindflood.attack.driver.worker_process import begin
from mindflood.config.attack import AttackSettings
from mindflood.errors import UserError
from mindflood.process import usable_cores


class Workers:
    """Processes that attack samples, each with its own models; they end with the ``with``.

    Args:
        settings: what decides the outcome.
        count: number of processes; they share the cores, and the GPUs where there are some.
        at_once: most samples in work in each; None takes what suits the victim's device.
    """

    def __init__(self, settings: AttackSettings, count: int, at_once: int | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        threads = max(1, usable_cores() // count)
        # Also starts the tracker of shared resources, which would let Ctrl-C through below.
        self._taken = context.Value("l", 0)
        self._processes: list[Any] = []
        self._pipes: list[Any] = []
        with _interrupts_later():
            for number in range(count):
                ours, theirs = context.Pipe()
                arguments = (settings, self._taken, at_once, number, threads, theirs)
                # A daemon is ended with this process, also by an interrupt before the ``with``.
                process = context.Process(target=begin, args=arguments, daemon=True)
                process.start()
                self._processes.append(process)
                theirs.close()
                self._pipes.append(ours)

    def attack(self, samples: Sequence[Sample]) -> Records:
        """Records of ``samples``, each as it is finished, in any order.

        Raises:
            UserError: a worker was killed, most likely for its memory, or could not go on.
        """
        self._taken.value = 0
        try:
            for pipe in self._pipes:
                pipe.send((samples, -(-len(samples) // len(self._pipes))))
            yield from self._records()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise UserError(
                f"one of the {len(self._pipes)} attack workers was killed, {MEMORY}"
            ) from None

    def _records(self) -> Records:
        """What the workers send, until each has said that it is done."""
        at_work = list(self._pipes)
        while at_work:
            ready: list[Any] = wait(at_work)
            for pipe in ready:
                if (record := pipe.recv()) is None:
                    at_work.remove(pipe)
                elif isinstance(record, UserError):
                    raise record
                else:
                    yield record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:  # a sample in work is dropped: it is attacked again
            process.terminate()
            process.join()


def attack_in_workers(
    settings: AttackSettings, samples: Sequence[Sample], workers: int, at_once: int | None = None
) -> Records:
    """Records of ``samples`` from ``workers`` processes, as :class:`Workers` gives them."""
    with Workers(settings, min(workers, len(samples)), at_once) as processes:
        yield from processes.attack(samples)


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C waits until this is over; a process that is started within never gets it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
