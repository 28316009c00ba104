"""What a model answers, printed: labels and probabilities of texts, pairs, and standard input."""

import io
import json
import sys

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from mindflood.cli import main
from tests.unit.attack_models import SHAPE, save_tokenizer

TEXTS = ["a good film", "bad"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(3)
    names = {0: "negative", 1: "positive"}
    model = BertForSequenceClassification(BertConfig(**SHAPE, id2label=names))
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def expected(folder, *columns):
    """Probabilities by transformers itself, one text or pair at a time."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        return [
            model(**tokenizer(*row, return_tensors="pt")).logits.softmax(dim=1)[0].tolist()
            for row in zip(*columns, strict=True)
        ]


def printed(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def assert_right(found, texts, probabilities):
    assert [one["text"] for one in found] == texts
    for one, row in zip(found, probabilities, strict=True):
        assert list(one["probabilities"].values()) == pytest.approx(row, abs=1e-5)
        assert one["label"] == ("negative", "positive")[row[1] > row[0]]


def test_texts_of_the_command_line(folder, capsys):
    assert main(["predict", str(folder), *TEXTS, "--json"]) == 0
    assert_right(printed(capsys), TEXTS, expected(folder, TEXTS))


def test_pairs(folder, capsys):
    pairs = [["good", "a good film"], ["bad", "film"]]
    words = [word for pair in pairs for word in ("--pair", *pair)]
    assert main(["predict", str(folder), *words, "--json"]) == 0
    assert_right(printed(capsys), pairs, expected(folder, *zip(*pairs, strict=True)))


def test_standard_input_has_a_text_or_a_pair_a_line(folder, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a good film\n\ngood\tbad\r\n"))
    assert main(["predict", str(folder), "--json"]) == 0
    assert [one["text"] for one in printed(capsys)] == ["a good film", ["good", "bad"]]


def test_a_line_for_people_has_no_escape_in_it(folder, capsys):
    assert main(["predict", str(folder), "good \x1b[31mfilm\nbad"]) == 0
    line, *more = capsys.readouterr().out.splitlines()
    assert not more
    assert "\x1b" not in line
    assert line.split()[0] in ("negative", "positive")
    assert 0.5 <= float(line.split()[1]) <= 1


def test_nothing_to_classify_is_an_error(folder, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["predict", str(folder)]) == 2
    assert "no text" in capsys.readouterr().err


def test_a_run_without_its_export_names_the_command(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("method: finetune\n")
    for model in (tmp_path, tmp_path / "model"):
        assert main(["predict", str(model), "good"]) == 2
        assert f"'mindflood export {tmp_path}'" in capsys.readouterr().err
