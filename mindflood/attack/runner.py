"""Attack a model on a task's examples, one record a sample, and summarise it in the card."""

import contextlib
import dataclasses
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.attack.chosen import (
    SHARE_CARD,
    ChosenRows,
    Share,
    check_ray,
    chosen_rows,
    is_share_of_training,
)
from mindflood.attack.held_out import check_meant, held_out_rows
from mindflood.attack.resources.downloads import check_available
from mindflood.attack.resources.masked_lm_folder import masked_lm_folder
from mindflood.attack.results.card import (
    card_of_stranger,
    card_path,
    check_model,
    check_origin,
    check_rows,
    check_task,
    lacks_accuracy,
)
from mindflood.attack.results.identity import (
    BEFORE,
    OF_THE_FOLDER,
    card_key,
    file_name,
    identity_of,
    results_name,
    settings_of,
    summary_of,
)
from mindflood.attack.results.journal import Journal, refuse_others
from mindflood.attack.results.progress import AttackProgress
from mindflood.attack.settings import (
    PAPER_CANDIDATES,
    AttackSettings,
    Budget,
    RecipeOptions,
    check_columns,
    check_options,
)
from mindflood.attack.victim.calibration import check_temperature
from mindflood.attack.victim.folder import check_within_reach, model_fingerprint, model_folder
from mindflood.cards.cards import merge_accuracy, merge_attack, merge_warnings, write_card
from mindflood.cards.degenerate import signs_of_degeneracy
from mindflood.cards.records import read_records
from mindflood.cards.schema import AttackSummary
from mindflood.config.recipes import RECIPES
from mindflood.config.settings import AttackSettings as AttackSection
from mindflood.data.class_names import own_label_names
from mindflood.data.sources import Examples
from mindflood.data.tasks import Split, Task, get_task
from mindflood.errors import UserError
from mindflood.files import check_writable
from mindflood.terminal import tell


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
    candidates: int | None = None,
    masked_lm: str | Path | None = None,
    columns: str = "both",
    shard: str | None = None,
    ray: bool = False,
    temperature: str | float | None = None,
    held_out: Split | None = None,
    max_queries: int | None = None,
    max_seconds: float | None = None,
    at_once: int | None = None,
) -> AttackSummary:
    """Attack a Hugging Face classifier; continues where an earlier, unfinished call stopped.

    Writes ``OUT/RECIPE.jsonl`` (one line a sample, as it finishes) and ``OUT/RECIPE.meta.json``
    (what decides the outcome), and puts the summary into the run's ``card.json`` where OUT is the
    ``attacks`` folder of a run, else into ``OUT/card.json``. The files of an attack on the
    calibrated victim begin with ``RECIPE-calibrated``; a share has its card in ``OUT/share.json``.

    Args:
        folder: the model, a RUN folder with an exported one, or a hub id.
        data: source of the examples, as :func:`mindflood.data.sources.load_examples` takes it. A
            file is attacked whole; the one that the model was trained on by itself, in its test
            rows.
        profile: ``offline`` or ``paper``.
        num_examples: size of the random sample; None takes the task's own, as in the paper, or
            all of a file.
        split: None takes the split the paper attacks, or all of a file.
        seed: decides the sample and, with a sample's row, the attack's random choices.
        workers: number of processes; the outcome does not depend on it.
        allow_pickles: TextAttack may load the ``paper`` profile's downloads that are pickles.
        candidates: K of BERT-Attack; None takes the paper's.
        masked_lm: folder of the masked language model that the offline BERT-Attack and BAE ask;
            None takes the one of the task's training text, which is made where the cache lacks it.
        columns: which texts of a pair may change: ``both``, ``first`` or ``second``.
        shard: ``i/n`` attacks the i-th of n shares, for
            :func:`mindflood.attack.results.merge.merge_shares`.
        ray: the workers are tasks of a Ray cluster in place of processes.
        temperature: attacks the victim with its logits divided by it (Raina et al. 2024): a number,
            ``fitted`` to held-out rows, or the ``weakest`` of several on held-out rows.
        held_out: the split of those rows (``dev``); none of them is attacked.
        max_queries, max_seconds: most that one sample may cost
            (:class:`mindflood.attack.settings.Budget`); None: no limit.
        at_once: samples attacked side by side in a process; None takes what suits the device. The
            outcome does not depend on it.

    Returns:
        The summary in the card: :func:`mindflood.attack.results.identity.summary_of`.

    Raises:
        UserError: anything of the above is unknown, missing or of another attack.
    """
    _check_numbers(seed, workers, at_once)
    table = get_task(task)
    check_available(recipe, profile, allow_pickles=allow_pickles)
    check_options(recipe, profile, candidates, masked_lm)
    if max_queries is None:
        max_queries = RECIPES[recipe].default_query_budget
    budget = Budget(max_queries, max_seconds)
    changing = check_columns(table, columns)
    wanted = None if temperature is None else check_temperature(temperature)
    check_meant(held_out, wanted)
    if ray:
        check_ray()
    model = model_folder(folder)
    check_within_reach(model)
    check_origin(model, table)
    share = None if shard is None else Share.parse(shard)
    reading: dict[str, Any] = {
        "whole_file": split is None and not is_share_of_training(model, data),
        "own_names": own_label_names(model),
    }
    sample = chosen_rows(table, split, data, num_examples, seed, share, **reading)
    unseen = None
    if isinstance(wanted, str):
        unseen = held_out_rows(table, held_out, data, sample.examples, seed, **reading)
    out = Path(out)
    card = card_path(out) if share is None else out / SHARE_CARD
    _check_card(card, out, model, task, sample)
    options = RecipeOptions(allow_pickles, candidates or PAPER_CANDIDATES)
    settings = AttackSettings(model, table, recipe, profile, seed, options, budget, changing)
    name = results_name(recipe, calibrated=wanted is not None)
    refuse_others(out, name, settings_of(settings, sample), OF_THE_FOLDER)
    expected = {row: (texts, label) for row, texts, label in sample.attacked_here}
    read_records(out / f"{name}.jsonl", expected, table.num_labels)
    tell(f"attacking {sample.origin}")
    if profile == "offline" and RECIPES[recipe].asks_masked_lm:
        options = dataclasses.replace(options, masked_lm=masked_lm_folder(table, data, masked_lm))
        settings = dataclasses.replace(settings, options=options)
    # Only here: a mistake above is reported without waiting for TextAttack's import.
    tell("loading TextAttack and the model: up to a minute")
    from mindflood.attack.driver.sample import SampleAttacker
    from mindflood.attack.driver.temperature import calibrated

    calibration = None
    if wanted is not None:
        settings, calibration = calibrated(settings, wanted, unseen, out, workers)
    attacker = SampleAttacker(settings)
    identity = identity_of(attacker, sample, calibration)
    check_model(card, identity["model"])  # a hub's model has no fingerprint before it is loaded
    with Journal(out, file_name(identity), identity, OF_THE_FOLDER, expected) as journal:
        if not card.exists():
            write_card(card, card_of_stranger(task, model, identity["model"], sample.whole))
        done = {record["index"] for record in journal.records}
        todo = [row for row in sample.attacked_here if row[0] not in done]
        results = _attacked(attacker, todo, workers, at_once, ray)
        summary = _recorded(results, journal, card, identity, len(sample.attacked_here))
        for warning in summary.get("warnings", ()):
            tell(f"mindflood: warning: {warning}")
        # Last, so that an attack that is stopped and continued need not do it again.
        if lacks_accuracy(card) and (share is None or share.number == 1):
            for warning in _measured(attacker.victim, sample.whole, table, card):
                if f"{BEFORE}{warning}" not in summary.get("warnings", ()):
                    tell(f"mindflood: warning: {warning}")
    return summary


