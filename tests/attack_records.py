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
