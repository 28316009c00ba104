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
from mindflood.attack.held_out import held_out_rows
from mindflood.attack.resources.downloads import check_available
from mindflood.attack.resources.masked_lm_folder import masked_lm_folder
from mindflood.attack.results.card import (
    card_of_stranger,
    card_path,
    check_model,
    check_name,
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
from mindflood.attack.settings import asked, check_together
from mindflood.attack.victim.folder import check_within_reach, model_fingerprint, model_folder
from mindflood.cards.cards import merge_accuracy, merge_attack, merge_warnings, write_card
from mindflood.cards.degenerate import signs_of_degeneracy
from mindflood.cards.records import read_records
from mindflood.cards.schema import AttackSummary
from mindflood.config.attack import AttackSettings
from mindflood.config.recipes import RECIPES
from mindflood.data.class_names import check_label_count, own_label_names
from mindflood.data.own import with_model_labels
from mindflood.data.script import ENGLISH, is_foreign
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.files import check_writable
from mindflood.terminal import tell


def attack(
    folder: str | Path, task: str | Task, recipe: str, out: str | Path, **options: Any
) -> AttackSummary:
    """:func:`attack_as` with settings one by one.

    Args:
        folder: the model, a RUN folder with an exported one, or a hub id.
        task: a named one, or a user's own (:func:`mindflood.data.own.own_task`).
        options: other fields of :class:`mindflood.config.attack.AttackSettings`.

    Raises:
        UserError: as :func:`attack_as`; or a setting does not fit.
    """
    named: dict[str, Any] = {"model": str(folder), "task": task, "recipe": recipe}
    return attack_as(asked(named | options), Path(out))


def attack_as(settings: AttackSettings, out: Path) -> AttackSummary:
    """Attack a Hugging Face classifier; continues where an earlier, unfinished call stopped.

    Writes ``OUT/RECIPE.jsonl`` (one line a sample, as it finishes) and ``OUT/RECIPE.meta.json``
    (what decides the outcome), and puts the summary into the run's ``card.json`` where OUT is the
    ``attacks`` folder of a run, else into ``OUT/card.json``. The files of an attack on the
    calibrated victim begin with ``RECIPE-calibrated``; a share has its card in ``OUT/share.json``.

    A file of examples is attacked whole; the one that the model was trained on by itself, in its
    test rows. Neither ``workers`` nor ``at_once`` changes the outcome.

    Returns:
        The summary in the card: :func:`mindflood.attack.results.identity.summary_of`.

    Raises:
        UserError: anything that is asked for is unknown, missing or of another attack.
    """
    recipe, wanted = settings.recipe, settings.temperature
    check_together(settings)
    check_available(recipe, settings.profile, allow_pickles=settings.allow_pickles)
    if settings.ray:
        check_ray()
    model = model_folder(settings.model)
    settings = dataclasses.replace(settings.settled(), model=model)
    check_within_reach(model)
    task, names = settings.task, own_label_names(model)
    if not task.label_names:
        task = with_model_labels(task, model, names, settings.data)
        settings = dataclasses.replace(settings, task=task)
    check_origin(model, task)
    if names:
        check_label_count(model, len(names), task.num_labels)
    share = None if settings.shard is None else Share.parse(settings.shard)
    data, split, seed = settings.data, settings.split, settings.seed
    reading: dict[str, Any] = {
        "whole_file": split is None and not is_share_of_training(model, data),
        "own_names": names,
    }
    sample = chosen_rows(task, split, data, settings.num_examples, seed, share, **reading)
    unseen = None
    if isinstance(wanted, str):
        unseen = held_out_rows(task, settings.held_out, data, sample.examples, seed, **reading)
    card = card_path(out) if share is None else out / SHARE_CARD
    check_name(card, settings.name)
    _check_card(card, out, model, task.name, sample)
    name = results_name(recipe, calibrated=wanted is not None)
    refuse_others(out, name, settings_of(settings, sample), OF_THE_FOLDER)
    expected = {row: (texts, label) for row, texts, label in sample.attacked_here}
    read_records(out / f"{name}.jsonl", expected, task.num_labels)
    tell(f"attacking {sample.origin}")
    if is_foreign(sample.examples.texts):
        tell(ENGLISH)
    if settings.profile == "offline" and RECIPES[recipe].asks_masked_lm:
        asked_model = masked_lm_folder(task, data, settings.masked_lm)
        settings = dataclasses.replace(settings, masked_lm=str(asked_model))
    # Only here: a mistake above is reported without waiting for TextAttack's import.
    tell("loading TextAttack and the model: up to a minute")
    from mindflood.attack.driver.sample import SampleAttacker
    from mindflood.attack.driver.temperature import calibrated

    calibration = None
    if wanted is not None:
        settings, calibration = calibrated(settings, unseen, out)
    attacker = SampleAttacker(settings)
    identity = identity_of(attacker, sample, calibration)
    check_model(card, identity["model"])  # a hub's model has no fingerprint before it is loaded
    with Journal(out, file_name(identity), identity, OF_THE_FOLDER, expected) as journal:
        if not card.exists():
            known_as = settings.name or Path(model).name
            write_card(card, card_of_stranger(task.name, known_as, identity["model"], sample.whole))
        done = {record["index"] for record in journal.records}
        todo = [row for row in sample.attacked_here if row[0] not in done]
        results = _attacked(attacker, todo)
        summary = _recorded(results, journal, card, identity, len(sample.attacked_here))
        for warning in summary.get("warnings", ()):
            tell(f"mindflood: warning: {warning}")
        # Last, so that an attack that is stopped and continued need not do it again.
        if lacks_accuracy(card) and (share is None or share.number == 1):
            for warning in _measured(attacker.victim, sample.whole, task, card):
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


def _attacked(attacker: Any, samples: list[Any]) -> Generator[dict[str, Any], None, None]:
    """Records of ``samples``: from a Ray cluster, from processes, or from this one."""
    from mindflood.attack.driver.side_by_side import attack_here
    from mindflood.attack.driver.workers import attack_in_workers

    settings = attacker.settings
    workers, at_once = settings.workers, settings.at_once
    if settings.ray and samples:
        from mindflood.attack.driver.ray_tasks import attack_with_ray

        return attack_with_ray(attacker, samples, workers, at_once)
    if workers > 1 and len(samples) > 1:
        return attack_in_workers(settings, samples, workers, at_once)
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


def check_held_out(settings: AttackSettings) -> None:
    """Check that an attack leaves rows to choose a temperature on.

    Raises:
        UserError: it leaves too few.
    """
    task, data, seed = settings.task, settings.data, settings.seed
    sample = chosen_rows(task, None, data, settings.num_examples, seed)
    held_out_rows(task, settings.held_out, data, sample.examples, seed)
