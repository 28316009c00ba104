"""Training rows attacked until enough of them fool the model (A2T: Yoo & Qi 2021, algorithm 1).

``mindflood attack RUN --training-rows E`` attacks the model at the beginning of epoch E, in the
folder ``RUN/adversarial/epoch-E``: its journal is an attack's, and ``kept.jsonl`` has the rows that
the epoch trains on. The rows come in an order of the seed, and those kept are the first that
succeed in that order: what runs beside what changes nothing.
"""

import contextlib
import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.chosen import check_ray
from mindflood.attack.resources.masked_lm_folder import masked_lm_folder
from mindflood.attack.results.identity import examples_fingerprint
from mindflood.attack.results.journal import Journal
from mindflood.attack.results.progress import AttackProgress
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.config.load import from_yaml
from mindflood.config.recipes import RECIPES
from mindflood.config.settings import Config
from mindflood.data.own import own_record
from mindflood.files import write_json, write_text
from mindflood.terminal import tell
from mindflood.training.adversarial_rows import KEPT, SUMMARY, round_folder, wanted_of
from mindflood.training.dataset import rows_of

Sample = tuple[int, tuple[str, ...], int]  # row, texts, label
Record = dict[str, Any]
_LEAST_OF_A_LOT = 16  # rows a worker attacks before the successes are counted again


def attack_training_rows(run: Path, epoch: int) -> None:
    """Attack rows of a run on the model that begins an epoch (from 1), as its config says.

    Continues where an earlier call stopped: no row is attacked twice.

    Raises:
        UserError: the folder's results are of another attack, or the recipe cannot be built.
    """
    config = from_yaml(run / "config.yaml")
    folder, rows = round_folder(run, epoch), rows_of(config).train
    settings = config.attack_to_train(folder / "model", config.task.data)
    if settings.ray:
        check_ray("adversarial.ray")
    if settings.profile == "offline" and RECIPES[settings.recipe].asks_masked_lm:
        key = "adversarial.masked_lm"
        asked = masked_lm_folder(settings.task, settings.data, settings.masked_lm, key)
        settings = dataclasses.replace(settings, masked_lm=str(asked))
    order = np.random.default_rng([config.seed, epoch, len(rows)]).permutation(len(rows))
    samples = [(int(row), rows.texts[row], int(rows.labels[row])) for row in order]
    tell(f"epoch {epoch}: attacking training rows with {settings.recipe}")
    from mindflood.attack.driver.sample import SampleAttacker  # PyTorch and TextAttack

    attacker = SampleAttacker(settings)
    own = own_record(settings.task)
    identity = {
        "task": settings.task.name,
        **({} if own is None else {"own_data": own}),
        "recipe": settings.recipe,
        "profile": settings.profile,
        "seed": settings.seed,
        "max_queries": settings.max_queries,
        "model": model_fingerprint(folder / "model"),
        "examples": examples_fingerprint(rows),
        "fingerprint": settings.fingerprint(attacker.recipe.fingerprint),
        "replaced": list(attacker.recipe.replaced_components),
    }
    expected = {row: (texts, label) for row, texts, label in samples}
    wanted = wanted_of(config.adversarial.gamma, len(rows))
    with Journal(folder, settings.recipe, identity, (), expected) as journal:
        _until(wanted, samples, journal, attacker, f"{config.method}, epoch {epoch}")
        _keep(folder, config, epoch, wanted, samples, journal.read(), identity)


def first_successes(
    wanted: int, samples: Sequence[Sample], records: Sequence[Record]
) -> list[Record]:
    """The records of the first ``wanted`` rows, at most, that succeeded, in the samples' order.

    Rows behind one that has no record yet do not count: it may come before them.
    """
    done = {one["index"]: one for one in records}
    found: list[Record] = []
    for row, _, _ in samples:
        if row not in done or len(found) == wanted:
            break
        found += [done[row]] if done[row]["result"] == "succeeded" else []
    return found


def lots(
    wanted: int, samples: Sequence[Sample], records: Sequence[Record], least: int
) -> Iterator[list[Sample]]:
    """What to attack next, until enough rows have succeeded or none is left.

    As many rows as are sure to be needed, and at least ``least``, so that workers have to do.

    Args:
        records: of the rows that were attacked; those of a lot are there before the next is asked.
    """
    while (needed := wanted - len(first_successes(wanted, samples, records))) > 0:
        done = {one["index"] for one in records}
        todo = [sample for sample in samples if sample[0] not in done]
        if not todo:
            return
        yield todo[: max(needed, least)]


def _until(
    wanted: int, samples: Sequence[Sample], journal: Journal, attacker: Any, title: str
) -> None:
    """Attack lot by lot; each record is in the journal as it comes."""
    least = _LEAST_OF_A_LOT * attacker.settings.workers
    with (
        _attacking(attacker) as attack,
        AttackProgress(title, len(samples), journal.records) as progress,
    ):
        for lot in lots(wanted, samples, journal.records, least):
            with contextlib.closing(attack(lot)) as records:
                for record in records:
                    journal.append(record)
                    progress.add(record)


@contextlib.contextmanager
def _attacking(attacker: Any) -> Iterator[Callable[[list[Sample]], Any]]:
    """What attacks a lot of rows: a Ray cluster, processes that live on, or this process."""
    settings = attacker.settings
    if settings.ray:
        from mindflood.attack.driver.ray_tasks import attack_with_ray

        yield lambda lot: attack_with_ray(attacker, lot, settings.workers, settings.at_once)
    elif settings.workers > 1:
        from mindflood.attack.driver.workers import Workers

        with Workers(settings, settings.workers, settings.at_once) as workers:
            yield workers.attack
    else:
        from mindflood.attack.driver.side_by_side import attack_here

        yield lambda lot: attack_here(attacker, lot, settings.at_once)


def _keep(
    folder: Path,
    config: Config,
    epoch: int,
    wanted: int,
    samples: list[Sample],
    records: list[dict[str, Any]],
    identity: dict[str, Any],
) -> None:
    """Write the rows that the epoch trains on, then, last, what the attack came to."""
    kept = first_successes(wanted, samples, records)
    counts = Counter(one["result"] for one in records)
    lines = (
        {"row": one["index"], "texts": one["perturbed"], "label": one["label"]} for one in kept
    )
    write_text(folder / KEPT, "".join(json.dumps(line) + "\n" for line in lines))
    if len(kept) < wanted:
        tell(
            f"epoch {epoch}: all {len(samples)} training rows are attacked, and {len(kept)} "
            f"succeeded of the {wanted} that adversarial.gamma {config.adversarial.gamma:g} asks "
            "for; the epoch trains on those"
        )
    summary = {
        "epoch": epoch,
        "wanted": wanted,
        "attacked": len(records),
        "kept": len(kept),
        "exhausted": len(kept) < wanted,
        "outcomes": dict(sorted(counts.items())),
        "queries": sum(one["queries"] for one in records),
        "sample_seconds": math.fsum(one["seconds"] for one in records),
        "fingerprint": identity["fingerprint"],
        "replaced": identity["replaced"],
    }
    write_json(folder / SUMMARY, summary)
