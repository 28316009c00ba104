"""Samples a second: mindflood's driver against TextAttack's own loop, one sample at a time.

    python tools/bench_attack.py MODEL --task sst2 --data FOLDER [--num-examples 24] [--rounds 3]

In one run, in turns, the same samples with the same recipe, other samples every round, by

- stock: TextAttack's loop, its HuggingFaceModelWrapper, which pads every query to the model's
  maximum length, and its SBERT constraint on the sentence encoder of the recipe;
- dynamic: the same with mindflood's victim, which pads little;
- sequential: TextAttack's loop with mindflood's victim and mindflood's constraint, which encodes no
  text twice and none that is shorter than its window;
- driver: the same two, samples side by side in --workers processes.

All but the driver have all cores for each forward pass, and remember nothing of each other. Loading
models is in no time; the rates are medians over the rounds.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from records import Sheet, add_option, numbers, words

from mindflood.attack.chosen import choose_rows
from mindflood.attack.driver.sample import (
    from_result,
    seed_sample,
    textattack_input,
)
from mindflood.attack.driver.side_by_side import Sample
from mindflood.attack.driver.workers import Workers
from mindflood.attack.recipes import build_recipe, parts
from mindflood.attack.swaps.constraints import SentenceSimilarity
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import AttackSettings
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.files import user_path
from mindflood.process import usable_cores

Records = list[dict[str, Any]]
Way = Callable[[Sequence[Sample]], Records]


class Measured(NamedTuple):
    """One round of one way: its time, the samples' records and the GPU's utilisation."""

    seconds: float
    records: Records
    busy: float | None


def main() -> int:
    """Time all four in turns and print the table; 2 for a user's mistake, which is one line."""
    arguments = _arguments()
    try:
        _race(arguments)
    except UserError as error:
        print(f"bench_attack: error: {error}", file=sys.stderr)
        return 2
    return 0


def _race(arguments: argparse.Namespace) -> None:
    for option in ("num_examples", "rounds", "workers"):
        if (number := getattr(arguments, option)) < 1:
            raise UserError(f"--{option.replace('_', '-')} {number}: expected 1 or more")
    task = get_task(arguments.task)
    examples = load_examples(task, task.attacked_split, arguments.data)
    wanted = arguments.num_examples * arguments.rounds + arguments.workers
    rows = choose_rows(len(examples), task, wanted, arguments.seed)
    samples: list[Sample] = [
        (int(row), examples.texts[row], int(examples.labels[row])) for row in rows
    ]
    rounds, warm_up = _shared_out(samples, arguments.rounds, arguments.workers)
    settings = AttackSettings(
        model=arguments.model, task=task, recipe=arguments.recipe, profile=arguments.profile,
        seed=arguments.seed, masked_lm=arguments.masked_lm,
    )  # fmt: skip
    torch.set_num_threads(usable_cores())
    victim = Victim(settings.model, num_labels=task.num_labels)
    with Workers(settings, arguments.workers) as workers:
        ways: dict[str, Callable[[], Way]] = {
            "stock": lambda: _one_at_a_time(settings, _stock_wrapper(victim), _with_sbert),
            "dynamic": lambda: _one_at_a_time(settings, victim, _with_sbert),
            "sequential": lambda: _one_at_a_time(settings, victim),
            "driver": lambda: lambda some: list(workers.attack(some)),
        }
        measured: dict[str, list[Measured]] = {name: [] for name in ways}
        for number, some in enumerate([warm_up, *rounds]):
            for name, way in ways.items():
                one = _measured(way(), some)
                if number > 0:  # before that models are loaded and memory is taken
                    measured[name].append(one)
    _print(measured, arguments)


