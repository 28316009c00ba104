"""Every row of FreeLB's benchmarks trains from files in the benchmark's own layout."""

from pathlib import Path

import numpy as np
import pytest

from mindflood.cards.cards import read_card
from mindflood.cli import main
from mindflood.data.tasks import get_task
from tests.conftest import read_lines
from tests.end_to_end.test_kinds import WORDS, write_questions, write_scores

# Header and the columns of texts and label, as in GLUE's archives.
LAYOUTS = {
    "qqp": (["id", "qid1", "qid2", "question1", "question2", "is_duplicate"], (3, 4, 5)),
    "mnli": (["index", "promptID", "sentence1", "sentence2", "gold_label"], (2, 3, 4)),
    "wnli": (["index", "sentence1", "sentence2", "label"], (1, 2, 3)),
    "qnli": (["index", "question", "sentence", "label"], (1, 2, 3)),
}
WRITTEN = {
    "qqp": ("0", "1"),
    "mnli": ("entailment", "neutral", "contradiction"),
    "wnli": ("0", "1"),
    "qnli": ("entailment", "not_entailment"),
}


def write_pairs(layout: str, folder: Path, parts: dict[str, int]) -> None:
    """Questions come once with each label, so that pairs can be ranked."""
    header, (first, second, label) = LAYOUTS[layout]
    labels = WRITTEN[layout]
    random = np.random.default_rng(0)
    for name, count in parts.items():
        lines = ["\t".join(header)]
        for number in range(count):
            of = np.random.default_rng(number // len(labels)).choice(WORDS, 4)
            cells = ["0"] * len(header)
            cells[first], cells[second] = " ".join(of), " ".join(random.choice(WORDS, 4))
            cells[label] = labels[number % len(labels)]
            lines.append("\t".join(cells))
        (folder / name).write_text("\n".join(lines) + "\n")


def write_files(task: str, folder: Path) -> None:
    if task == "stsb":
        write_scores(folder)
    elif task in ("arc_easy", "arc_challenge", "commonsense_qa"):
        write_questions(folder)
        for file in get_task(task).files:
            (folder / f"{file.split}.jsonl").rename(folder / file.name)
    else:
        layout = task.removesuffix("_ranking").removesuffix("_mismatched")
        tested = ("dev_matched.tsv", "dev_mismatched.tsv") if layout == "mnli" else ("dev.tsv",)
        write_pairs(layout, folder, {"train.tsv": 48, **dict.fromkeys(tested, 24)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("qqp", {"accuracy", "f1"}),
        ("mnli", {"accuracy"}),
        ("mnli_mismatched", {"accuracy"}),
        ("wnli", {"accuracy"}),
        ("stsb", {"pearson", "spearman"}),
        ("arc_easy", {"accuracy"}),
        ("arc_challenge", {"accuracy"}),
        ("commonsense_qa", {"accuracy"}),
        ("qnli_ranking", {"accuracy"}),
        ("wnli_ranking", {"accuracy"}),
    ],
)
@pytest.mark.parametrize("method", ["finetune", "freelb"])
def test_a_benchmark_trains_from_its_own_files(task, metrics, method, tmp_path, write_config):
    write_files(task, tmp_path)
    config = write_config(
        method=method, task={"name": task, "data": str(tmp_path), "max_length": 16},
        training__batch_size=8, training__buckets=[16], attack__recipes=[],
        **({"defence__steps": 2} if method == "freelb" else {}),
    )  # fmt: skip
    assert main(["train", str(config)]) == 0
    run = tmp_path / "runs" / f"{method}-seed0"
    losses = [line["loss"] for line in read_lines(run / "trace.jsonl")]
    assert len(losses) >= 3
    assert np.isfinite(losses).all()
    card, last = read_card(run / "card.json"), read_lines(run / "evaluations.jsonl")[-1]
    assert (card["clean_accuracy"] is not None) == ("accuracy" in metrics)
    told = {*card.get("metrics", {}), *(last.get("eval_metrics") or {})}
    assert told >= metrics - {"accuracy"}


@pytest.mark.slow
def test_the_diagnostic_set_tests_a_model_of_mnli(tmp_path, write_config):
    write_files("mnli", tmp_path)
    config = write_config(
        task={"name": "mnli", "data": str(tmp_path), "max_length": 16},
        training__batch_size=8, training__buckets=[16], attack__recipes=[],
    )  # fmt: skip
    assert main(["train", str(config)]) == 0
    assert main(["export", str(run := tmp_path / "runs" / "finetune-seed0")]) == 0
    diagnostic = tmp_path / "ax"
    diagnostic.mkdir()
    lines = ["Premise\tHypothesis\tLabel", *(f"red {w}\tblue {w}\tneutral" for w in WORDS)]
    (diagnostic / "diagnostic-full.tsv").write_text("\n".join(lines) + "\n")
    words = ["--task", "ax", "--data", str(diagnostic), "--recipe", "textfooler"]
    assert main(["attack", str(run / "model"), *words, "--out", str(tmp_path / "out")]) == 0
    attacked = read_lines(tmp_path / "out" / "textfooler.jsonl")
    assert [line["original"][1] for line in attacked] == [f"blue {word}" for word in WORDS]
