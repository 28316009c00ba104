"""The rows that a run began with: kept in its folder, compared when it goes on or is attacked."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.results.card import card_of_stranger, check_rows
from mindflood.cards.cards import new_card, read_card, write_card
from mindflood.config.settings import Config, TaskSettings
from mindflood.data.record import read_record, run_above
from mindflood.data.sources import Examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.report.numbers.aggregate import by_setting
from mindflood.report.tables.notes import data_notes
from mindflood.training.dataset import Rows, rows_of
from mindflood.training.row_record import claim_rows

MR = get_task("mr")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train", "dev", "test"):
        lines = [f"{name} {i},{i % 2}" for i in range(40)]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *lines]))
    return folder


def rows_in(folder: Path) -> Rows:
    return rows_of(Config(task=TaskSettings(name="mr", data=str(folder), train_examples=30)))


def begin(run: Path, folder: Path) -> None:
    claim_rows(run, rows_in(folder))
    (run / "trace.jsonl").touch()


def test_what_is_recorded(tmp_path: Path, data: Path) -> None:
    begin(tmp_path / "run", data)
    record = json.loads((tmp_path / "run" / "data.json").read_text())
    assert {part: (entry["split"], entry["rows"]) for part, entry in record.items()} == {
        "train": ("train", 30),
        "evaluation": ("dev", 40),
        "test": ("test", 40),
    }
    assert record["test"]["source"] == str(data / "test.csv")
    assert {part: entry["hash"] for part, entry in record.items()} == rows_in(data).hashes


def flip(lines: list[str]) -> None:
    lines[1:] = [f"{line[:-1]}{1 - int(line[-1])}" for line in lines[1:]]


def exchange(lines: list[str]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def correct(lines: list[str]) -> None:
    lines[5] = f"a {lines[5]}"


def add(lines: list[str]) -> None:
    lines.append("one more,1")


@pytest.mark.parametrize("change", [flip, exchange, correct, add])
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_a_run_that_began_is_not_continued_on_other_rows(
    tmp_path: Path, data: Path, change: Callable[[list[str]], None], part: str
) -> None:
    run, file = tmp_path / "run", data / f"{part}.csv"
    begin(run, data)
    claim_rows(run, rows_in(data))  # nothing has changed
    before = (run / "data.json").read_text()
    lines = file.read_text().split("\n")
    change(lines)
    file.write_text("\n".join(lines))
    named = {"dev": "evaluation"}.get(part, part)
    with pytest.raises(
        UserError,
        match=rf"run/data\.json: the run began with other {named} rows: \d+ rows of split {part}, "
        rf".*{part}\.csv \(hash .*restore the data, or choose another output folder",
    ):
        claim_rows(run, rows_in(data))
    assert (run / "data.json").read_text() == before
    if change in (flip, exchange):  # done twice, they are undone
        change(lines)
        file.write_text("\n".join(lines))
        claim_rows(run, rows_in(data))


def test_a_run_that_has_not_begun_may_be_given_other_rows(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    claim_rows(run, rows_in(data))
    (run / "config.yaml").touch()
    (data / "test.csv").write_text("text,label\nanother,1\n")
    claim_rows(run, rows_in(data))
    record = read_record(run)
    assert record is not None
    assert record["test"]["rows"] == 1


def test_data_that_was_moved_is_the_same_data(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    begin(run, data)
    moved = data.rename(tmp_path / "elsewhere")
    claim_rows(run, rows_in(moved))
    record = read_record(run)
    assert record is not None
    assert record["train"]["source"] == str(moved / "train.csv")


def test_a_run_that_recorded_nothing_is_continued(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "trace.jsonl").touch()
    assert read_record(run) is None
    claim_rows(run, rows_in(data))
    assert read_record(run) is not None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"train": 1}', '{"train": {"rows": "3"}}'])
def test_a_damaged_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(UserError, match=r"data\.json: "):
        read_record(tmp_path)


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=5)


@given(ROWS, ROWS)
def test_fingerprints_are_equal_where_the_rows_are(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    def fingerprint(rows: list[tuple[str, int]]) -> str:
        texts = tuple((text,) for text, _ in rows)
        return Examples(texts, np.array([label for _, label in rows], np.int64)).fingerprint()

    assert (fingerprint(first) == fingerprint(second)) == (first == second)
    # What attacks have kept beside their results: it must not change.
    content = json.dumps([[[text] for text, _ in first], [label for _, label in first]])
    assert fingerprint(first) == hashlib.sha256(content.encode()).hexdigest()[:16]


def card_of_run(run: Path, rows: Rows) -> Path:
    card = new_card(task="mr", method="finetune", seed=0, encoder="e")
    sizes = {"train": 30, "test": 40, "words": 2.0, "hashes": rows.hashes}
    write_card(run / "card.json", {**card, "data": sizes})  # type: ignore[typeddict-item]
    return run / "card.json"


def test_a_run_is_attacked_on_the_rows_it_was_tested_on(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    begin(run, data)
    rows = rows_in(data)
    card = card_of_run(run, rows)
    check_rows(card, run / "attacks", rows.test.fingerprint(), "the same")
    with pytest.raises(UserError) as caught:
        check_rows(card, run / "attacks", rows.train.fingerprint(), "30 rows of other.csv")
    assert str(caught.value) == (
        f"{card}: the model was tested on 40 rows of split test, {data / 'test.csv'} (hash "
        f"{rows.hashes['test']}), and these are others: 30 rows of other.csv (hash "
        f"{rows.hashes['train']} of all); restore the data, or choose another --out, whose card "
        "has a line of its own"
    )


def test_the_model_of_an_epoch_is_attacked_on_the_runs_test_rows(
    tmp_path: Path, data: Path
) -> None:
    run = tmp_path / "run"
    begin(run, data)
    out = run / "epochs" / "2" / "attacks"
    out.mkdir(parents=True)
    assert run_above(out) == run
    rows = rows_in(data)
    check_rows(out / "card.json", out, rows.hashes["test"], "the same")
    with pytest.raises(UserError, match="these are others"):
        check_rows(out / "card.json", out, rows.hashes["train"], "others")
    elsewhere = tmp_path / "elsewhere" / "attacks"
    check_rows(elsewhere / "card.json", elsewhere, rows.hashes["train"], "others")


def test_a_card_of_a_model_from_elsewhere_is_of_one_data_set(tmp_path: Path, data: Path) -> None:
    rows, path = rows_in(data), tmp_path / "card.json"
    write_card(path, card_of_stranger("mr", "owner/name", "f" * 16, rows.test))
    check_rows(path, tmp_path, rows.hashes["test"], "the same")
    with pytest.raises(UserError, match=r"tested on its test rows \(hash .*these are others"):
        check_rows(path, tmp_path, rows.hashes["train"], "others")


def test_cards_of_different_test_data_are_noted_and_old_ones_are_read(
    tmp_path: Path, data: Path
) -> None:
    card = read_card(card_of_run(tmp_path, rows_in(data)))
    other = {**card, "data": {**card["data"], "hashes": {"test": "0" * 16}}}
    old = {**card, "data": {"train": 30, "test": 40, "words": 2.0}}
    assert data_notes([card, card, old]) == []
    (note,) = data_notes([card, other, old])  # type: ignore[list-item]
    assert "MR" in note
    assert "2 different test sets" in note
    variants = [setting.variant for setting in by_setting([card, other, old])]  # type: ignore
    told = [card["data"]["hashes"]["test"], "0" * 16, "not told"]
    assert sorted(variants) == sorted(f"test rows = {rows}" for rows in told)
    assert [setting.variant for setting in by_setting([card, card, old])] == [""]  # type: ignore
    elsewhere = {**other, "task": "sst2"}
    assert data_notes([card, elsewhere]) == []  # type: ignore[list-item]
    broken = {**card, "data": {**card["data"], "hashes": {"test": 3}}}
    with pytest.raises(UserError, match=r"data\.hashes\.test"):
        write_card(tmp_path / "broken.json", broken)  # type: ignore[arg-type]
