"""Records of an attack, read and compared."""

import json
from pathlib import Path
from typing import Any

import pytest

_ROUNDED = ("original_probability", "perturbed_probability", "original_score", "perturbed_score")


def records(out: Path, name: str = "textfooler") -> dict[int, dict[str, Any]]:
    """Row → record, without its time; no row is there twice."""
    found: dict[int, dict[str, Any]] = {}
    for line in (out / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert record["index"] not in found, "a sample is counted twice"
        del record["seconds"]
        found[record["index"]] = record
    return found


def assert_same(found: dict[int, dict[str, Any]], expected: dict[int, dict[str, Any]]) -> None:
    """Equal but for the bits of probabilities and scores that a batch's size decides."""
    assert found.keys() == expected.keys()
    for index, record in expected.items():
        near = {key: pytest.approx(record[key], abs=1e-5) for key in _ROUNDED if record[key]}
        assert found[index] == record | near


def assert_same_as_textattack(
    found: dict[int, dict[str, Any]],
    textattack_attack: Any,
    folder: Path,
    columns: tuple[str, ...] = ("text",),
) -> None:
    """Equal to what TextAttack's own ``Attacker`` finds on the records' texts.

    Args:
        folder: where it may leave its checkpoints.
        columns: their names, of one or of the two texts of a pair.
    """
    from mindflood.attack.textattack_import import textattack

    expected = [found[index] for index in sorted(found)]
    pair = len(columns) == 2
    rows = [
        (tuple(record["original"]) if pair else record["original"][0], record["label"])
        for record in expected
    ]
    settings = textattack.AttackArgs(
        num_examples=len(rows), disable_stdout=True, silent=True, checkpoint_dir=str(folder)
    )
    dataset = textattack.datasets.Dataset(rows, input_columns=list(columns))
    results = textattack.Attacker(textattack_attack, dataset, settings).attack_dataset()
    for record, result in zip(expected, results, strict=True):
        kind = type(result).__name__.removesuffix("AttackResult").lower()
        ours = "failed" if record["result"] == "untouched" else record["result"]
        assert {"successful": "succeeded"}.get(kind, kind) == ours
        assert result.num_queries == record["queries"]
        if record["perturbed"]:
            text = result.perturbed_result.attacked_text
            assert [text._text_input[column] for column in columns] == record["perturbed"]
