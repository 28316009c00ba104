"""Training on adversarial examples: what is kept, that it resumes, and what is refused."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mindflood.config.load import from_yaml
from mindflood.data.corpus import builtin_corpus
from mindflood.training.dataset import rows_of
from tests.conftest import TINY, read_lines
from tests.end_to_end.test_train import assert_identical, kill_when, start
from tests.unit.attack_models import save_masked_lm

ROUNDS = (2, 3)  # epochs that begin with an attack
ROWS, GAMMA = 40, 0.1
BATCH = 8
CHANGES = {
    "method": "a2t",
    "flood_level": 0.5,
    "task__train_examples": ROWS,
    "task__eval_examples": 16,
    "training__epochs": 3,
    "training__batch_size": BATCH,
    "training__checkpoint_every": 2,
    "adversarial": {"gamma": GAMMA, "alpha": 0.5},
}
# In a process that never saw MindSpore nor the attack: what do the kept texts look like to the
# epoch's model?
ANSWERS = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folder, texts = sys.argv[1], json.loads(sys.argv[2])
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
inputs = AutoTokenizer.from_pretrained(folder)(
    texts, padding=True, truncation=True, return_tensors="pt"
)
with torch.no_grad():
    print(json.dumps(model(**inputs).logits.argmax(1).tolist()))
"""


def run_of(folder: Path) -> Path:
    return folder / "a2t-seed0"


