"""Vanilla Flooding's grid search over the flood level (Flooding-X §4.1: steps of 0.01)."""

import dataclasses
import json
import time
from pathlib import Path

import numpy as np

from mindflood.attack.resources.downloads import check_available
from mindflood.cards.attack_key import AttackKey
from mindflood.cards.cards import read_card
from mindflood.cards.rates import accuracy_under_attack
from mindflood.cards.schema import GridSearch, ProbeFindings, SearchCandidate
from mindflood.config.settings import Config, SearchSettings
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, write_json, write_text
from mindflood.pipeline import stages
from mindflood.training import parallel
from mindflood.training.augmented_rows import copy_new_rows
from mindflood.training.dataset import rows_of, training_rows
from mindflood.training.probe_pass import choose_from, copy_trace, findings, probe_config
from mindflood.training.row_record import claim_rows
from mindflood.training.run_folder import at_work


def search(config: Config) -> Path:
    """Train one model a level, keep the level that resists best, train the final model with it.

    With ``search.bounds: accordance`` the levels are those of the range that a probe pass finds
    first; its losses are of all training rows, but no attack's result enters it.

    A candidate's worth is its accuracy under attack, by default on rows set aside from the training
    rows, on which no candidate is trained; the final model is trained on all of them. Everything
    continues where it was stopped.

    Returns:
        The RUN folder; its ``search/`` holds the candidates and ``search.json`` the outcome.

    Raises:
        UserError: bad input, a training set too small to set rows aside from, or workers of
            ``msrun``: each of them would search.
    """
    if parallel.several():
        raise UserError(
            "method: 'flooding-search' starts its own processes and cannot run under msrun; search "
            "with 'mindflood train' on one device, then msrun method=flooding at the level it found"
        )
    run = config.run_folder
    outcome_file = run / "search.json"
    if not outcome_file.exists():  # told before the first candidate is trained
        attack = config.attack
        check_available(config.search.recipe, attack.profile, allow_pickles=attack.allow_pickles)
    with at_work(config) as complete:
        if complete:
            return run
        claim_rows(run, rows_of(config))  # of the candidates too, which train on a part of them
        if not outcome_file.exists():
            write_json(outcome_file, _outcome(config))
        outcome = read_json(outcome_file)

        from mindflood.training.loop import Level, Trainer, start

        level = Level(outcome["flood_level"], "search")
        return Trainer(config, start(config), level, card={"search": outcome}).run()


def grid(settings: SearchSettings) -> list[float]:
    """The levels to try, in nats, ascending, both ends included."""
    count = int(np.floor((settings.upper - settings.lower) / settings.step + 1e-6)) + 1
    return [round(settings.lower + index * settings.step, 6) for index in range(count)]


def best(candidates: list[SearchCandidate]) -> SearchCandidate:
    """The candidate with the highest accuracy under attack; of equals, the lowest level.

    Raises:
        UserError: undecided attacks leave an accuracy a range, and others reach into it or above.
    """
    if all(one["accuracy_under_attack"] is not None for one in candidates):
        return max(candidates, key=lambda c: (c["accuracy_under_attack"] or 0, -c["flood_level"]))
    surest = max(candidates, key=lambda c: (_bounds(c)[0], -c["flood_level"]))
    if any(_bounds(c)[1] > _bounds(surest)[0] for c in candidates if c is not surest):
        ranges = ", ".join(
            f"b = {one['flood_level']:g}: {100 * low:.1f} to {100 * high:.1f} %"
            for one in candidates
            for low, high in [_bounds(one)]
        )
        raise UserError(
            "the levels of the search cannot be ranked: attacks that ran out of their budget or "
            f"raised leave the accuracy under attack open ({ranges}); raise attack.max_queries or "
            "attack.max_seconds, delete the folders search/*/attacks of the run and run again: "
            "the trained candidates are kept"
        )
    return surest


def _bounds(candidate: SearchCandidate) -> tuple[float, float]:
    low, high = candidate["accuracy_under_attack_bounds"]
    return low, high


