"""The logs of a RUN folder: what stands in them when the process or the machine stops."""

import os
from pathlib import Path

import pytest

from mindflood.training.logs import JsonLines, lines_up_to


def test_a_durable_record_is_on_the_disk_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable = JsonLines(tmp_path / "accordance.jsonl", 0, durable=True)
    plain = JsonLines(tmp_path / "trace.jsonl", 0)
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        # What the descriptor's file holds at this moment is what the disk is asked to keep.
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().read_text())

    monkeypatch.setattr(os, "fsync", fsync)
    durable.append({"step": 1})
    plain.append({"step": 1})
    durable.append({"step": 2})
    assert synced == ['{"step": 1}\n', '{"step": 1}\n{"step": 2}\n']


def test_records_of_later_steps_are_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    log = JsonLines(path, 0)
    for step in (1, 2, 3):
        log.append({"step": step})
    JsonLines(path, 2).append({"step": 3, "again": True})
    assert lines_up_to(path, 9) == [{"step": 1}, {"step": 2}, {"step": 3, "again": True}]
