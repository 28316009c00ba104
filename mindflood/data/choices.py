"""Questions with their choices: files of ARC and CommonsenseQA, and pairs to be ranked.

A row's texts are the question and then its choices, and its label the place of the answer among
them, from 0.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mindflood.data.bad_rows import BadRows
from mindflood.data.decoding import content_of, decode
from mindflood.data.json_lines import is_finite, is_text, parsed
from mindflood.data.labels import class_name
from mindflood.data.parquet import read_records
from mindflood.data.rows import Row, check_texts, shown
from mindflood.data.tasks import Format, Task, get_task
from mindflood.errors import UserError


def read_questions(path: Path, file_format: Format, bad: BadRows) -> list[Row]:
    """Rows of a file of questions, in the layout of the benchmarks' own files or of the hub.

    Raises:
        UserError: not UTF-8, or no Parquet; or a row is no question with at least two choices, or
            has no answer key or one that no choice has. The message names the row.
    """
    rows = []
    for number, found in _records(path, file_format):
        where = f"{path}, row {number}"
        try:
            rows.append(question_row(_object(found, where), number, where))
        except UserError as error:
            bad.add(str(error))
    return rows


def has_answers(path: Path, file_format: Format) -> bool:
    """Whether the first question of a file has an answer key: the benchmarks' test files have none.

    Where it is no question at all, that is for :func:`read_questions` to say.
    """
    for number, found in _records(path, file_format):
        try:
            return bool(_key(_object(found, f"{path}, row {number}").get("answerKey")))
        except UserError:
            return True
    return True


def _records(path: Path, file_format: Format) -> Iterator[tuple[int, str | dict[str, Any]]]:
    """Number and content of each row: a line that is not blank, or an object."""
    if file_format == "parquet":
        yield from enumerate(read_records(path, ("question", "choices", "answerKey")), start=1)
        return
    for number, line in enumerate(decode(content_of(path), path).split("\n"), start=1):
        if line.strip():
            yield number, line


def _object(found: str | dict[str, Any], where: str) -> dict[str, Any]:
    return parsed(found, where) if isinstance(found, str) else found


def question_row(record: Mapping[str, Any], number: int, where: str) -> Row:
    """One question.

    Args:
        record: ``question: {stem, choices: [{label, text}]}``, or the hub's ``question`` and
            ``choices: {label: [], text: []}``; and ``answerKey``, the label of a choice.

    Raises:
        UserError: it is none; ``where`` names it.
    """
    stem, choices = _question(record, where)
    texts = (stem, *(text for _, text in choices))
    for text in texts:
        if not is_text(text) or not text.strip():
            raise UserError(f"{where}: expected texts for question and choices, found {_of(text)}")
    keys = [_key(label) for label, _ in choices]
    if None in keys:
        label = choices[keys.index(None)][0]
        raise UserError(
            f"{where}: expected a text or number as label of a choice, found {_of(label)}"
        )
    if len(choices) < 2:
        raise UserError(f"{where}: a question with {len(choices)} choice(s), expected at least 2")
    there = ", ".join(map(str, keys))
    if len(set(keys)) < len(keys):
        raise UserError(f"{where}: two choices have the same label; there are {there}")
    answer = record.get("answerKey")
    if answer is None or not str(answer).strip():
        raise UserError(f"{where}: no 'answerKey'; give the label of the right choice")
    key = _key(answer)
    if key not in keys:
        raise UserError(
            f"{where}: the answer key {_of(answer)} is the label of no choice; there are {there}"
        )
    return Row(number, texts, str(keys.index(key)))


def _key(value: Any) -> str | None:
    """A choice's label as it is compared: 2, 2.0 and "2" are one; None where it is none."""
    number = is_finite(value) or (isinstance(value, int) and not isinstance(value, bool))
    return (class_name(value) or None) if number or is_text(value) else None


def _question(record: Mapping[str, Any], where: str) -> tuple[Any, list[tuple[Any, Any]]]:
    """The stem, and label and text of each choice, in either layout."""
    question, choices = record.get("question"), record.get("choices")
    try:
        if isinstance(question, Mapping):
            listed = [(one["label"], one["text"]) for one in question["choices"]]
            return question["stem"], listed
        if isinstance(choices, Mapping):
            return question, list(zip(choices["label"], choices["text"], strict=True))
    except (KeyError, TypeError, ValueError):
        pass
    raise UserError(
        f"{where}: expected 'question' with 'stem' and 'choices', each of a 'label' and a 'text', "
        "or the hub's 'question' beside 'choices' of as many labels as texts"
    )


def pairs_task(task: Task) -> Task:
    """The task whose labelled pairs a ranking is made of, with the ranking's malformed rows."""
    return replace(get_task(str(task.pairs_of)), skip_bad_rows=task.skip_bad_rows)


def ranked_pairs(task: Task, rows: Iterable[Row], origin: str, bad: BadRows) -> list[Row]:
    """Questions made of the labelled pairs of a two-class task (FreeLB, appendix A.1).

    Pairs of the same first text belong together. The first of them that is the wanted class is
    a question with the first that is not, the second with the second, and so on; of a task that
    ranks ``all``, each is one with all that are not. The place of the answer is decided by a hash
    of the texts, so that a network that tells nothing apart is right by chance.

    Args:
        task: the ranking; its ``pairs_of`` is the task that ``rows`` are of.

    Raises:
        UserError: a label is neither of the two, or a text empty.
    """
    of_text: dict[str, tuple[list[Row], list[str]]] = {}
    for row in rows:
        try:
            entailed = _is_entailed(task, row, f"{origin}, {row.place()}")
        except UserError as error:
            bad.add(str(error))
            continue
        right, wrong = of_text.setdefault(row.texts[0].strip(), ([], []))
        if entailed:
            right.append(row)
        else:
            wrong.append(row.texts[1])
    found = []
    for text, (right, wrong) in of_text.items():
        others = [[one] for one in wrong] if not task.ranks_all else [wrong] * len(right)
        for row, rest in zip(right, others, strict=False):
            if rest:
                found.append(_ranked(row, text, rest))
    return found


def _ranked(row: Row, text: str, wrong: Sequence[str]) -> Row:
    digest = hashlib.blake2b("\x1f".join((text, row.texts[1], *wrong)).encode(), digest_size=4)
    place = int.from_bytes(digest.digest(), "big") % (len(wrong) + 1)
    choices = [*wrong[:place], row.texts[1], *wrong[place:]]
    return Row(row.where, (text, *choices), str(place))


def _is_entailed(task: Task, row: Row, where: str) -> bool:
    check_texts(task.text_columns, row.texts, where)
    label = row.label.strip().casefold()
    for meaning, names in ((True, task.entailed), (False, task.not_entailed)):
        if label in names:
            return meaning
    expected = ", ".join((*task.entailed, *task.not_entailed))
    raise UserError(f"{where}: label {shown(row.label)}, expected {expected}")


def _of(value: Any) -> str:
    return shown(str(value)) if isinstance(value, str | int | float) else f"{value!r:.40}"
