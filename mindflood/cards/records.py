"""The lines of ``RECIPE.jsonl``, each checked: one of another sample is refused by its number."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import read_json_lines
from mindflood.stored import read_stored

OUTCOMES = ("skipped", "succeeded", "failed", "error", "out_of_budget", "untouched")
Expected = Mapping[int, tuple[Sequence[str], int]]  # row → texts and label
Record = dict[str, Any]

_MEND = "delete the line, and the attack's command attacks its sample again"
_PREDICTIONS = ("label", "original_prediction", "perturbed_prediction")
_PROBABILITIES = ("original_probability", "perturbed_probability")


def read_records(
    results: Path, expected: Expected | None = None, classes: int | None = None
) -> list[Record]:
    """The first record of each sample: where a file system has no locks, two may have written it.

    A last line that a kill has torn is left out.

    Args:
        expected: the samples of the attack; None where they are not known.
        classes: number of the task's; None where that is not known.

    Raises:
        UserError: a line is no record of an attack, or of none of the ``expected`` samples.
    """
    found: dict[int, Record] = {}
    records = read_json_lines(results, finite=True)
    lines = read_stored(results).split(b"\n")
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    for number, record in zip(numbers, records, strict=False):  # a torn line is no record
        fault = _fault(record)
        fault = fault or (None if expected is None else _foreign(record, expected))
        if fault := fault or (None if classes is None else _no_class(record, classes)):
            raise UserError(f"{results}, line {number}: {fault}; {_MEND}")
        found.setdefault(record["index"], record)
    return list(found.values())


def _foreign(record: Record, expected: Expected) -> str | None:
    """In what a record is none of the attack's samples."""
    index = record["index"]
    if index not in expected:
        return f"row {index} is not among the {len(expected)} that are attacked here"
    texts, label = expected[index]
    if record["original"] != list(texts):
        return f"its original is not the text of row {index}"
    if record["label"] != label:
        return f"its label is {record['label']!r}, that of row {index} is {label}"
    return None


def _no_class(record: Record, classes: int) -> str | None:
    for key in _PREDICTIONS:
        if (value := record.get(key)) is not None and value >= classes:
            return f"expected one of {classes} classes under '{key}', found {value}"
    return None


def _fault(record: Any) -> str | None:
    """What keeps a line from being a record of an attack."""
    if not isinstance(record, dict):
        return "expected an object"
    if not _is_count(record.get("index")):
        return f"expected the sample's row under 'index', found {_shown(record.get('index'))}"
    if record.get("result") not in OUTCOMES:
        known = ", ".join(OUTCOMES)
        return f"expected one of {known} under 'result', found {_shown(record.get('result'))}"
    if not _are_texts(record.get("original")):
        return f"expected a list of texts under 'original', found {_shown(record.get('original'))}"
    perturbed = record.get("perturbed")
    if perturbed is None:
        if record["result"] == "succeeded":
            return "expected the texts of an attack that succeeded under 'perturbed', found null"
    elif not _are_texts(perturbed) or len(perturbed) != len(record["original"]):
        return f"expected as many texts under 'perturbed' as before, found {_shown(perturbed)}"
    return _wrong_number(record) or _wrong_places(record)


def _wrong_number(record: Record) -> str | None:
    if not _is_count(record.get("queries")):
        return f"expected a count under 'queries', found {_shown(record.get('queries'))}"
    if not _is_finite(record.get("seconds")) or record["seconds"] < 0:
        return f"expected seconds under 'seconds', found {_shown(record.get('seconds'))}"
    for key in _PREDICTIONS:
        value = record.get(key)
        if not _is_count(value) and (value is not None or key == "label"):
            return f"expected a class under '{key}', found {_shown(value)}"
    for key in ("original_score", "perturbed_score"):
        value = record.get(key)
        if value is not None and not _is_finite(value):
            return f"expected null or a number under '{key}', found {_shown(value)}"
    if record.get("perturbed") is not None and record.get("perturbed_prediction") is None:
        return "expected the class of the perturbed text under 'perturbed_prediction', found null"
    for key in _PROBABILITIES:
        value = record.get(key)
        if value is not None and not (_is_finite(value) and 0 <= value <= 1):
            return f"expected null or a probability under '{key}', found {_shown(value)}"
    return None


def _wrong_places(record: Record) -> str | None:
    for key, least in (("changed_words", 0), ("index_map", -1)):
        value = record.get(key)
        if value is not None and not (
            isinstance(value, list) and all(type(at) is int and at >= least for at in value)
        ):
            return f"expected a list of places under '{key}', found {_shown(value)}"
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value) and bool(value)


def _shown(value: Any) -> str:
    return repr(value)[:60]
