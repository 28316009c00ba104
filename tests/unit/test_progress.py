"""What long work shows where there is no terminal."""

import io

from rich.console import Console

from mindflood.attack.results.progress import AttackProgress
from mindflood.progress import Display
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


def test_time_left_counts_only_this_process(monkeypatch):
    clock = iter(float(second) for second in range(0, 1000, 10))
    monkeypatch.setattr("mindflood.progress.time.monotonic", lambda: next(clock))
    console, shown = plain_console()
    display = Display("title", 110, 100, seconds_between_lines=0, console=console)
    display.advance("")
    seconds = int(shown.getvalue().split()[-3])
    assert 9 * 10 <= seconds <= 9 * 30  # a piece took 10 to 30 s of this clock, 9 are left


def test_a_worker_that_does_not_write_is_silent(capsys):
    with TrainingProgress("run", 1, 0, silent=True) as progress:
        progress.step(0.5, 0.1)
    assert capsys.readouterr().err == ""


def test_training_tells_when_it_floods(capsys):
    with TrainingProgress("run", 1, 0, silent=False) as progress:
        progress.accuracy(0.875)
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