def _shared_out(
    samples: list[Sample], rounds: int, workers: int
) -> tuple[list[list[Sample]], list[Sample]]:
    """As many samples a round as there are for all, and a few before them."""
    each = (len(samples) - workers) // rounds
    if each < 1:
        raise UserError(
            f"--data: {len(samples)} samples are too few for {rounds} rounds and {workers} workers "
            "that begin with one each; lower --rounds or --workers"
        )
    kept = samples[workers:]
    return [kept[n * each : (n + 1) * each] for n in range(rounds)], samples[:workers]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL", help="Hugging Face folder of a classifier")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--data", help="folder with the task's examples")
    parser.add_argument("--recipe", default="textfooler", help="one that makes no random choice")
    parser.add_argument("--profile", default="offline")
    parser.add_argument(
        "--masked-lm", type=user_path, metavar="FOLDER", help="of bert-attack, bae, a2t-mlm"
    )
    parser.add_argument("--num-examples", type=int, default=24, help="a round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=min(8, usable_cores()))
    add_option(parser)
    return parser.parse_args()


def _stock_wrapper(victim: Victim) -> Any:
    return textattack.models.wrappers.HuggingFaceModelWrapper(victim.model, victim.tokenizer)


def _with_sbert(attack: Any) -> None:
    """Put TextAttack's constraint, with the same encoder and settings, in mindflood's place."""
    for number, constraint in enumerate(attack.constraints):
        if isinstance(constraint, SentenceSimilarity):
            sbert = _sbert(str(constraint.vectors.folder))
            settings = {k: v for k, v in vars(constraint).items() if k != "vectors"}
            vars(sbert).update(settings)
            attack.constraints[number] = sbert


@cache
def _sbert(folder: str) -> Any:
    return textattack.constraints.semantics.sentence_encoders.SBERT(model_name=folder)


def _one_at_a_time(
    settings: AttackSettings, wrapper: Any, change: Callable[[Any], None] = lambda attack: None
) -> Way:
    """TextAttack's loop over samples, as its ``Attacker`` does it without its logs."""
    parts.sentence_vectors.cache_clear()  # it remembers the sentences of the way before
    recipe = build_recipe(settings.recipe, settings.profile, wrapper, settings)
    attack = recipe.attack
    change(attack)

    def run(samples: Sequence[Sample]) -> Records:
        records = []
        for index, texts, label in samples:
            seed_sample(settings.seed, index)
            text = textattack_input(settings.task, texts)
            records.append({"index": index} | from_result(attack.attack(text, label)))
        return records

    return run


def _measured(way: Way, samples: Sequence[Sample]) -> Measured:
    gauge = Gauge()
    started = time.perf_counter()
    records = way(samples)
    seconds = time.perf_counter() - started
    return Measured(seconds, records, gauge.stop())


class Gauge:
    """Samples the utilisation of the first GPU until it is stopped."""

    def __init__(self) -> None:
        self._readings: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if torch.cuda.is_available() and shutil.which("nvidia-smi"):
            self._thread.start()

    def _read(self) -> None:
        asked = ["nvidia-smi", "-i", "0", "--query-gpu=utilization.gpu"]
        while not self._stopped.wait(0.5):
            told = subprocess.run(
                [*asked, "--format=csv,noheader,nounits"],
                capture_output=True,
                text=True,
                check=True,
            )
            self._readings.append(float(told.stdout))

    def stop(self) -> float | None:
        """The mean utilisation in percent; None where there is no GPU or it was too short."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        return statistics.mean(self._readings) if self._readings else None


def _print(measured: dict[str, list[Measured]], arguments: argparse.Namespace) -> None:
    rates = {
        name: [len(one.records) / one.seconds for one in rounds]
        for name, rounds in measured.items()
    }
    median = {name: statistics.median(values) for name, values in rates.items()}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    sheet = Sheet("attack", _COLUMNS, packages=_PACKAGES, accelerator=device)
    expected = _outcomes(measured["sequential"])
    differing: list[str] = []
    for name, rounds in measured.items():
        busy = [one.busy for one in rounds if one.busy is not None]
        found = _outcomes(rounds)
        differ = [index for index in expected if found[index] != expected[index]]
        differing += [f"row {i}: {name} {found[i]}; sequential {expected[i]}" for i in differ]
        sheet.add(
            name,
            median[name],
            median["driver"] / median[name],
            statistics.mean(busy) if busy else None,
            len(expected),
            len(expected) - len(differ),
        )
    print(*differing, sep="\n")
    sheet.keep(arguments.record)


_PACKAGES = ("torch", "transformers", "textattack")
_COLUMNS = (
    words("way"),
    numbers("samples a second (median)", 3),
    numbers("the driver is faster by", 2),
    numbers("GPU busy%", 0),
    numbers("samples", 0),
    numbers("outcomes as sequential's", 0),
)


def _outcomes(rounds: list[Measured]) -> dict[int, tuple[Any, ...]]:
    named = {"untouched": "failed"}  # TextAttack does not tell these apart
    return {
        record["index"]: (
            named.get(record["result"], record["result"]),
            record["queries"],
            str(record.get("perturbed")),
        )
        for one in rounds
        for record in one.records
    }


if __name__ == "__main__":  # its workers import this file again
    sys.exit(main())
