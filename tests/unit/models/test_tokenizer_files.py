"""A copied tokenizer cuts where it is told to, for every library that reads it."""

import json

import pytest
from tokenizers import Tokenizer

from mindflood.errors import UserError
from mindflood.models.pretrained import resolve_encoder
from mindflood.models.tokenizer_files import check_vocabulary, copy_tokenizer, stated_length

LONG = "a film of many words " * 100


@pytest.fixture
def copied(tmp_path):
    copy_tokenizer(resolve_encoder("embedded"), tmp_path, 24)
    return tmp_path


def test_both_libraries_cut_at_the_length(copied):
    from transformers import AutoTokenizer

    assert len(Tokenizer.from_file(str(copied / "tokenizer.json")).encode(LONG).ids) == 24
    theirs = AutoTokenizer.from_pretrained(copied, local_files_only=True)
    assert theirs.model_max_length == 24
    assert len(theirs(LONG, truncation=True)["input_ids"]) == 24
    assert len(theirs(LONG, LONG, truncation=True)["input_ids"]) == 24
    assert len(theirs(LONG)["input_ids"]) > 24, "nobody asked it to cut"


def test_nothing_else_is_changed(copied):
    source = resolve_encoder("embedded")
    before = json.loads((source / "tokenizer.json").read_text())
    after = json.loads((copied / "tokenizer.json").read_text())
    assert after["padding"]["strategy"] == {"Fixed": 24}, "it was longer"
    assert after | {name: before[name] for name in ("truncation", "padding")} == before
    before = json.loads((source / "tokenizer_config.json").read_text())
    after = json.loads((copied / "tokenizer_config.json").read_text())
    assert after == before | {"model_max_length": 24}
    assert (copied / "vocab.txt").read_bytes() == (source / "vocab.txt").read_bytes()


def test_without_a_length_the_files_are_the_same(tmp_path):
    source = resolve_encoder("embedded")
    copy_tokenizer(source, tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (source / path.name).read_bytes()


@pytest.mark.parametrize(
    ("settings", "length"),
    [
        ({"model_max_length": 128}, 128),
        ({"model_max_length": 512.0}, 512),
        ({"model_max_length": 1e30}, None),
        ({"model_max_length": int(1e30)}, None),
        ({"model_max_length": True}, None),
        ({"model_max_length": 0}, None),
        ({"model_max_length": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_stated_length(tmp_path, settings, length):
    assert stated_length(tmp_path) is None
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert stated_length(tmp_path) == length


def test_more_tokens_than_rows_are_refused(tmp_path):
    check_vocabulary(tmp_path, 30, 30)
    with pytest.raises(UserError, match="knows 31 tokens and the model has embeddings for 30"):
        check_vocabulary(tmp_path, 31, 30)
