"""What long work shows where there is no terminal."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mindflood.attack.results.progress import AttackProgress
from mindflood.progress import Display, Pace
from mindflood.training.progress import TrainingProgress


def plain_console() -> tuple[Console, io.StringIO]:
    shown = io.StringIO()
    return Console(file=shown, width=20), shown


def test_the_last_piece_is_always_shown_on_one_line():
    console, shown = plain_console()
    with Display("a [long] title", 3, 1, seconds_between_lines=1e6, console=console) as display:
        display.advance("loss 2")
        assert shown.getvalue() == ""
        display.advance("loss 1")
    assert shown.getvalue() == "a [long] title  3/3  loss 1  0 s left\n"


def lefts(pieces: list[float], total: int, done: int = 0) -> list[float | None]:
    """What is said to be left after each piece that took so many seconds."""
    pace, now, found = Pace(0.0, done), 0.0, []
    for seconds in pieces:
        now, done = now + seconds, done + 1
        pace.report(now, done)
        found.append(pace.left(total))
    return found


def test_a_first_step_that_compiles_is_no_measure_of_the_others():
    # A minute to compile, at a fifth of a second a step: 1,000 steps are 200 s, not 17 hours.
    found = lefts([60.0] + [0.2] * 999, 1000)
    assert found[:7] == [None] * 7
    told = [(step, left) for step, left in enumerate(found, start=1) if left is not None]
    assert told[0][0] == Pace.LEAST
    assert all(left == pytest.approx((1000 - step) * 0.2) for step, left in told)


def test_a_length_that_compiles_later_is_no_measure_either():
    found = lefts([60.0] + [0.2] * 20 + [40.0] + [0.2] * 978, 1000)
    assert max(left for left in found if left is not None) <= 1000 * 0.2 + 1e-6
    assert found[21] is None
    assert found[50] == pytest.approx(949 * 0.2)


def test_a_pause_that_comes_with_every_epoch_counts():
    found = lefts(([1.0] * 9 + [11.0]) * 10, 100)  # 2 s a piece with the evaluation
    assert found[59] == pytest.approx(40 * 2.0, rel=0.2)


@given(st.floats(0.01, 100), st.integers(9, 60), st.integers(1, 60), st.integers(0, 40))
def test_at_a_constant_pace_the_time_left_is_exact(seconds, run, more, before):
    total = before + run + more
    found = lefts([seconds] * run, total, before)
    assert found[-1] == pytest.approx(more * seconds)


def test_the_line_has_no_time_left_until_there_is_one(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("mindflood.progress.time.monotonic", lambda: now[0])
    console, shown = plain_console()
    display = Display("title", 200, 100, seconds_between_lines=0, console=console)
    for seconds in [3000.0] + [1.0] * 9:
        now[0] += seconds
        display.advance("loss 1")
    lines = shown.getvalue().splitlines()
    assert lines[0] == "title  101/200  loss 1"
    assert lines[-1] == "title  110/200  loss 1  90 s left"


def test_the_bar_says_what_the_line_says(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("mindflood.progress.time.monotonic", lambda: now[0])
    shown = io.StringIO()
    console = Console(file=shown, width=100, force_terminal=True)
    with Display("title", 100, 0, seconds_between_lines=0, console=console) as display:
        for seconds in [3000.0] + [1.0] * 9:
            now[0] += seconds
            display.advance("loss 1")
    assert "10/100 loss 1 90 s left" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())


def test_work_may_turn_out_to_be_more():
    console, shown = plain_console()
    with Display("title", 2, 0, seconds_between_lines=1000, console=console) as display:
        display.advance("loss 1")
        with display.hidden():
            display.expect(3)
        display.advance("loss 2")
        assert shown.getvalue() == ""  # two of three: it is not over
        display.advance("loss 3")
    assert "title  3/3  loss 3" in shown.getvalue()


def test_a_worker_that_does_not_write_is_silent(capsys):
    with TrainingProgress("run", 1, 0, silent=True) as progress:
        progress.step(0.5, 0.1)
    assert capsys.readouterr().err == ""


def test_training_tells_when_it_floods(capsys):
    with TrainingProgress("run", 1, 0, silent=False) as progress:
        progress.evaluated("accuracy 87.5 %")
        progress.step(0.05, 0.1)
    line = capsys.readouterr().err
    assert "run  1/1  loss 0.0500  level 0.1 flooding  accuracy 87.5 %" in line


def test_an_attack_s_rates_count_the_records_of_an_earlier_run():
    console, shown = plain_console()
    records = [
        {"result": "failed", "queries": 5, "seconds": 1},
        {"result": "succeeded", "queries": 7, "seconds": 1},
    ]
    with AttackProgress("attack", 2, records[:1], console) as progress:
        progress.add(records[1])
    assert "attack  2/2  Aua 50.0 % Suc 50.0 %" in shown.getvalue()
