"""Choices and words as token ids, against transformers' tokenizers and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from mindflood.data.batching import Batches, load_tokenizer
from mindflood.data.encodings import IGNORED, encode_rows
from mindflood.data.sources import Examples
from mindflood.data.tasks import get_task
from mindflood.models.pretrained import resolve_encoder

QUESTIONS = Examples(
    (
        ("What is wet?", "sand", "the sea", "a stone"),
        ("Who barks at night?", "a dog", "a cat", "a fish", "the moon", "an unbelievable tree"),
    ),
    np.array([1, 0]),
)
SENTENCES = Examples(
    (("It", "'s", "unbelievable", "!"), ("GoogleOS", "sleeps")),
    np.array([(30, 44, 18, 6), (25, 44)], object),
)


def roberta_tokenizer(folder: Path) -> Path:
    """A byte-level tokenizer of single bytes and a few merges."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    merges = ["Ġ a", "t h", "th e", "Ġ the", "s e"]
    names = ["<s>", "<pad>", "</s>", "<unk>", *letters, *(m.replace(" ", "") for m in merges),
             "<mask>"]  # fmt: skip
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    (folder / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "RobertaTokenizer"})
    )
    return folder


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return roberta_tokenizer(tmp_path_factory.mktemp("roberta") / "tokenizer")


def rows_of(mask: np.ndarray, ids: np.ndarray) -> list[list[int]]:
    return [list(row[: int(there.sum())]) for row, there in zip(ids, mask, strict=True)]


def test_a_bert_s_choices_are_pairs_with_their_question():
    from transformers import AutoTokenizer

    folder = resolve_encoder("embedded")
    encoded = encode_rows(get_task("commonsense_qa"), QUESTIONS, load_tokenizer(folder), 64)
    ids, mask, segments = encoded.padded(np.array([0, 1]), 32)
    assert ids.shape == (2, 5, 32)
    theirs = AutoTokenizer.from_pretrained(folder)
    for row, (stem, *choices) in enumerate(QUESTIONS.texts):
        found = theirs([stem] * len(choices), choices)
        count = len(choices)
        assert rows_of(mask[row, :count], ids[row, :count]) == found["input_ids"]
        assert rows_of(mask[row, :count], segments[row, :count]) == found["token_type_ids"]
    assert not mask[0, 3:].any()


def test_a_roberta_s_choices_have_marks_and_one_separator(byte_level: Path):
    from transformers import AutoTokenizer

    tokenizer = load_tokenizer(byte_level)
    encoded = encode_rows(get_task("commonsense_qa"), QUESTIONS, tokenizer, 64)
    ids, mask, _ = encoded.padded(np.array([1]), 64)
    theirs = AutoTokenizer.from_pretrained(byte_level)
    stem, *choices = QUESTIONS.texts[1]
    expected = theirs([f"Q: {stem}</s>A: {choice}" for choice in choices])["input_ids"]
    assert rows_of(mask[0], ids[0]) == expected
    assert theirs.decode(expected[0]) == "<s>Q: Who barks at night?</s>A: a dog</s>"
    pairs = encode_rows(get_task("qnli_ranking"), QUESTIONS, tokenizer, 64)  # no marks: two
    ids, mask, _ = pairs.padded(np.array([1]), 64)
    assert rows_of(mask[0], ids[0]) == theirs([stem] * 5, choices)["input_ids"]


def test_a_long_question_is_cut_and_not_its_answer(byte_level: Path):
    long = Examples((("why " * 40, "the sea", "a dog"),), np.array([0]))
    encoded = encode_rows(get_task("arc_easy"), long, load_tokenizer(byte_level), 24)
    ids, mask, _ = encoded.padded(np.array([0]), 24)
    end = load_tokenizer(byte_level).tokenizer
    assert mask[0].sum(axis=1).tolist() == [24, 24]
    assert end.decode(ids[0, 0].tolist(), skip_special_tokens=True).endswith("A: the sea")


def test_targets_of_choices_tell_the_answer_the_others_and_what_is_none():
    encoded = encode_rows(
        get_task("commonsense_qa"), QUESTIONS, load_tokenizer(resolve_encoder("embedded")), 64
    )
    found = encoded.targets(QUESTIONS.labels, np.array([0, 1]), 32)
    assert found.tolist() == [[0, 1, 0, IGNORED, IGNORED], [1, 0, 0, 0, 0]]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_word_s_tag_is_on_its_first_token(kind: str, byte_level: Path):
    from transformers import AutoTokenizer

    folder = resolve_encoder("embedded") if kind == "bert" else byte_level
    encoded = encode_rows(get_task("pos"), SENTENCES, load_tokenizer(folder), 40)
    ids, mask, _ = encoded.padded(np.array([0, 1]), 40)
    targets = encoded.targets(SENTENCES.labels, np.array([0, 1]), 40)
    options = {} if kind == "bert" else {"add_prefix_space": True}
    theirs = AutoTokenizer.from_pretrained(folder, **options)
    found = theirs([list(words) for words in SENTENCES.texts], is_split_into_words=True)
    assert rows_of(mask, ids) == found["input_ids"]
    for row, tags in enumerate(SENTENCES.labels):
        expected, before = [], None
        for word in found.word_ids(row):
            expected.append(tags[word] if word is not None and word != before else IGNORED)
            before = word
        assert targets[row, : len(expected)].tolist() == expected
        assert (targets[row, len(expected) :] == IGNORED).all()
        assert (targets[row] != IGNORED).sum() == len(tags)


def test_words_behind_the_length_have_no_target():
    encoded = encode_rows(
        get_task("pos"), SENTENCES, load_tokenizer(resolve_encoder("embedded")), 4
    )
    targets = encoded.targets(SENTENCES.labels, np.array([0]), 4)
    assert (targets[0] != IGNORED).sum() == 2


def test_batches_of_questions_are_as_long_as_their_longest_choice():
    tokenizer = load_tokenizer(resolve_encoder("embedded"))
    encoded = encode_rows(get_task("commonsense_qa"), QUESTIONS, tokenizer, 64)
    batches = Batches(encoded, QUESTIONS.labels, 3, 1, buckets=(8, 16, 64))
    batch = batches.batch(0, 0)
    assert batch.input_ids.shape == (3, 5, 16)
    assert batch.labels.shape == (3, 5)
    assert batch.weights.tolist() == [1, 1, 0]