def _outcome(config: Config) -> GridSearch:
    started = time.monotonic()
    data = config.task.data
    if config.search.choose_on == "held-out":
        data = str(_set_aside(config))
    levels, bounds = _levels(config)
    # All train on the same rows, which are the run's where none are set aside.
    set_aside = data != config.task.data
    first = candidate_config(config, levels[0], data).run_folder if set_aside else config.run_folder
    candidates = [_candidate(config, level, data, first) for level in levels]
    return {
        "flood_level": best(candidates)["flood_level"],
        "bounds": bounds,
        "choose_on": config.search.choose_on,
        "attack": str(AttackKey(config.search.recipe, config.attack.profile)),
        "examples": config.search.examples,
        "seconds": time.monotonic() - started,
        "candidates": candidates,
    }


def _levels(config: Config) -> tuple[list[float], ProbeFindings]:
    """The levels to try, and for the card where their range comes from."""
    settings = config.search
    if settings.bounds == "fixed":
        return grid(settings), {"from": "fixed", "lower": settings.lower, "upper": settings.upper}
    probe = probe_config(config)
    with at_work(probe):
        copy_new_rows(config.run_folder, probe.run_folder)
        stages.train(probe.run_folder / "config.yaml")
    found = choose_from(probe)
    copy_trace(probe, config.run_folder)
    return list(found.grid(settings.step)), {"from": "accordance", **findings(probe, found)}


def candidate_config(config: Config, level: float, data: str | None) -> Config:
    """One model of the grid, trained on ``data``: the RUN folder's search/bLEVEL-seedS."""
    task = config.task
    if data is not None and data != task.data:  # the rows that are left are the sample already
        task = dataclasses.replace(task.read_from(data), train_examples=None)
    return dataclasses.replace(
        config.without_epochs,
        output=str(config.run_folder / "search"),
        name=f"b{level:g}",
        method="flooding",
        flood_level=level,
        task=task,
        accordance=dataclasses.replace(config.accordance, record=False),
    )


def _candidate(config: Config, level: float, data: str | None, first: Path) -> SearchCandidate:
    candidate = candidate_config(config, level, data)
    run = candidate.run_folder
    with at_work(candidate):
        copy_new_rows(first, run)
        stages.train(run / "config.yaml")
        stages.export(run)
        stages.attack(run, candidate, config.search.recipe, config.search.examples)
    card = read_card(run / "card.json")
    summary = card["attacks"][str(AttackKey(config.search.recipe, config.attack.profile))]
    robust, clean = accuracy_under_attack(summary), card["clean_accuracy"]
    if robust is None or clean is None:
        raise UserError(
            f"{run / 'card.json'}: on none of its examples had the attack anything to try; raise "
            "search.examples"
        )
    return {
        "flood_level": level,
        "accuracy_under_attack": robust.number,
        "accuracy_under_attack_bounds": list(robust.bounds),
        "clean_accuracy": clean,
        "train_seconds": card["train_seconds"] or 0.0,
    }


def _set_aside(config: Config) -> Path:
    """A folder whose test rows are held out of the training rows, and whose train is the rest."""
    task = config.task.as_task
    rows = training_rows(config)
    count = config.search.examples
    if count * 2 > len(rows):
        raise UserError(
            f"search.examples: {count} rows cannot be set aside from {len(rows)} training rows; "
            f"use at most {len(rows) // 2}"
        )
    order = np.random.default_rng([config.seed, count]).permutation(len(rows))
    folder = config.run_folder / "search" / "data"
    held_out = _json_lines(task, rows.take(order[:count]))
    for name, text in (
        ("train", _json_lines(task, rows.take(order[count:]))),
        ("dev", held_out),
        ("test", held_out),
    ):
        write_text(folder / f"{name}.jsonl", text)
    return folder


def _json_lines(task: Task, rows: Examples) -> str:
    records = (
        dict(zip(task.text_columns, texts, strict=True))
        | {task.label_column: task.label_names[label]}
        for texts, label in zip(rows.texts, rows.labels, strict=True)
    )
    return "".join(json.dumps(record) + "\n" for record in records)
