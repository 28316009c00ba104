"""A benchmark's record has the table that was printed, and nothing of the machine's own names."""

import argparse
import json
import platform
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import Record, Sheet, add_option, below, command_line, joined, numbers, read_record
from records import words as text

from mindflood.errors import UserError
from tests.conftest import ROOT
from tools.results_pages import filled

RECORDS = sorted((ROOT / "results" / "benchmarks").glob("*.json"))


@pytest.fixture
def record(tmp_path, monkeypatch, capsys):
    """A sheet of two rows, kept; the file and what was printed."""
    path = tmp_path / "kept" / "step.json"
    words = ["tools/bench.py", "--rounds", "3", "--data", str(tmp_path), "--record", str(path)]
    monkeypatch.setattr(sys, "argv", words)
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds")
    parser.add_argument("--data")
    add_option(parser)
    columns = [text("shape"), numbers("step (s)", 3), numbers("paper", 1)]
    sheet = Sheet("step", columns, packages=["numpy"], threads=2)
    sheet.add("32×32", 0.53712345678, None)
    sheet.add("32×64", 1, 2.25)
    sheet.keep(parser.parse_args().record)
    return path, capsys.readouterr().out


def test_what_is_kept_is_what_was_printed(record, tmp_path):
    path, printed = record
    block = f"<!-- table {{from: {path}}} -->\n<!-- /table -->"
    assert printed.strip() in filled(block)
    assert "| 32×32 | 0.537 | – |\n| 32×64 | 1.000 | 2.2 |" in printed
    kept = json.loads(path.read_text())
    assert kept["rows"] == [["32×32", 0.537123, None], ["32×64", 1.0, 2.25]]
    assert kept["command"] == "python tools/bench.py --rounds 3 --data FOLDER"
    assert kept["packages"].keys() == {"python", "numpy"}
    assert kept["machine"].keys() == {"processor", "cores", "load", "threads", "accelerator"}
    assert str(tmp_path) not in path.read_text()


def test_without_the_option_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = Sheet("step", [text("shape")], packages=[])
    sheet.add("32×32")
    sheet.keep(None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--record", "a.json", "--seq", "32", "64"], "--seq 32 64"),
        (["--record=a.json", "--seq=32"], "--seq=32"),
        (["--against", "/usr/bin/python3"], "--against FILE"),
        ([f"--data={ROOT}"], "--data=FOLDER"),
        (["nowhere/at/all"], "FILE"),
        (["sst2", "two words"], "sst2 'two words'"),
    ],
)
def test_a_command_names_no_path(words, expected):
    assert command_line(["/home/somebody/tools/bench.py", *words]) == (
        f"python tools/bench.py {expected}"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda kept: kept["rows"][0].append(1), "row 1: 3 cells expected"),
        (lambda kept: kept["rows"][1].__setitem__(1, "fast"), r"row 2, column 'step \(s\)': a num"),
        (lambda kept: kept["rows"][1].__setitem__(0, 3.5), "row 2, column 'shape': text expected"),
        (lambda kept: kept["machine"].update(host="mine"), "machine.host: Extra inputs"),
        (lambda kept: kept["machine"].update(cores=0), "machine.cores: .*greater than"),
        (lambda kept: kept.pop("columns"), "columns: Field required"),
        (lambda kept: kept.update(rows=[]), "rows: .*at least 1"),
        (lambda kept: kept["columns"][2].update(title="step (s)"), r"columns: 'step \(s\)' is"),
    ],
)
def test_a_record_that_is_none_is_one_line(record, change, message):
    path, _ = record
    kept = json.loads(path.read_text())
    change(kept)
    path.write_text(json.dumps(kept))
    with pytest.raises(UserError, match=f"{path.name}: {message}") as raised:
        read_record(path)
    assert len(str(raised.value).splitlines()) == 1


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_number_is_shown_with_its_digits(value, digits):
    record = Record(
        name="n", command="c", packages={}, machine=MACHINE, rows=[[value]],
        columns=[numbers("n", digits)],
    )  # fmt: skip
    (row,) = record.table().rows
    (cell,) = row.cells
    assert float(cell.text) == pytest.approx(value, abs=0.5 * 10**-digits + 1e-9 * abs(value))


MACHINE = {"processor": "x86_64", "cores": 2, "load": 0.5}


def test_records_of_one_machine_share_the_line_below(record):
    path, _ = record
    one = read_record(path)
    other = one.model_copy(update={"command": "python tools/other.py"})
    assert len(joined([one, other]).rows) == 4
    (line,) = below([one, other]).splitlines()
    assert line.startswith("`python tools/bench.py --rounds 3 --data FOLDER`, `python tools/other")
    assert "2 threads" in line


def test_records_of_other_columns_do_not_join(record):
    path, _ = record
    one = read_record(path)
    other = one.model_copy(update={"columns": one.columns[::-1], "name": "other"})
    with pytest.raises(UserError, match="step and other differ in their columns"):
        joined([one, other])


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_committed_record_tells_no_machine(path: Path) -> None:
    record = read_record(path)
    assert record.name
    script, *options = record.command.removeprefix("python ").split()
    assert (ROOT / script).is_file()
    assert not [word for word in options if "/" in word]
    assert platform.node() not in path.read_text("utf-8")
