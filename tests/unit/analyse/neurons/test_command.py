"""``mindflood analyse neurons`` on small taggers: from CoNLL-U to card and report."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from mindflood.cards.cards import read_card, write_card
from mindflood.cli import main
from mindflood.report.page import report
from tests.unit.analyse.neurons.taggers import a_tagger, conllu
from tests.unit.analyse.test_analyse import a_run as a_classifier
from tests.unit.report_runs import a_card

TRAIN = [
    [("the", "DT"), ("film", "NN"), ("is", "VBZ"), ("good", "JJ"), (".", ".")],
    [("a", "DT"), ("plot", "NN"), ("was", "VBD"), ("dull", "JJ"), (".", ".")],
    [("actor", "NN"), ("is", "VBZ"), ("filming", "VBG")],
    [("the", "DT"), ("film", "NN"), ("is", "VBZ"), ("very", "RB"), ("short", "JJ")],
    [("bad", "JJ"), ("film", "VB"), ("film", "NN"), (".", ".")],
] * 4
TEST = [
    [("a", "DT"), ("film", "NN"), ("is", "VBZ"), ("long", "JJ"), (".", ".")],
    [("the", "DT"), ("dull", "JJ"), ("plot", "NN"), ("was", "VBD"), ("warm", "JJ")],
    [("plots", "NNS"), ("bad", "JJ")],  # no training word has the tag NNS
]
OPTIONS = ["--passes", "30", "--draws", "2", "--top", "2", "--words", "3", "--keep", "4"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("treebank")
    conllu(folder / "en_ewt-ud-train.conllu", TRAIN)
    conllu(folder / "en_ewt-ud-dev.conllu", TEST)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """Two methods, the first with two seeds, analysed."""
    folder = tmp_path_factory.mktemp("runs")
    for method, seed in (("finetune", 0), ("finetune", 1), ("pgd-at", 0)):
        run = folder / f"{method}-seed{seed}"
        a_tagger(run / "model", seed=seed + 10 * (method == "pgd-at"))
        write_card(run / "card.json", a_card(method, seed, task="pos", clean_accuracy=0.1))
    names = [str(run) for run in sorted(folder.iterdir())]
    assert main(["analyse", "neurons", *names, "--data", str(data), *OPTIONS]) == 0
    return folder


def test_the_card_says_what_was_found(runs):
    run = runs / "finetune-seed0"
    found = read_card(run / "card.json")["analyses"]["neurons"]
    train = [pair for sentence in TRAIN for pair in sentence]
    test = [pair for sentence in TEST for pair in sentence]
    assert (found["train_words"], found["test_words"]) == (len(train), len(test))
    assert (found["layers"], found["width"], found["left_out"]) == (3, 32, 0)
    counts = Counter(tag for _, tag in train)
    assert {tag: of["count"] for tag, of in found["tags"].items()} == counts
    most = max(counts.values())
    assert counts[next(iter(found["tags"]))] == most
    assert found["majority"] == np.mean([tag == next(iter(found["tags"])) for _, tag in test])
    for of in found["tags"].values():
        assert [len(neuron["words"]) for neuron in of["neurons"]] == [3, 3]
        listed = {word for neuron in of["neurons"] for word in neuron["words"]}
        assert of["total"] == len(listed)
        assert of["match"] == len(of["matched"])
        assert sum(of["by_layer"]) >= 1
        weights = [abs(neuron["weight"]) for neuron in of["neurons"]]
        assert weights == sorted(weights, reverse=True)
    usual = {
        word: Counter(t for w, t in train if w == word).most_common(1)[0][0] for word, _ in train
    }
    assert usual["film"] == "NN"  # VB at times
    for tag, of in found["tags"].items():
        listed = {word for neuron in of["neurons"] for word in neuron["words"]}
        assert set(of["matched"]) == {word for word in listed if usual[word] == tag}
    assert len(found["ranking"]) == 4
    assert found["warnings"][0] == (
        "test words have tags that no training word has, and count as wrong: NNS (1)"
    )


def test_words_of_the_test_are_listed_where_they_are_asked_for(runs, data):
    run = runs / "pgd-at-seed0"
    kept = read_card(run / "card.json")
    before = kept["analyses"]["neurons"]
    command = ["analyse", "neurons", str(run), "--data", str(data), *OPTIONS]
    assert main([*command, "--words-of", "test"]) == 0
    after = read_card(run / "card.json")["analyses"]["neurons"]
    for found, corpus in ((before, TRAIN), (after, TEST)):
        there = {word for sentence in corpus for word, _ in sentence}
        for of in found["tags"].values():
            assert {word for neuron in of["neurons"] for word in neuron["words"]} <= there
    assert after["ranking"] == before["ranking"]
    write_card(run / "card.json", kept)


def test_a_ranking_that_is_no_better_than_chance_is_told(runs):
    told = []
    for run in runs.glob("*-seed*"):
        found = read_card(run / "card.json")["analyses"]["neurons"]
        below = found["kept_accuracy"] <= found["random"]["kept_accuracy"]
        assert any("the ranking tells nothing" in line for line in found["warnings"]) == below
        told.append(below)
    assert not all(told)


def test_the_taggers_accuracy_is_that_of_hugging_faces_class(runs):
    run = runs / "finetune-seed0"
    model = AutoModelForTokenClassification.from_pretrained(run / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(run / "model")
    right = []
    for sentence in TEST:
        encoded = tokenizer(
            [word for word, _ in sentence], is_split_into_words=True, return_tensors="pt"
        )
        logits, ids = model(**encoded).logits[0], encoded.word_ids()
        for at, (_, tag) in enumerate(sentence):
            best = int(logits[ids.index(at)].argmax())
            right.append(model.config.id2label[best] == tag)
    found = read_card(run / "card.json")["analyses"]["neurons"]
    assert found["tagger_accuracy"] == pytest.approx(np.mean(right))


def test_again_it_is_the_same_and_another_seed_changes_the_controls_alone(runs, data):
    run = runs / "finetune-seed0"
    kept = read_card(run / "card.json")
    before = kept["analyses"]["neurons"]
    command = ["analyse", "neurons", str(run), "--data", str(data), *OPTIONS]
    assert main(command) == 0
    assert read_card(run / "card.json")["analyses"]["neurons"] == before
    assert main([*command, "--seed", "5"]) == 0
    after = read_card(run / "card.json")["analyses"]["neurons"]
    assert after["shuffled_probe"]["law"] != before["shuffled_probe"]["law"]
    for name in ("probe", "tags", "ranking", "kept_accuracy"):
        assert after[name] == before[name]
    write_card(run / "card.json", kept)


def test_the_report_shows_three_tables_and_the_figure(runs):
    page = report(runs).read_text()
    assert "Table 5" in page
    assert "mindflood attack" not in page
    table = (runs / "report" / "neurons.csv").read_text().splitlines()
    cards = {
        run.name: read_card(run / "card.json")["analyses"]["neurons"]
        for run in runs.iterdir()
        if (run / "card.json").is_file()
    }
    seeds = [cards["finetune-seed0"], cards["finetune-seed1"]]
    match = sum(tag["match"] for of in seeds for tag in of["tags"].values())
    total = sum(tag["total"] for of in seeds for tag in of["tags"].values())
    [line] = [line for line in table if ",all," in line]
    assert f",all,{match},{total}," in line
    assert not any(",JJR," in line for line in table if "published" not in line)
    assert any("published" in line and ",VBG,10,12,83.3,,15,15,100.0" in line for line in table)
    words = (runs / "report" / "neurons_words.csv").read_text()
    for word in cards["finetune-seed0"]["tags"]["JJ"]["matched"]:
        assert f"{word}*" in words
    kept = (runs / "report" / "neurons_kept.csv").read_text()
    mean = np.mean([of["kept_accuracy"] for of in seeds])
    assert f"{100 * mean:.1f}" in next(line for line in kept.splitlines() if '"0, 1"' in line)
    figure = (runs / "report" / "neurons-1.svg").read_text()
    assert "Fine-tuning" in figure
    assert "emb." in figure


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--top", "97"], "--top 97: .* has 96 neurons, 32 in each of its 3 layers"),
        (["--keep", "97"], "--keep 97: .* has 96 neurons"),
        (["--passes", "0"], "--passes 0: expected at least 1"),
        (["--l1", "-1"], "--l1 -1.0: expected at least 0"),
        (["--share", "1.5"], "--share 1.5: expected a share between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(runs, data, options, said, capsys):
    import re

    command = ["analyse", "neurons", str(runs / "pgd-at-seed0"), "--data", str(data)]
    assert main([*command, *options]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error)
    assert len(error.strip().splitlines()) == 1


def test_a_run_that_is_no_tagger_is_one_line(tmp_path, data, capsys):
    run = a_classifier(tmp_path / "sentiment")
    assert main(["analyse", "neurons", str(run), "--data", str(data)]) == 2
    error = capsys.readouterr().err
    assert f"analyses of neurons are for taggers, and {run / 'model'} is a classification" in error
    assert len(error.strip().splitlines()) == 1


def test_a_tagger_of_another_kind_of_task_is_one_line(tmp_path, data, capsys):
    model = a_tagger(tmp_path / "tagger")
    assert main(["analyse", "neurons", str(model), "--task", "sst2", "--data", str(data)]) == 2
    assert "task sst2 of" in capsys.readouterr().err


def test_files_without_the_tags_column_are_one_line(tmp_path, runs, capsys):
    for part in ("train", "dev"):
        conllu(tmp_path / f"en_ewt-ud-{part}.conllu", [[("film", "_")]])
    command = ["analyse", "neurons", str(runs / "pgd-at-seed0"), "--data", str(tmp_path)]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "'film' has no tag in column 5" in error
    assert len(error.strip().splitlines()) == 1


def test_a_tag_that_the_tagger_does_not_know_is_one_line(tmp_path, runs, data, capsys):
    model = a_tagger(tmp_path / "tagger")
    config = json.loads((model / "config.json").read_text())
    names = {at: "X" if name == "VBG" else name for at, name in config["id2label"].items()}
    (model / "config.json").write_text(json.dumps(config | {"id2label": names}))
    assert main(["analyse", "neurons", str(model), "--task", "pos", "--data", str(data)]) == 2
    assert "4 words have the tag 'VBG', which the tagger" in capsys.readouterr().err


def test_a_tagger_that_diverged_is_one_line(tmp_path, data, capsys):
    model = a_tagger(tmp_path / "tagger")
    network = AutoModelForTokenClassification.from_pretrained(model)
    with torch.no_grad():
        network.classifier.bias[0] = float("nan")
    network.save_pretrained(model)
    assert main(["analyse", "neurons", str(model), "--task", "pos", "--data", str(data)]) == 2
    *_, error = capsys.readouterr().err.splitlines()
    assert f"{model}: its activations are no finite numbers" in error
    assert not (model / "card.json").exists()


@pytest.mark.slow
def test_the_torch_half_alone_is_imported(runs, data):
    import subprocess
    import sys

    code = (
        "import sys; from mindflood.cli import main; "
        f"main({['analyse', 'neurons', str(runs / 'pgd-at-seed0'), '--data', str(data), *OPTIONS]})"
        "; print([name for name in sys.modules if name in ('mindspore', 'textattack')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
