"""SIGKILL at random moments over all stages of an experiment: in the end nothing is different.

The same command goes on each time, and its outcome is that of an experiment that nobody disturbed.
Nobody reads its output either.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.attack_records import assert_same, records
from tests.conftest import read_lines, weights_of

KILLS = 100
RECIPE = "deepwordbug"  # letters fool a model that knows few words
ATTACKED = 8  # texts
LANES = 2  # experiments side by side: while it starts, a stage computes on one core
SEED = 14
STAGES = ("start", "train", "export", "attack", "report")
_REACH = 1.4  # a stage is killed within so many of its usual durations, if it is not over by then
_IN_A_ROW = 4  # kills of a stage that does not come to its end, after which it is left alone
_AT_THE_START = 0.1  # how often the experiment itself is killed before its first stage
_OUTLIVES = 20  # seconds within which all processes of a killed experiment have to be gone
_MARK = "MINDFLOOD_TEST_EXPERIMENT"  # in the environment of an experiment's processes


@dataclass
class Lane:
    """Experiments in one folder, one after the other, until ``kills`` of them were killed."""

    folder: Path
    config: Path
    kills: int
    usual: dict[str, float]
    random: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    in_a_row: Counter[str] = field(default_factory=Counter)
    finished: int = 0

    @property
    def output(self) -> Path:
        return self.folder / "runs"

    @property
    def run(self) -> Path:
        return self.output / "finetune-seed0"

    def work(self, undisturbed: "Lane") -> None:
        while self.killed.total() < self.kills:
            shutil.rmtree(self.output, ignore_errors=True)
            while not self.attempt():
                pass
            self.finished += 1
            assert_alike(self, undisturbed)

    def attempt(self) -> bool:
        """Give the command, and kill it at a random moment; whether it came to its end."""
        with (self.folder / "log.txt").open("a") as log:
            process = self._started(log)
            killed = self._killed(process)
            status = process.wait(timeout=900)
        said = (self.folder / "log.txt").read_text()
        assert "Traceback" not in said, said[-5000:]
        assert status in ((0, 2, -signal.SIGKILL) if killed else (0,)), said[-5000:]
        self._check_all_are_gone()
        return status == 0

    def _started(self, log: Any) -> "subprocess.Popen[bytes]":
        reading, writing = os.pipe()
        os.close(reading)  # as 'mindflood run ... | head -1' does in the end
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "mindflood", "run", str(self.config)],
                stdout=writing,
                stderr=log,
                env={**os.environ, _MARK: str(self.folder)},
            )
        finally:
            os.close(writing)

    def _killed(self, process: "subprocess.Popen[bytes]") -> bool:
        """Watch an experiment until it is over (False) or was killed (True)."""
        stage, since = "start", time.monotonic()
        due = since + self._moment(stage)
        while process.poll() is None:
            now = time.monotonic()
            if now >= due:
                self._kill(process, stage)
                return True
            found = self._stage(process, stage)
            if found != stage:
                self.usual[stage] = max(self.usual.get(stage, 0.0), now - since)
                self.in_a_row[stage] = 0
                stage, since = found, now
                due = since + self._moment(stage)
            time.sleep(max(0.0, min(0.2, due - time.monotonic())))
        self.usual[stage] = max(self.usual.get(stage, 0.0), time.monotonic() - since)
        self.in_a_row.clear()
        return False

    def _moment(self, stage: str) -> float:
        """Seconds from the begin of the stage to its kill."""
        enough = self.killed.total() >= self.kills or self.in_a_row[stage] >= _IN_A_ROW
        spared = stage == "start" and self.random.random() > _AT_THE_START
        moment = self.random.uniform(0, _REACH * self.usual.get(stage, 0.0))
        return float("inf") if enough or spared else moment

    def _stage(self, process: "subprocess.Popen[bytes]", before: str) -> str:
        """The verb that the experiment has a process for; after the last attack it reports."""
        try:
            for child in psutil.Process(process.pid).children():
                words = child.cmdline()
                if "mindflood" in words:
                    return words[words.index("mindflood") + 1]
        except psutil.Error:  # it has just ended
            return before
        return "report" if before != "start" and self._is_attacked() else before

    def _is_attacked(self) -> bool:
        card = self.run / "card.json"
        attacks = json.loads(card.read_text())["attacks"] if card.exists() else {}
        return attacks.get(f"{RECIPE}-offline", {}).get("num_examples") == ATTACKED

    def _kill(self, process: "subprocess.Popen[bytes]", stage: str) -> None:
        """The experiment itself, or one of the processes below it, as for want of memory."""
        victims = [process.pid]
        try:
            below = psutil.Process(process.pid).children(recursive=True)
            victims += [one.pid for one in below if "resource_tracker" not in str(one.cmdline())]
        except psutil.Error:
            pass
        chosen = process.pid if self.random.random() < 0.5 else self.random.choice(victims)
        try:
            os.kill(chosen, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed[stage] += 1
        self.in_a_row[stage] += 1

    def _check_all_are_gone(self) -> None:
        deadline = time.monotonic() + _OUTLIVES
        while left := list(self._processes()):
            assert time.monotonic() < deadline, f"outlive their experiment: {left}"
            time.sleep(0.1)

    def _processes(self) -> Iterator[list[str]]:
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == str(self.folder):
                    yield process.cmdline()
            except psutil.Error:
                continue


def assert_alike(found: Lane, expected: Lane) -> None:
    """The same weights, logs, records and card; nothing half-written is left."""
    assert not list(found.output.rglob("*.part"))
    names = [sorted(path.name for path in (lane.run / "checkpoints").iterdir())
             for lane in (found, expected)]  # fmt: skip
    assert names[0] == names[1]
    for name in names[0]:
        weights, wanted = (
            weights_of(lane.run / "checkpoints" / name) for lane in (found, expected)
        )
        assert weights.keys() == wanted.keys()
        for key, array in wanted.items():
            np.testing.assert_array_equal(weights[key], array, err_msg=key)
    model, wanted_model = (
        (lane.run / "model" / "model.safetensors").read_bytes() for lane in (found, expected)
    )
    assert model == wanted_model
    for log in ("trace.jsonl", "evaluations.jsonl"):
        lines, wanted_lines = (
            [{**line, "train_seconds": None} for line in read_lines(lane.run / log)]
            for lane in (found, expected)
        )
        assert lines == wanted_lines
    assert_same(records(found.run / "attacks", RECIPE), records(expected.run / "attacks", RECIPE))
    card, wanted_card = (without_times(lane.run / "card.json") for lane in (found, expected))
    assert card == wanted_card
    assert (found.output / "report.html").read_text().rstrip().endswith("</html>")


def without_times(path: Path) -> Any:
    """A card without what depends on the machine: seconds, and the last bits of probabilities."""
    card = json.loads(path.read_text())
    for attack in card["attacks"].values():
        attack.update(seconds=None, calibration_error=None)
    return {**card, "train_seconds": None, "seconds_per_epoch": None}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sentences that one word decides, in SST-2's format: even a tiny model gets them right.

    Of what an attack puts in its place it has seen nothing.
    """
    choose = random.Random(SEED)
    words = {0: ("bad", "dull", "poor", "awful"), 1: ("good", "great", "fine", "lovely")}
    folder = tmp_path / "data"
    folder.mkdir()
    for name, rows in (("train", 1200), ("dev", 64)):
        lines = ["sentence\tlabel"]
        for _ in range(rows):
            label = choose.randrange(2)
            thing = choose.choice(("film", "story", "plot", "actor", "scene"))
            lines.append(f"the {thing} was {choose.choice(words[label])}\t{label}")
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def lanes(tmp_path: Path, data: Path, write_config: Any) -> list[Lane]:
    """Experiments that take steps enough to be killed between, on a model that can be fooled."""
    found = []
    for number in range(2 * LANES):
        folder = tmp_path / str(number)
        folder.mkdir()
        config = write_config(
            f"{number}/config.yaml",
            output=str(folder / "runs"),
            task={"name": "sst2", "data": str(data), "max_length": 32},
            training__epochs=2,
            training__learning_rate=1e-3,
            training__checkpoint_every=20,
            training__buckets=[32],
            attack={"recipes": [RECIPE], "profile": "offline", "num_examples": ATTACKED,
                    "workers": 2},
        )  # fmt: skip
        found.append(Lane(folder, config, 0, {}, random.Random(SEED + number)))
    return found


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_kills_at_random_moments_change_nothing(lanes: list[Lane]) -> None:
    undisturbed, disturbed = lanes[:LANES], lanes[LANES:]
    with ThreadPoolExecutor(LANES) as together:  # side by side, so that they take as long as later
        assert all(together.map(Lane.attempt, undisturbed))
    for other in undisturbed[1:]:
        assert_alike(other, undisturbed[0])
    attacked = records(undisturbed[0].run / "attacks", RECIPE).values()
    assert {"succeeded"} <= {record["result"] for record in attacked}
    for number, lane in enumerate(disturbed):
        lane.kills = KILLS // LANES + (number < KILLS % LANES)
        lane.usual.update(undisturbed[number].usual)
    with ThreadPoolExecutor(LANES) as together:
        list(together.map(lambda lane: lane.work(undisturbed[0]), disturbed))
    killed = sum((lane.killed for lane in disturbed), Counter())
    print(f"kills: {dict(killed)}; experiments: {sum(lane.finished for lane in disturbed)}")
    assert killed.total() == KILLS
    assert set(killed) >= set(STAGES)  # and, seldom, the command itself between two of them
