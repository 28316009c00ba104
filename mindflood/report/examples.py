"""Original and adversarial texts side by side, the words that differ marked."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindflood.cards.attack_key import CALIBRATED
from mindflood.cards.cards import Run
from mindflood.cards.records import read_records
from mindflood.errors import UserError
from mindflood.files import read_json
from mindflood.report.numbers.aggregate import Setting, setting_of
from mindflood.report.numbers.names import ATTACKS, METHODS, TASKS

PER_SETTING, IN_ALL = 2, 8
_LONGEST = 1500  # characters of a text that the page shows


@dataclass(frozen=True)
class Piece:
    """A stretch of text and whether it differs from the other text."""

    text: str
    changed: bool


@dataclass(frozen=True)
class Example:
    """One attack that succeeded; a pair of texts has two entries on each side."""

    title: str
    label: str
    before: str
    after: str
    queries: str
    original: tuple[tuple[Piece, ...], ...]
    perturbed: tuple[tuple[Piece, ...], ...]


def differences(first: str, second: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces; the pieces' texts joined are the texts, unchanged."""
    left, right = _words(first), _words(second)
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    before: list[Piece] = []
    after: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        changed = kind != "equal"
        before += [Piece("".join(left[a:b]), changed)] if b > a else []
        after += [Piece("".join(right[c:d]), changed)] if d > c else []
    return tuple(before), tuple(after)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def examples(runs: Sequence[Run]) -> list[Example]:
    """A few successful attacks of each setting's first run, the shortest texts first.

    Raises:
        UserError: a line of ``attacks/RECIPE.jsonl`` is no record of an attack.
    """
    found: dict[Setting, list[Example]] = {}
    for run in runs:
        setting = setting_of(run.card)
        if not found.get(setting):
            found[setting] = list(_of_run(run))[:PER_SETTING]
    return [example for some in found.values() for example in some][:IN_ALL]


def _of_run(run: Run) -> Iterator[Example]:
    folder = run.folder / "attacks"
    described = sorted((folder if folder.is_dir() else run.folder).glob("*.meta.json"))
    for path in (meta.with_suffix("").with_suffix(".jsonl") for meta in described):
        records = [record for record in read_records(path) if record["result"] == "succeeded"]
        for record in sorted(records, key=lambda record: len(str(record["original"]))):
            yield _example(run, path, record)


def _example(run: Run, path: Path, record: dict[str, Any]) -> Example:
    names = _label_names(path, run.card["task"])
    original, perturbed = (_shortened(record[key]) for key in ("original", "perturbed"))
    sides = [differences(*pair) for pair in zip(original, perturbed, strict=False)]
    task, method = run.card["task"], run.card["method"]
    recipe = path.stem.removesuffix(CALIBRATED)
    attack = ATTACKS.get(recipe, recipe) + (", calibrated" if recipe != path.stem else "")
    titled = (TASKS.get(task, task), METHODS.get(method, method), attack)
    return Example(
        title=", ".join(titled),
        label=_label(names, record.get("label")),
        before=_label(names, record.get("original_prediction")),
        after=_label(names, record.get("perturbed_prediction")),
        queries=str(record.get("queries", "?")),
        original=tuple(before for before, _ in sides),
        perturbed=tuple(after for _, after in sides),
    )


def _shortened(texts: list[str]) -> list[str]:
    return [text if len(text) <= _LONGEST else text[:_LONGEST] + " […]" for text in texts]


def _label_names(results: Path, task: str) -> tuple[str, ...]:
    """Name of class 0, 1, ... of the task of an attack; none where it is not known."""
    from mindflood.data.own import recorded_task

    try:
        meta = read_json(results.with_suffix(".meta.json"))
        return recorded_task({"own_data": meta.get("own_data"), "task": task}).label_names
    except (UserError, AttributeError):
        return ()


def _label(names: Sequence[str], label: Any) -> str:
    """The label's name where that is known, else the number."""
    known = isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(names)
    return names[label] if known else str(label)
