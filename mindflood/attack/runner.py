"""Attack a model on a task's examples, one record a sample, and summarise it in the card."""

import contextlib
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.budget import Budget
from mindflood.attack.catalogue import check_available
from mindflood.attack.folder import check_within_reach, model_folder
from mindflood.attack.journal import Journal
from mindflood.attack.metrics import summarise
from mindflood.attack.progress import AttackProgress
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import Split, Task, get_task
from mindflood.errors import UserError
from mindflood.files import check_writable
from mindflood.report.cards import Card, merge_attack, new_card, read_card, write_card
from mindflood.report.schema import attack_key

_OF_THE_MODEL = ("model", "task")  # all attacks of one folder agree in these


def attack(
    folder: str | Path,
    task: str,
    recipe: str,
    out: str | Path,
    *,
    data: str | None = None,
    profile: str = "offline",
    num_examples: int | None = None,
    split: Split | None = None,
    seed: int = 0,
    workers: int = 1,
    allow_pickles: bool = False,
    max_queries: int | None = None,
    max_seconds: float | None = None,
    at_once: int | None = None,
) -> dict[str, Any]:
    """Attack a Hugging Face classifier; continues where an earlier, unfinished call stopped.

    Writes ``OUT/RECIPE.jsonl`` (one line a sample, as it finishes) and ``OUT/RECIPE.meta.json``
    (what decides the outcome), and puts the summary into the run's ``card.json`` where OUT is the
    ``attacks`` folder of a run, else into ``OUT/card.json``.

    Args:
        folder: the model, a RUN folder with an exported one, or a hub id.
        data: source of the examples, as :func:`mindflood.data.sources.load_examples` takes it.
        profile: ``offline`` or ``paper``.
        num_examples: size of the random sample; None takes the task's own, as in the paper.
        split: None takes the split the paper attacks.
        seed: decides the sample and, with a sample's row, the attack's random choices.
        workers: number of processes; the outcome does not depend on it.
        allow_pickles: TextAttack may load the ``paper`` profile's downloads that are pickles.
        max_queries, max_seconds: most that one sample may cost
            (:class:`mindflood.attack.budget.Budget`); None: no limit.
        at_once: samples attacked side by side in a process; None takes what suits the device. The
            outcome does not depend on it.

    Returns:
        The summary in the card: :func:`mindflood.attack.metrics.summarise` with ``fingerprint``,
        ``replaced``, ``seed``, ``max_queries``, ``max_seconds`` and ``requested`` (number of
        samples a finished attack has).

    Raises:
        UserError: anything of the above is unknown, missing or of another attack.
    """
    if seed < 0 or workers < 1:
        raise UserError(f"--seed {seed}, --workers {workers}: expected 0 or more, and 1 or more")
    if at_once is not None and at_once < 1:
        raise UserError(f"--at-once {at_once}: expected 1 or more")
    budget = Budget(max_queries, max_seconds)
    table = get_task(task)
    check_available(recipe, profile, allow_pickles=allow_pickles)
    model = model_folder(folder)
    check_within_reach(model)
    split = split or table.attacked_split
    whole = load_examples(table, split, data)
    rows = choose_rows(len(whole), table, num_examples, seed)
    out = Path(out)
    card = _card_path(out)
    _check_card(card, task)
    check_writable(out)
    # Only here: a mistake above is reported without waiting for TextAttack's import.
    print("loading TextAttack and the model: up to a minute", file=sys.stderr, flush=True)
    from mindflood.attack.samples import AttackSettings, SampleAttacker
    from mindflood.attack.workers import attack_here, attack_in_workers

    settings = AttackSettings(model, table, recipe, profile, seed, allow_pickles, budget)
    attacker = SampleAttacker(settings)
    identity = {
        "model": attacker.victim.fingerprint,
        "task": task,
        "split": split,
        "examples": _examples_fingerprint(whole.take(rows)),
        "num_examples": len(rows),
        "seed": seed,
        "recipe": recipe,
        "profile": profile,
        "fingerprint": budget.fingerprint(attacker.recipe.fingerprint),
        **budget.settings,
        "replaced": list(attacker.recipe.replaced_components),
    }
    with Journal(out, recipe, identity, _OF_THE_MODEL) as journal:
        if not card.exists():
            write_card(card, _card_of_stranger(table, attacker.victim, whole))
        done = {record["index"] for record in journal.records}
        todo = [
            (row, whole.texts[row], int(whole.labels[row]))
            for row in map(int, rows)
            if row not in done
        ]
        if workers > 1 and len(todo) > 1:
            results = attack_in_workers(settings, todo, workers, at_once)
        else:
            results = attack_here(attacker, todo, at_once)
        title = f"{recipe} ({profile}) on {table.name}"
        try:
            with (
                contextlib.closing(results),
                AttackProgress(title, len(rows), journal.records) as progress,
            ):
                for record in results:
                    journal.append(record)
                    progress.add(record)
        finally:  # also when it is interrupted: a card of what is done so far
            summary = summarise(journal.records) | {
                "fingerprint": identity["fingerprint"],
                "replaced": identity["replaced"],
                **budget.settings,
                "seed": seed,
                "requested": len(rows),
            }
            merge_attack(card, attack_key(recipe, profile), summary)
    return summary


def choose_rows(total: int, task: Task, asked: int | None, seed: int) -> np.ndarray:
    """Rows of the sample that is attacked, ascending; all where the sample is that large.

    A smaller sample of the same seed is part of a larger one.

    Args:
        total: number of rows there are.
        asked: size of the sample; None takes the task's own.

    Returns:
        int64, each below ``total``, none twice.

    Raises:
        UserError: there is nothing to attack.
    """
    if asked is not None and asked < 1:
        raise UserError(f"--num-examples {asked}: expected 1 or more")
    if total == 0:
        raise UserError("the split that is attacked is empty; choose other data with --data")
    count = asked or task.attacked_examples or total
    return np.sort(np.random.default_rng(seed).permutation(total)[:count])


def _examples_fingerprint(examples: Examples) -> str:
    content = json.dumps([examples.texts, examples.labels.tolist()])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _card_path(out: Path) -> Path:
    """The run's card where ``out`` is its ``attacks`` folder, else a card in ``out``."""
    of_run = out.resolve().parent / "card.json"
    return of_run if out.resolve().name == "attacks" and of_run.exists() else out / "card.json"


def _check_card(path: Path, task: str) -> None:
    if path.exists() and (found := read_card(path)["task"]) != task:
        raise UserError(f"{path}: a card of task '{found}', not '{task}'; choose another --out")


def _card_of_stranger(task: Task, victim: Any, whole: Examples) -> Card:
    """The card of a model that was not trained here."""
    card = new_card(task=task.name, method="unknown", seed=None, encoder=Path(victim.folder).name)
    card["clean_accuracy"] = clean_accuracy(victim, whole)
    return card


def clean_accuracy(victim: Any, examples: Examples) -> float:
    """Share of ``examples`` that ``victim`` classifies right."""
    texts = [row[0] if len(row) == 1 else row for row in examples.texts]
    predicted = victim(texts).argmax(dim=1).numpy()
    return float(np.mean(predicted == examples.labels))
