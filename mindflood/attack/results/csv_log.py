"""The results of an attack as the CSV log that TextAttack's own ``--log-to-csv`` writes."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langdetect.lang_detect_exception import LangDetectException

from mindflood.attack.results.log_file import check_log
from mindflood.attack.textattack_import import textattack
from mindflood.cards.records import read_records
from mindflood.data.own import recorded_task
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.files import read_json, whole_file
from mindflood.visible import spreadsheet_cell

_STATUS = textattack.goal_function_results.goal_function_result.GoalFunctionResultStatus
_RESULTS = {
    "succeeded": textattack.attack_results.SuccessfulAttackResult,
    "failed": textattack.attack_results.FailedAttackResult,
    **dict.fromkeys(  # as TextAttack counts them
        ("out_of_budget", "untouched"), textattack.attack_results.FailedAttackResult
    ),
}


def write_csv(results: Path, log: Path) -> int:
    """Write ``RECIPE.jsonl`` as TextAttack's CSV log, rows in the order of the data.

    Samples whose attack raised or had no time to begin are left out: TextAttack has no row for
    them. As in our own tables, a cell that a spreadsheet would run as a formula begins with an
    apostrophe.

    Returns:
        The number of samples left out.

    Raises:
        UserError: there are no such results, or the log cannot be written or would take the place
            of another file.
    """
    if not results.exists():
        raise UserError(f"{results}: no such results; give the RECIPE.jsonl of an attack")
    meta = results.with_suffix(".meta.json")
    described = read_json(meta)
    if not isinstance(described, dict) or not isinstance(described.get("task"), str):
        raise UserError(f"{meta}: expected the attack's 'task'; attack again with another --out")
    task = recorded_task(described)
    records = read_records(results, classes=task.num_labels)
    records.sort(key=lambda record: record["index"])
    told = [record for record in records if record.get("original_score") is not None]
    check_log(log)
    with whole_file(log) as beside:
        logger = textattack.loggers.CSVLogger(str(beside))
        for record in told:
            _log(logger, attack_result(record, task))
        for column in logger.df.select_dtypes("object"):
            logger.df[column] = logger.df[column].map(spreadsheet_cell)
        logger.flush()
    return len(records) - len(told)


def attack_result(record: Mapping[str, Any], task: Task) -> Any:
    """A record as a ``textattack.attack_results.AttackResult``, for any of TextAttack's loggers."""
    before = _goal_result(record, task, "original")
    if record["result"] == "skipped":
        return textattack.attack_results.SkippedAttackResult(before)
    after = _goal_result(record, task, "original" if record["perturbed"] is None else "perturbed")
    return _RESULTS[record["result"]](before, after)


def _goal_result(record: Mapping[str, Any], task: Task, side: str) -> Any:
    text = _attacked_text(record[side], task, record["index_map"] if side != "original" else None)
    prediction = record[f"{side}_prediction"]
    certain = np.eye(task.num_labels)[prediction]  # loggers ask which class is the largest
    changed = prediction != record["label"]
    return textattack.goal_function_results.ClassificationGoalFunctionResult(
        text,
        certain,
        prediction,
        _STATUS.SUCCEEDED if changed else _STATUS.SEARCHING,
        record[f"{side}_score"],
        record["queries"],
        record["label"],
    )


def _attacked_text(texts: Sequence[str], task: Task, index_map: list[int] | None) -> Any:
    named = OrderedDict(zip(task.text_columns, texts, strict=True))
    moved = {} if index_map is None else {"original_index_map": np.array(index_map)}
    shown = texts[0] if len(texts) == 1 else named
    return textattack.shared.AttackedText(shown, attack_attrs=moved)


def _log(logger: Any, result: Any) -> None:
    try:
        logger.log_attack_result(result)
    except LangDetectException:  # a text without letters has no language: nothing is marked
        plain = tuple(
            side.attacked_text.printable_text()
            for side in (result.original_result, result.perturbed_result)
        )
        result.diff_color = lambda *_: plain
        logger.log_attack_result(result)
