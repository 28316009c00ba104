"""Samples attacked side by side in this process, or in several; the outcome is the same."""

import contextlib
import math
import multiprocessing
import signal
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

import torch

from mindflood.attack.hub import run_searches
from mindflood.attack.samples import AttackSettings, SampleAttacker, words_of
from mindflood.attack.search import Task
from mindflood.attack.words import remembered_words
from mindflood.attack.worker_process import begin
from mindflood.cores import usable_cores
from mindflood.errors import UserError

Sample = tuple[int, Sequence[str], int]  # row, texts, label
Records = Generator[dict[str, Any], None, None]

_AT_ONCE = {"cpu": 16, "cuda": 64}  # samples: with more, no batch is fuller
_MEMORY = (
    "perhaps for want of memory; run the same command with fewer --workers: it continues where it "
    "was"
)
_WORDS_AT_ONCE = {"cpu": 1024, "cuda": 2**14}  # of all samples in work, for their memory


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
        at_once=at_once or suited(attacker),
        max_size=_WORDS_AT_ONCE.get(device, _WORDS_AT_ONCE["cpu"]),
        max_seconds=attacker.settings.budget.max_seconds or math.inf,
    )
    with remembered_words(), contextlib.closing(searches):
        for search in searches:
            yield search.result | {"seconds": round(search.seconds, 4)}


def suited(attacker: SampleAttacker) -> int:
    """Number of samples in work that suits the victim's device."""
    return _AT_ONCE.get(attacker.victim.device.type, _AT_ONCE["cpu"])


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
                f"one of the {len(self._pipes)} attack workers was killed, {_MEMORY}"
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
            error = UserError(f"an attack worker could not go on: {said}; {_MEMORY}")
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
