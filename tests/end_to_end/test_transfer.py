"""Adversarial texts of tiny models tried on each other, against asking each model by hand."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers

from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import read_card, write_card
from mindflood.cli import main
from tests.unit.analyse.test_analyse import a_model
from tests.unit.attack_models import WORDS
from tests.unit.report_runs import a_card, lines

KEY = "textfooler-offline"
TEXTS, TRIES = 40, 3


def asked(folder, texts):
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return [
            int(network(**tokenizer(text, truncation=True, return_tensors="pt")).logits.argmax())
            for text in texts
        ]


def some_texts(count, seed):
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, size=6)) for _ in range(count)]


def others_of(text, generator):
    """The text with three words at random."""
    words = text.split()
    for place in generator.choice(6, size=3, replace=False):
        words[place] = str(generator.choice(WORDS))
    return " ".join(words)


def an_attacked_run(folder, seed, recipe="textfooler", **changes):
    """A tiny model, and the records of an attack on it that tries random words."""
    model = folder / "model"
    if not model.exists():
        a_model(model, seed=seed)
        write_card(folder / "card.json", a_card(seed=seed))
    originals = some_texts(TEXTS, 0)
    generator = np.random.default_rng(100 + seed)
    candidates = [[others_of(text, generator) for _ in range(TRIES)] for text in originals]
    before = asked(model, originals)
    after = asked(model, [text for texts in candidates for text in texts])
    records = []
    for index, text in enumerate(originals):
        record = {"index": index, "label": index % 2, "original": [text], "perturbed": None}
        record |= {"original_prediction": before[index], "result": "skipped"}
        record |= {"queries": TRIES, "seconds": 0.1}
        if before[index] == record["label"]:
            answers = after[TRIES * index : TRIES * (index + 1)]
            fooled = [place for place, answer in enumerate(answers) if answer != before[index]]
            place = fooled[0] if fooled else TRIES - 1
            record |= {"perturbed": [candidates[index][place]]}
            record["perturbed_prediction"] = answers[place]
            record["result"] = "succeeded" if fooled else "failed"
        records.append(record)
    identity = {
        "model": model_fingerprint(model),
        "task": "sst2",
        "recipe": recipe,
        "profile": "offline",
        "fingerprint": f"of {recipe}",
        "examples": "the texts",
        "num_examples": TEXTS,
        "calibration": None,
    } | changes
    lines(folder / "attacks" / f"{recipe}.jsonl", records)
    (folder / "attacks" / f"{recipe}.meta.json").write_text(json.dumps(identity))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three models of one experiment."""
    folder = tmp_path_factory.mktemp("made") / "sst2"
    for seed in range(3):
        an_attacked_run(folder / f"run{seed}", seed)
    return folder


@pytest.fixture
def runs(made, tmp_path):
    shutil.copytree(made, tmp_path / "sst2")
    return [tmp_path / "sst2" / f"run{seed}" for seed in range(3)]


def analysed(*runs):
    return main(["analyse", "transfer", *map(str, runs)])


def test_every_model_s_texts_are_tried_on_every_other(runs, capsys):
    records = [
        [json.loads(line) for line in (run / "attacks" / "textfooler.jsonl").open()] for run in runs
    ]
    assert analysed(*runs) == 0
    printed = capsys.readouterr().out
    tried_in_all = fell_in_all = 0
    for target, run in enumerate(runs):
        own = records[target]
        fooled_on = set()
        wanted = {}
        for source in {0, 1, 2} - {target}:
            mine = [
                one
                for one in records[source]
                if one["result"] == "succeeded" and own[one["index"]]["result"] != "skipped"
            ]
            answers = asked(run / "model", [one["perturbed"][0] for one in mine])
            fooled = {
                one["index"] for one, a in zip(mine, answers, strict=True) if a != one["label"]
            }
            fooled_on |= fooled
            wanted[f"sst2/run{source}"] = {"tried": len(mine), "fooled": len(fooled)}
        held = {one["index"] for one in own if one["result"] == "failed"}
        found = read_card(run / "card.json")["analyses"]["transfer"]
        assert found["name"] == f"sst2/run{target}"
        assert found["attacks"] == {
            KEY: {
                "fingerprint": "of textfooler",
                "num_examples": TEXTS,
                "held": len(held),
                "fell": len(held & fooled_on),
                "from": wanted,
            }
        }
        said = f"run{target}: {KEY}: of {len(held)} texts that held, {len(held & fooled_on)} fall"
        assert said in printed
        tried_in_all += sum(one["tried"] for one in wanted.values())
        fell_in_all += len(held & fooled_on)
    assert tried_in_all > 10
    assert fell_in_all > 0
