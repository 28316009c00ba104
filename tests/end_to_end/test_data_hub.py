"""The hub source through a local cache, offline, in a process that never imports torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROWS = {
    "train": [("a quiet marvel", 1), ("flat and tired", 0), ("it moves", 1)],
    "validation": [("a waste of light", 0), ("warm and funny", 1)],
}

# As `datasets` leaves a cache behind after a first download: namespace___name/config/version/hash.
FILL_CACHE = """
import json, shutil, sys
from pathlib import Path
import datasets
source, cache = map(Path, sys.argv[1:3])
owner, name, config = sys.argv[3:]
features = datasets.Features(
    sentence=datasets.Value("string"),
    label=datasets.ClassLabel(names=["negative", "positive"]),
) if name == "glue" else None
files = {split: str(source / f"{split}.jsonl") for split in ("train", "validation")}
datasets.load_dataset("json", data_files=files, features=features, cache_dir=str(cache / "made"))
made = next((cache / "made" / "json").glob("*/*/*/"))
kept = cache / f"{owner}___{name}" / config / "0.0.0" / made.name
shutil.copytree(made, kept)
for file in kept.glob("json-*.arrow"):
    file.rename(kept / file.name.replace("json-", f"{name}-"))
info = json.loads((kept / "dataset_info.json").read_text())
info |= {"dataset_name": name, "config_name": config, "builder_name": "parquet"}
for split in info["splits"].values():
    split["dataset_name"] = name
(kept / "dataset_info.json").write_text(json.dumps(info))
"""

LOAD = """
import json, sys
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
try:
    splits = {s: load_examples(get_task(sys.argv[1]), s) for s in ("train", "dev", "test")}
    result = {s: [[t for (t,) in e.texts], e.labels.tolist()] for s, e in splits.items()}
except UserError as error:
    result = {"error": str(error)}
result["foreign"] = sorted({"torch", "tensorflow", "mindspore", "transformers"} & set(sys.modules))
print(json.dumps(result))
"""


def python(code: str, *arguments: str, cache: Path) -> str:
    environment = os.environ | {
        "HF_HOME": str(cache / "home"),
        "HF_DATASETS_CACHE": str(cache),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", code, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    for split, rows in ROWS.items():
        lines = [json.dumps({"sentence": text, "label": label}) for text, label in rows]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    python(FILL_CACHE, str(folder), str(folder), "nyu-mll", "glue", "sst2", cache=folder)
    return folder


def test_a_cached_data_set_loads_offline_without_torch(cache: Path) -> None:
    result = json.loads(python(LOAD, "sst2", cache=cache).splitlines()[-1])
    train, dev = ([list(column) for column in zip(*rows, strict=True)] for rows in ROWS.values())
    assert result == {"train": train, "dev": dev, "test": dev, "foreign": []}


def test_an_unreachable_hub_is_one_line_that_says_what_to_do(cache: Path) -> None:
    result = json.loads(python(LOAD, "imdb", cache=cache).splitlines()[-1])
    assert "stanfordnlp/imdb" in result["error"]
    assert "--data FOLDER" in result["error"]
    assert "\n" not in result["error"]


def test_a_hub_that_does_not_answer_is_told_at_once_and_quietly(tmp_path: Path) -> None:
    environment = os.environ | {
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": "http://127.0.0.1:9",  # the port that discards: nobody listens
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, "sst2"],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "cannot get 'nyu-mll/glue/sst2' from the hub" in json.loads(done.stdout)["error"]
    assert done.stderr == ""


OWN = """
import dataclasses, json
from mindflood.data.own import own_task, training_labels
from mindflood.data.sources import Source, load_examples
task = own_task(("sentence",), "label", hub="nyu-mll/glue:sst2")
task = dataclasses.replace(task, label_names=training_labels(task))
print(json.dumps([task.name, task.label_names, Source(task).division()]))
for split in ("train", "dev", "test"):
    found = load_examples(task, split)
    print(json.dumps([[text for (text,) in found.texts], found.labels.tolist()]))
"""


def test_a_data_set_of_the_hub_is_read_by_its_columns(cache: Path) -> None:
    described, *splits = map(json.loads, python(OWN, cache=cache).splitlines())
    assert described == ["glue", ["negative", "positive"], None]
    train, dev = ([list(column) for column in zip(*rows, strict=True)] for rows in ROWS.values())
    assert splits == [train, dev, dev]


SKIP = """
import dataclasses, sys
from mindflood.data.sources import Source
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
task = get_task(sys.argv[1])
try:
    Source(task).examples("train")
except UserError as error:
    print(error)
found = Source(dataclasses.replace(task, skip_bad_rows=True)).examples("train")
print(found.texts, found.labels.tolist())
"""


def test_malformed_questions_of_the_hub_are_left_out_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    choices = {"label": ["A", "B"], "text": ["one", "two"]}
    rows = [{"question": f"q{n}", "choices": choices, "answerKey": key}
            for n, key in enumerate("AZB")]  # fmt: skip
    for split in ("train", "validation"):
        lines = [json.dumps(row) for row in rows]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines))
    where = ("allenai", "ai2_arc", "ARC-Easy")
    python(FILL_CACHE, str(tmp_path), str(tmp_path), *where, cache=tmp_path)
    refused, found = python(SKIP, "arc_easy", cache=tmp_path).splitlines()
    assert "ARC-Easy, split train, row 2: the answer key 'Z'" in refused
    assert "--skip-bad-rows" in refused
    assert found == "(('q0', 'one', 'two'), ('q2', 'one', 'two')) [0, 1]"