def _check_card(card: Path, out: Path, model: str, task: str, sample: ChosenRows) -> None:
    """Check that the summary may go into the card, and that files can be written beside it."""
    check_task(card, task)
    if Path(model).is_dir():
        check_model(card, model_fingerprint(Path(model)))
    check_rows(card, out, sample.whole.fingerprint(), sample.origin)
    check_writable(out)


def _measured(victim: Any, examples: Examples, task: Task, card: Path) -> list[str]:
    """Put the accuracy of a model from elsewhere into its card; returns what makes it doubtful."""
    from mindflood.attack.results.accuracy import predictions

    found = predictions(victim, examples)
    if warnings := signs_of_degeneracy(found, examples.labels, task.label_names):
        merge_warnings(card, warnings)
    merge_accuracy(card, float(np.mean(found == examples.labels)))
    return warnings


def _check_numbers(seed: int, workers: int, at_once: int | None) -> None:
    if seed < 0 or workers < 1:
        raise UserError(f"--seed {seed}, --workers {workers}: expected 0 or more, and 1 or more")
    if at_once is not None and at_once < 1:
        raise UserError(f"--at-once {at_once}: expected 1 or more")


def _attacked(
    attacker: Any, samples: list[Any], workers: int, at_once: int | None, ray: bool
) -> Generator[dict[str, Any], None, None]:
    """Records of ``samples``: from a Ray cluster, from processes, or from this one."""
    from mindflood.attack.driver.side_by_side import attack_here
    from mindflood.attack.driver.workers import attack_in_workers

    if ray and samples:
        from mindflood.attack.driver.ray_tasks import attack_with_ray

        return attack_with_ray(attacker, samples, workers, at_once)
    if workers > 1 and len(samples) > 1:
        return attack_in_workers(attacker.settings, samples, workers, at_once)
    return attack_here(attacker, samples, at_once)


def _recorded(
    results: Generator[dict[str, Any], None, None],
    journal: Journal,
    card: Path,
    identity: dict[str, Any],
    total: int,
) -> AttackSummary:
    """Write each record as it comes, and the summary into the card at the end."""
    share = "" if identity["shard"] is None else f", share {identity['shard']}"
    title = f"{file_name(identity)} ({identity['profile']}) on {identity['task']}{share}"
    try:
        with (
            contextlib.closing(results),
            AttackProgress(title, total, journal.records) as progress,
        ):
            for record in results:
                journal.append(record)
                progress.add(record)
    finally:  # also when it is interrupted, even between a write and its note: what is on the disk
        summary = summary_of(journal.read(), identity)
        merge_attack(card, card_key(identity), summary)
    return summary


def check_held_out(task: Task, settings: AttackSection, data: str | None) -> None:
    """Check that an attack leaves rows to choose a temperature on.

    Args:
        settings: the ``attack:`` section of a config.

    Raises:
        UserError: it leaves too few.
    """
    sample = chosen_rows(task, None, data, settings.num_examples, settings.seed)
    held_out_rows(task, settings.held_out, data, sample.examples, settings.seed)
