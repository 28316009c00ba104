"""Run folders as ``mindflood run`` leaves them, for the tests of the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mindflood.cards.cards import Card, new_card, write_card


def a_card(method: str = "finetune", seed: int = 0, **changes: Any) -> Card:
    """A card of a finished run on SST-2."""
    flooded = method.startswith("flooding")
    card = new_card(
        task="sst2",
        method=method,
        seed=seed,
        encoder="embedded",
        flood_level=0.05 if flooded else None,
        flood_level_source="fixed" if flooded else None,
    )
    card.update(clean_accuracy=0.85 + 0.01 * flooded, train_seconds=400.0, seconds_per_epoch=40.0)
    card.update(changes)  # type: ignore[typeddict-item]
    return card


def an_attack(failed: int = 22, skipped: int = 30, total: int = 200, **changes: Any) -> Any:
    """The summary of an attack, its rates computed from its counts."""
    succeeded = total - failed - skipped
    summary = {
        "num_examples": total,
        "skipped": skipped,
        "succeeded": succeeded,
        "failed": failed,
        "errors": 0,
        "out_of_budget": 0,
        "accuracy_under_attack": failed / total,
        "attack_success_rate": succeeded / (succeeded + failed),
        "mean_queries": 71.25,
        "seconds": 84.0,
        "fingerprint": "3f2a9c11",
    }
    return {**summary, **changes}


def an_audit(
    same: int = 45, changed: int = 4, unclear: int = 1, english: int = 40, **changes: Any
) -> dict[str, Any]:
    """What people found who read an attack's successes."""
    audit = {
        "graded": same + changed + unclear,
        "same": same,
        "changed": changed,
        "unclear": unclear,
        "english": english,
        "keeps_label": 0.9,
        "still_english": 0.8,
        "validated_accuracy": 0.2,
        "sheet": "a.csv",
    }
    return audit | changes


def lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def results(path: Path, records: list[dict[str, Any]]) -> None:
    """Results of an attack, with the file that describes it."""
    lines(path, records)
    path.with_suffix(".meta.json").write_text("{}")


def an_example(original: str, perturbed: str, **changes: Any) -> dict[str, Any]:
    """One sample's line; a pair's texts are separated by a bar."""
    record = {
        "index": 3,
        "result": "succeeded",
        "label": 0,
        "original_prediction": 0,
        "perturbed_prediction": 1,
        "queries": 61,
        "seconds": 1.5,
        "original": original.split(" | "),
        "perturbed": perturbed.split(" | "),
    }
    return {**record, **changes}


def a_run(folder: Path, card: Card, *, steps: int = 120) -> Path:
    """A run folder with a card, a trace and evaluations, the loss falling with noise."""
    write_card(folder / "card.json", card)
    random = np.random.default_rng(card["seed"])
    level = card["flood_level"] or 0.0
    loss = np.abs(0.7 * np.exp(-np.arange(steps) / 60) - level) + level
    loss = np.maximum(0.0, loss + random.normal(0, 0.04, steps))
    lines(
        folder / "trace.jsonl",
        [
            {
                "step": step,
                "epoch": (step + 1) / 60,
                "loss": float(loss[step]),
                "flooding": bool(loss[step] < level),
                "gradient_norm": 1.0,
                "learning_rate": 5e-5,
            }
            for step in range(steps)
        ],
    )
    lines(
        folder / "evaluations.jsonl",
        [
            {
                "step": 60 * epoch,
                "epoch": epoch,
                "eval_loss": 0.4 + 0.05 * epoch,
                "eval_accuracy": 0.8 + 0.01 * epoch,
                "train_seconds": 40.0 * epoch,
            }
            for epoch in range(1, steps // 60 + 1)
        ],
    )
    return folder