@pytest.fixture(scope="module")
def unsteady_encoder(tmp_path_factory, tiny_encoder):
    """Tiny, with weights so large that a word more or less makes another text of it."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder") / "unsteady"
    shutil.copytree(tiny_encoder, folder)
    torch.manual_seed(0)
    config = BertConfig(**TINY | {"initializer_range": 0.3})
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture
def trained(write_config, mindflood, tmp_path, unsteady_encoder):
    config = write_config(
        "whole.yaml", output=str(tmp_path / "whole"), encoder=str(unsteady_encoder), **CHANGES
    )
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    return run_of(tmp_path / "whole"), done.stderr


@pytest.mark.slow
def test_what_is_kept_and_that_a_killed_run_is_the_same(
    trained, unsteady_encoder, write_config, mindflood, tmp_path
):
    run, said = trained
    check_steps(run)
    for epoch in ROUNDS:
        check_round(run / "adversarial" / f"epoch-{epoch}", said)

    config = write_config(
        "killed.yaml", output=str(tmp_path / "killed"), encoder=str(unsteady_encoder), **CHANGES
    )
    killed = run_of(tmp_path / "killed")
    journal = killed / "adversarial/epoch-2/a2t.jsonl"
    kill_when(start(config), lambda: journal.exists() and journal.read_text().count("\n") >= 3)
    before = read_lines(journal)[:3]
    trace = killed / "trace.jsonl"
    kill_when(start(config), lambda: trace.read_text().count("\n") >= ROWS // BATCH + 3)
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    assert_identical(killed, run)
    assert read_lines(journal)[:3] == before
    for epoch in ROUNDS:
        attacked, kept = (f"adversarial/epoch-{epoch}/{name}.jsonl" for name in ("a2t", "kept"))
        rows = [line["index"] for line in read_lines(killed / attacked)]
        assert len(rows) == len(set(rows))
        assert (killed / kept).read_text() == (run / kept).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"workers": 2}, {"workers": 2, "ray": True}], ids=["two", "ray"])
def test_who_attacks_changes_nothing(
    how, trained, unsteady_encoder, write_config, mindflood, tmp_path
):
    run, _ = trained
    changes = CHANGES | {"adversarial": CHANGES["adversarial"] | how}
    output = str(tmp_path / "shared")
    config = write_config("w.yaml", output=output, encoder=str(unsteady_encoder), **changes)
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    shared = run_of(tmp_path / "shared")
    assert_identical(shared, run)
    for epoch in ROUNDS:
        kept = f"adversarial/epoch-{epoch}/kept.jsonl"
        assert (shared / kept).read_text() == (run / kept).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["a2t-mlm", "bert-attack"])
def test_the_methods_that_ask_a_masked_language_model(
    method, unsteady_encoder, write_config, mindflood, tmp_path
):
    save_masked_lm(tmp_path / "masked-lm")
    section = CHANGES["adversarial"] | {"masked_lm": str(tmp_path / "masked-lm")}
    section |= {"candidates": 8} if method == "bert-attack" else {}
    changes = CHANGES | {"method": method, "adversarial": section, "training__epochs": 2}
    config = write_config(encoder=str(unsteady_encoder), **changes)
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / f"{method}-seed0"
    records = read_lines(run / f"adversarial/epoch-2/{method}.jsonl")
    kept = read_lines(run / "adversarial/epoch-2/kept.jsonl")
    succeeded = {one["index"] for one in records if one["result"] == "succeeded"}
    assert kept, "nothing to look at"
    assert {line["row"] for line in kept} <= succeeded
    check_kept(run / "adversarial/epoch-2", method)
    assert len(kept) == min(len(succeeded), math.ceil(GAMMA * ROWS))
    (told,) = json.loads((run / "card.json").read_text())["adversarial"]
    assert any("bert-base-uncased by" in line for line in told["replaced"])


def check_steps(run: Path) -> None:
    """The schedule ends with the last step that is made."""
    trace = read_lines(run / "trace.jsonl")
    card = json.loads((run / "card.json").read_text())
    found = [one["kept"] for one in card["adversarial"]]
    steps = [math.ceil((ROWS + count) / BATCH) for count in (0, *found)]
    assert len(trace) == sum(steps)
    assert [line["step"] for line in read_lines(run / "evaluations.jsonl")] == [
        sum(steps[: number + 1]) for number in range(3)
    ]
    assert trace[-1]["epoch"] == 3.0
    rates = [line["learning_rate"] for line in trace]
    assert rates[-1] == pytest.approx(rates[-2] / 2)  # a line that is zero one step later
    assert all(line["flooding"] == (line["loss"] < 0.5) for line in trace)
    assert card["train_seconds"] > sum(one["seconds"] for one in card["adversarial"]) > 0


def check_round(folder: Path, said: str) -> None:
    summary = json.loads((folder / "round.json").read_text())
    records = {line["index"]: line for line in read_lines(folder / "a2t.jsonl")}
    kept = read_lines(folder / "kept.jsonl")
    assert summary["wanted"] == math.ceil(GAMMA * ROWS)
    assert len(kept) == summary["kept"] <= summary["wanted"]
    assert summary["exhausted"] == (len(kept) < summary["wanted"])
    assert summary["attacked"] == len(records) <= ROWS
    if summary["exhausted"]:
        assert len(records) == ROWS
        assert f"all {ROWS} training rows are attacked, and {len(kept)} succeeded" in said
    check_kept(folder, "a2t")
    for line in kept:
        before, after = records[line["row"]]["original"][0].split(), line["texts"][0].split()
        changed = sum(a != b for a, b in zip(before, after, strict=True))
        assert 0 < changed <= max(4, math.ceil(0.1 * len(before)))


def check_kept(folder: Path, recipe: str) -> None:
    """Every kept row fools the epoch's model, in a process of its own, and has the data's label."""
    records = {line["index"]: line for line in read_lines(folder / f"{recipe}.jsonl")}
    kept = read_lines(folder / "kept.jsonl")
    rows = rows_of(from_yaml(folder.parents[1] / "config.yaml")).train
    assert kept, "nothing to look at"
    texts = [line["texts"][0] for line in kept]
    words = [sys.executable, "-c", ANSWERS, str(folder / "model"), json.dumps(texts)]
    answers = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    for line, answer in zip(kept, answers, strict=True):
        record = records[line["row"]]
        assert record["result"] == "succeeded"
        assert line["label"] == record["label"] == rows.labels[line["row"]] != answer
        assert tuple(record["original"]) == rows.texts[line["row"]] != tuple(line["texts"])
        assert record["queries"] <= 200


@pytest.mark.slow
def test_a_round_that_steps_were_made_with_is_not_made_again(
    unsteady_encoder, write_config, mindflood, tmp_path
):
    """Its model is no more: later weights would find other rows."""
    config = write_config(encoder=str(unsteady_encoder), **CHANGES)
    run = tmp_path / "runs" / "a2t-seed0"
    trace = run / "trace.jsonl"
    in_the_second = ROWS // BATCH + 4
    kill_when(
        start(config), lambda: trace.exists() and trace.read_text().count("\n") >= in_the_second
    )
    folder = run / "adversarial" / "epoch-2"
    kept = (folder / "kept.jsonl").read_text()
    shutil.rmtree(folder)
    refused = mindflood("train", config)
    assert refused.returncode == 2
    assert f"{folder / 'round.json'}: is missing, and the epoch has begun" in refused.stderr
    assert not folder.exists()
    shutil.rmtree(run / "checkpoints")  # as the message says
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    assert (folder / "kept.jsonl").read_text() == kept


@pytest.mark.slow
def test_a_stranger_s_own_data(unsteady_encoder, write_config, mindflood, tmp_path):
    """Three classes, in files of their own and with a row that is left out."""
    texts, labels = builtin_corpus("train")
    lines = ["review\tstars", "a row without a class\t"]
    lines += [
        f"{text}\t{3 * label + len(text) % 2}" for text, label in zip(texts, labels, strict=True)
    ]
    for name, part in (("train", lines[:42]), ("test", lines[:1] + lines[42:60])):
        (tmp_path / f"{name}.tsv").write_text("\n".join(part) + "\n")
    task = {
        "text": "review", "label": "stars", "max_length": 32, "skip_bad_rows": True,
        "train": str(tmp_path / "train.tsv"), "test": str(tmp_path / "test.tsv"),
    }  # fmt: skip
    own = {key: value for key, value in CHANGES.items() if not key.startswith("task__")}
    own |= {"training__epochs": 2, "adversarial": {"gamma": 0.1}}
    config = write_config(encoder=str(unsteady_encoder), task=task, **own)
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "a2t-seed0"
    check_kept(run / "adversarial/epoch-2", "a2t")
    model = json.loads((run / "adversarial/epoch-2/model/config.json").read_text())
    assert model["id2label"] == {"0": "0", "1": "1", "2": "3", "3": "4"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("adversarial.gamma=0",), "adversarial.gamma: expected above 0 and at most 1, not 0"),
        (("adversarial.gamma=1.5",), "adversarial.gamma: expected above 0 and at most 1, not 1.5"),
        (
            ("adversarial.clean_epochs=4",),
            "adversarial.clean_epochs: expected at most training.epochs (3), not 4",
        ),
        (("method=a2t+freelb",), "method: unknown 'a2t+freelb'"),
        (
            ("flood_level=flooding-x",),
            "flood_level: 'flooding-x' is for the defences and for iflood and softad; give a",
        ),
        (("adversarial.candidates=8",), "adversarial.candidates: 'a2t' has no such setting"),
        (("adversarial.masked_lm=x",), "adversarial.masked_lm: 'a2t' (offline) asks no such model"),
        (
            ("method=bert-attack", "adversarial.masked_lm=nowhere"),
            "nowhere: no such folder; make one with 'mindflood masked-lm TASK",
        ),
        (
            ("task.name=pos", "flood_level=null"),
            "method: 'a2t' attacks its training rows, and task 'pos' is",
        ),
        (
            ("adversarial.profile=paper",),
            "a2t, profile 'paper': ",
        ),
        (("accordance.record=true",), "accordance.record: 'a2t' trains on other rows each epoch"),
    ],
)
def test_a_mistake_is_one_clear_line(write_config, capsys, overrides, message):
    from mindflood.cli import main

    assert main(["train", str(write_config(**CHANGES)), *overrides]) == 2
    assert message in capsys.readouterr().err


def test_workers_of_msrun_are_refused(write_config, monkeypatch, capsys):
    from mindflood.cli import main

    monkeypatch.setitem(os.environ, "MS_WORKER_NUM", "2")
    assert main(["train", str(write_config(**CHANGES))]) == 2
    assert "'a2t' starts its own processes and cannot run under msrun" in capsys.readouterr().err
