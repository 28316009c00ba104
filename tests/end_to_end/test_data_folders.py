"""The benchmarks' own files, where MINDFLOOD_DATA names a folder that holds them."""

import os
from pathlib import Path

import numpy as np
import pytest

from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task

DATA = os.environ.get("MINDFLOOD_DATA")

# Rows of the files; where a part is held out of another, the two together.
ROWS: dict[str, dict[str, int]] = {
    "sst2": {"train": 67_349, "dev": 872},
    "mrpc": {"train": 3_667, "dev": 408, "test": 1_725},
    "qnli": {"train+dev": 5_463},
    "ag_news": {"train+dev": 8_000, "test": 7_600},
    "imdb": {"train+dev": 2_000, "test": 1_000},
    "mr": {"train+dev+test": 10_662},
}


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="MINDFLOOD_DATA names no folder")
@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_the_benchmarks_loads(name: str) -> None:
    task = get_task(name)
    folder = str(Path(DATA or "") / name)
    parts = {split: load_examples(task, split, folder) for split in ("train", "dev", "test")}
    counts = {
        splits: sum(len(parts[split]) for split in splits.split("+")) for splits in ROWS[name]
    }
    assert counts == ROWS[name]
    if "test" not in "+".join(ROWS[name]):
        assert parts["test"].texts == parts["dev"].texts
    for held_together in (splits.split("+") for splits in ROWS[name]):
        texts = [set(parts[split].texts) for split in held_together]
        assert len(set.union(*texts)) == sum(map(len, texts))
    for examples in parts.values():
        shares = np.bincount(examples.labels, minlength=task.num_labels) / len(examples)
        assert len(shares) == task.num_labels
        assert shares.min() > 0.2
