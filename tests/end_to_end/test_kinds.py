"""Regressions, choices and taggers from file to card and export; what they cannot do is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from mindflood.cards.cards import read_card
from mindflood.cli import main
from mindflood.config.load import load_train_config
from mindflood.errors import UserError
from mindflood.models.config import BertConfig
from tests.conftest import read_lines

WORDS = ["red", "blue", "green", "cold", "warm", "soft", "loud", "quiet", "old", "new"]


def write_scores(folder: Path) -> None:
    """Pairs whose score is the share of words in common, times 5."""
    random = np.random.default_rng(0)
    for name, count in (("train", 48), ("dev", 24)):
        lines = ["sentence1\tsentence2\tscore"]
        for _ in range(count):
            first, second = (random.choice(WORDS, 4) for _ in range(2))
            score = 5 * len({*first} & {*second}) / 4
            lines.append(f"{' '.join(first)}\t{' '.join(second)}\t{score:.3f}")
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")


def write_questions(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in (("train", 24), ("dev", 12), ("test", 12)):
        lines = []
        for number in range(count):
            k = 3 + number % 3
            texts = random.choice(WORDS, k, replace=False).tolist()
            answer = int(random.integers(k))
            listed = [{"label": str(n), "text": text} for n, text in enumerate(texts, 1)]
            question = {"stem": f"which is {texts[answer]} ?", "choices": listed}
            lines.append(json.dumps({"question": question, "answerKey": str(answer + 1)}))
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def write_tags(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in (("train", 32), ("dev", 16), ("test", 16)):
        lines = []
        for _ in range(count):
            for number in range(1, int(random.integers(3, 7))):
                word = int(random.integers(len(WORDS)))
                tag = ("NN", "VB", "JJ")[word % 3]
                lines.append(f"{number}\t{WORDS[word]}\t_\tX\t{tag}\t_\t0\t_\t_\t_")
            lines.append("")
        (folder / f"{name}.conllu").write_text("\n".join(lines) + "\n")


KINDS = {
    "stsb": (write_scores, "regression", "BertForSequenceClassification", "freelb"),
    "arc_easy": (write_questions, "choice", "BertForMultipleChoice", "freelb"),
    "pos": (write_tags, "tagging", "BertForTokenClassification", "finetune"),
}


@pytest.mark.parametrize(
    "task", ["arc_easy", *(pytest.param(name, marks=pytest.mark.slow) for name in ("stsb", "pos"))]
)
def test_a_kind_is_trained_exported_and_verified_in_pytorch(task, tmp_path, write_config, capfd):
    write, kind, architecture, method = KINDS[task]
    write(tmp_path)
    settings = {"defence__steps": 2} if method == "freelb" else {}
    config = write_config(
        method=method, task={"name": task, "data": str(tmp_path), "max_length": 16},
        training__batch_size=8, training__buckets=[16], attack__recipes=[], **settings,
    )  # fmt: skip
    assert main(["train", str(config)]) == 0
    run = tmp_path / "runs" / f"{method}-seed0"
    assert main(["export", str(run)]) == 0
    assert "PyTorch's logits are within" in capfd.readouterr().out
    stated = json.loads((run / "model" / "config.json").read_text())
    assert stated["architectures"] == [architecture]
    assert BertConfig.from_folder(run / "model").kind == kind
    card, last = read_card(run / "card.json"), read_lines(run / "evaluations.jsonl")[-1]
    losses = [line["loss"] for line in read_lines(run / "trace.jsonl")]
    assert np.isfinite(losses).all()
    if kind == "regression":
        assert card["clean_accuracy"] is None
        assert last["eval_accuracy"] is None
        assert set(card["metrics"]) == {"pearson", "spearman"} == set(last["eval_metrics"])
        assert stated["problem_type"] == "regression"
    else:
        assert card["clean_accuracy"] is not None
        assert "metrics" not in card
    mark = json.loads((run / "model" / "mindflood.json").read_text())
    assert mark["verification"]["agrees"]
    for words in (
        ["predict", str(run), "red"],
        ["attack", str(run), "--task", "sst2", "--recipe", "textfooler", "--out", str(tmp_path)],
        ["analyse", "noise", str(run)],
    ):
        assert main(words) == 2
        said = capfd.readouterr().err.strip().splitlines()[-1]
        assert "are for classifiers" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("task", "override", "says"),
    [
        ("stsb", "method=flooding-x", "method: gradient accordance compares the gradients of the"),
        ("stsb", "method=flooding-search", "method: 'flooding-search' ranks its levels by an att"),
        ("arc_easy", "method=flooding-x-online", "the place of its answer, which is arbitrary"),
        ("commonsense_qa", "accordance.record=true", "accordance.record: gradient accordance"),
        ("pos", "method=flooding-search", "task 'pos' is a tagging of words"),
    ],
)
def test_what_needs_classes_is_refused_with_the_reason(task, override, says, write_config):
    config = write_config(task={"name": task, "data": "."})
    with pytest.raises(UserError) as error:
        load_train_config(config, [override])
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_with_attacks_on_another_kind_is_refused_before_it_trains(
    tmp_path, write_config, capsys
):
    config = write_config(task={"name": "stsb", "data": str(tmp_path)})
    assert main(["run", str(config)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith("task stsb is a regression; set attack.recipes=[]")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").rglob("card.json"))


@pytest.mark.parametrize("value", ["high", "", "nan", "inf"])
def test_a_target_that_is_no_number_is_refused(value, tmp_path, write_config, capsys):
    (tmp_path / "train.tsv").write_text(f"sentence1\tsentence2\tscore\na\tb\t1\nc\td\t{value}\n")
    config = write_config(task={"name": "stsb", "data": str(tmp_path)})
    assert main(["train", str(config)]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "train.tsv, row 3: 'score' must be a number, found" in said
