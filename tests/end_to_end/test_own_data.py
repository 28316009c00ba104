"""A stranger's file with classes of its own, in real commands: from training to the report."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mindflood.data.corpus import builtin_corpus
from tests.conftest import TINY

Mindflood = Callable[..., subprocess.CompletedProcess[str]]
CLASSES = ("awful", "bad", "fine", "good", "great")
COLUMNS = ["--text", "review", "--label", "stars"]
QUICK = ["--recipe", "textfooler", "--num-examples", "3", "--max-queries", "6"]


def said(done: subprocess.CompletedProcess[str], status: int = 0) -> str:
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_reviews(path: Path, split: str, count: int) -> None:
    texts, labels = builtin_corpus(split)  # type: ignore[arg-type]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "review", "stars"])
        for number in range(count):
            stars = CLASSES[3 * labels[number] + len(texts[number]) % 2]
            writer.writerow([number, texts[number], stars if number % 5 else "fine"])


@pytest.mark.slow
def test_five_classes_of_a_stranger_s_file_from_training_to_the_report(
    tmp_path: Path, write_config: Callable[..., Path], mindflood: Mindflood
) -> None:
    data = tmp_path / "hotel-reviews"
    data.mkdir()
    write_reviews(data / "train.csv", "train", 80)
    write_reviews(data / "test.csv", "test", 20)
    task = {
        "text": "review", "label": "stars", "max_length": 32,
        "train": str(data / "train.csv"), "test": str(data / "test.csv"),
    }  # fmt: skip
    config = write_config(task=task, attack={"recipes": ["textfooler"], "num_examples": 3})
    told = said(mindflood("train", config))
    assert f"80 rows of {data / 'train.csv'}: " in told
    run = tmp_path / "runs" / "finetune-seed0"
    kept = yaml.safe_load((run / "config.yaml").read_text())["task"]
    assert (kept["name"], kept["labels"]) == ("hotel-reviews", sorted(CLASSES))
    record = json.loads((run / "data.json").read_text())
    assert (record["test"]["rows"], record["test"]["source"]) == (20, str(data / "test.csv"))

    # Exported when the training file has another class: the order is the run's.
    with (data / "train.csv").open("a") as file:
        file.write("80,a film without a class,aaa\n")
    said(mindflood("export", run))
    names = json.loads((run / "model" / "config.json").read_text())["id2label"]
    assert list(names.values()) == sorted(CLASSES)
    said(mindflood("attack", run, *QUICK))
    card = json.loads((run / "card.json").read_text())
    assert card["task"] == "hotel-reviews"
    assert card["attacks"]["textfooler-offline"]["num_examples"] == 3
    meta = json.loads((run / "attacks" / "textfooler.meta.json").read_text())
    assert meta["own_data"] == {"text": ["review"], "label": "stars", "labels": sorted(CLASSES)}
    assert "hotel-reviews, ours" in said(mindflood("report", tmp_path / "runs"))

    # The same model as anyone's, which says itself in which order its classes are.
    own = ["--data", data / "test.csv", *COLUMNS]
    model = tmp_path / "model"
    (run / "model").rename(model)
    told = said(mindflood("attack", model, *own, *QUICK, "--out", tmp_path / "attacked"))
    assert f"attacking 3 of 20 rows of {data / 'test.csv'}" in told
    measured = json.loads((tmp_path / "attacked" / "card.json").read_text())["clean_accuracy"]
    assert measured == pytest.approx(card["clean_accuracy"], abs=1e-6)
    told = said(mindflood("analyse", "noise", model, *own, "--alpha", "0", "--num-examples", "8"))
    assert "model: α=0: " in told
    told = said(mindflood("predict", model, "--data", data / "test.csv", "--text", "review"))
    assert len(told.splitlines()) == 20
    assert {line.split()[0] for line in told.splitlines()} <= set(CLASSES)

    write_reviews(data / "test.csv", "test", 20)
    (data / "test.csv").write_text((data / "test.csv").read_text().replace("great", "superb"))
    told = said(mindflood("attack", model, *own, *QUICK, "--out", tmp_path / "other"), 2)
    assert "label 'superb' is none of the classes of " in told
    assert "(awful, bad, fine, good, great); list the data's labels" in told


CHINESE = ["这", "部", "电", "影", "很", "好", "坏", "真", "的", "我", "们", "喜", "欢", "看", "。"]


@pytest.fixture
def chinese_encoder(tmp_path: Path) -> Path:
    """A random two-layer BERT whose vocabulary is of single Chinese characters."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "bert-of-characters"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHINESE]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    BertModel(BertConfig(**TINY | {"vocab_size": len(words)})).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_chinese_trains_exports_and_is_evaluated_and_the_attack_says_it_is_english(
    tmp_path: Path,
    write_config: Callable[..., Path],
    mindflood: Mindflood,
    chinese_encoder: Path,
) -> None:
    rows = [
        {"文本": f"{start}{middle}{word}{end}", "标签": {"好": "正面", "坏": "负面"}[word]}
        for start in ("这部电影", "我们看的电影", "电影", "这部")
        for middle in ("很", "真", "真的", "真的很")
        for end in ("。", "", "的。")
        for word in "好坏"
    ]
    path = tmp_path / "影评.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    task = {"text": "文本", "label": "标签", "train": str(path), "max_length": 16}
    training = {"epochs": 8, "batch_size": 8, "learning_rate": 5e-3, "buckets": [16]}
    config = write_config(encoder=str(chinese_encoder), task=task, training=training)
    said(mindflood("train", config))
    run = tmp_path / "runs" / "finetune-seed0"
    card = json.loads((run / "card.json").read_text())
    assert card["task"] == "影评"
    assert card["clean_accuracy"] == 1.0
    assert "PyTorch's logits are within" in said(mindflood("export", run))
    names = json.loads((run / "model" / "config.json").read_text())["id2label"]
    assert list(names.values()) == ["正面", "负面"]
    told = said(mindflood("attack", run, *QUICK))
    assert "most letters of these texts are not Latin, and the attacks are English" in told
    answers = said(mindflood("predict", run, "这部电影真的好", "我们看的真坏。"))
    assert [line.split()[0] for line in answers.splitlines()] == ["正面", "负面"]
