"""Which rows are attacked and kept, whatever runs beside what and wherever it is stopped."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.training_rows import first_successes, lots
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from mindflood.training.adversarial_rows import KEPT, SUMMARY, read_round, wanted_of

SST2 = get_task("sst2")


def samples_of(order):
    return [(row, (f"text {row}",), row % 2) for row in order]


@given(st.data())
def test_the_kept_rows_are_the_first_that_succeed(data):
    count = data.draw(st.integers(1, 60))
    fooled = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    samples = samples_of(data.draw(st.permutations(range(count))))
    wanted = data.draw(st.integers(1, count))
    records, attacked = [], []
    while True:  # a process, which may be killed at any record
        killed = False
        for lot in lots(wanted, samples, records, data.draw(st.integers(1, 20))):
            for row, _, _ in data.draw(st.permutations(lot)):  # workers end in any order
                attacked.append(row)
                result = "succeeded" if fooled[row] else "failed"
                records.append({"index": row, "result": result})
                killed = data.draw(st.booleans()) and data.draw(st.booleans())
                if killed:
                    break
            if killed:
                break
        if not killed:
            break
    assert len(attacked) == len(set(attacked))
    expected = [row for row, _, _ in samples if fooled[row]][:wanted]
    assert [one["index"] for one in first_successes(wanted, samples, records)] == expected
    if len(expected) < wanted:
        assert len(attacked) == count


def test_no_row_is_attacked_that_cannot_be_needed():
    """Where every row succeeds, exactly as many are attacked as are wanted."""
    samples, records = samples_of(range(100)), []
    for lot in lots(30, samples, records, 1):
        records += [{"index": row, "result": "succeeded"} for row, _, _ in lot]
    assert [one["index"] for one in records] == list(range(30))


@pytest.mark.parametrize(
    ("gamma", "rows", "wanted"),
    [
        (0.2, 300, 60),
        (0.2, 301, 61),
        (1.0, 7, 7),
        (0.07, 100, 7),
        (1e-9, 5, 1),
        (1e-30, 5, 1),
        (0.29, 100, 29),
    ],
)
def test_the_share_is_rounded_up(gamma, rows, wanted):
    assert wanted_of(gamma, rows) == wanted


def a_round(folder, lines, **summary):
    folder.mkdir(exist_ok=True)
    (folder / KEPT).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / SUMMARY).write_text(json.dumps({"kept": len(lines)} | summary))
    return folder


LINE = {"row": 3, "texts": ["a dull film"], "label": 1}


def test_what_was_kept_is_read_with_its_labels(tmp_path):
    found, summary = read_round(a_round(tmp_path / "r", [LINE, LINE | {"label": 0}]), SST2)
    assert found.texts == (("a dull film",), ("a dull film",))
    np.testing.assert_array_equal(found.labels, [1, 0])
    assert summary == {"kept": 2}
    assert len(read_round(a_round(tmp_path / "r", []), SST2)[0]) == 0


@pytest.mark.parametrize(
    ("lines", "summary", "message"),
    [
        (
            [LINE],
            {"kept": 2},
            "kept.jsonl: 1 rows, and round.json tells of another number; restore",
        ),
        ([LINE, LINE | {"label": 2}], {}, "kept.jsonl, line 2: no row of task sst2"),
        ([LINE | {"texts": ["a", "b"]}], {}, "line 1: no row of task sst2: expected 1 texts"),
        ([LINE | {"texts": "a"}], {}, "line 1: no row"),
        ([LINE | {"texts": [1]}], {}, "line 1: no row"),
    ],
)
def test_a_damaged_round_is_told_by_its_line(tmp_path, lines, summary, message):
    with pytest.raises(UserError, match=message):
        read_round(a_round(tmp_path / "r", lines, **summary), SST2)
