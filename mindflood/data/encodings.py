"""Rows of every kind of task as token ids, and their labels as the loss takes them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer, pre_tokenizers, processors

from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.data.tokens import Encoded, FastTokenizer, encode
from mindflood.errors import UserError

IGNORED = -100  # as in mindflood.models.loss


class EncodedRows(Protocol):
    """What batches are made of."""

    @property
    def max_length(self) -> int:
        """Rows are at most that long, special tokens included."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, of a question those of its longest text: int64 [n]."""

    def padded(self, rows: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids, mask and segments, int32 [len(rows), length]; of questions [.., k, length]."""

    def targets(self, labels: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
        """The labels of these rows, as :func:`mindflood.models.loss.row_losses` takes them."""


@dataclass(frozen=True)
class EncodedChoices:
    """Questions, each with its choices, every one of which is a text with the question.

    Attributes:
        texts: of all questions, one behind the other.
        first: int64 [n + 1], question i has the texts ``first[i]`` to ``first[i + 1]`` (exclusive).
        choices: k, places for choices; one that a question does not have is all padding.
    """

    texts: Encoded
    first: np.ndarray
    choices: int

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def max_length(self) -> int:
        return self.texts.max_length

    @property
    def lengths(self) -> np.ndarray:
        longest: np.ndarray = np.maximum.reduceat(self.texts.lengths, self.first[:-1])
        return longest

    def padded(self, rows: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        there = self._there(rows)
        places = self.first[rows, None] + np.where(there, np.arange(self.choices), 0)
        ids, mask, segments = (
            array.reshape(len(rows), self.choices, length)
            for array in self.texts.padded(places.ravel(), length)
        )
        there = there[..., None]
        padding = np.int32(self.texts.pad_id)
        return np.where(there, ids, padding), mask * there, segments * there

    def targets(self, labels: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
        """int32 [len(rows), k]: 1 for the answer, 0 for another choice, -100 for none."""
        answers = np.arange(self.choices) == labels[rows, None]
        return np.where(self._there(rows), answers, IGNORED).astype(np.int32)

    def _there(self, rows: np.ndarray) -> np.ndarray:
        there: np.ndarray = np.arange(self.choices) < np.diff(self.first)[rows, None]
        return there


@dataclass(frozen=True)
class EncodedWords(Encoded):
    """Sentences of words.

    Attributes:
        words: int32 [total], the number of the word that a token is the first of, -1 on the others:
            special ones and the further ones of a word.
    """

    words: np.ndarray

    def targets(self, labels: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
        """int32 [len(rows), length]: a word's tag on its first token, -100 elsewhere."""
        found = np.full((len(rows), length), IGNORED, np.int32)
        for place, row in enumerate(rows):
            words = self.words[self.offsets[row] : self.offsets[row + 1]]
            starts = np.flatnonzero(words >= 0)
            found[place, starts] = np.asarray(labels[row], np.int32)[words[starts]]
        return found


def encode_rows(
    task: Task, examples: Examples, tokenizer: FastTokenizer, max_length: int, choices: int = 0
) -> EncodedRows:
    """Token ids of the rows of a task.

    Args:
        choices: places for choices in a question; 0: as many as the question with the most has.

    Raises:
        UserError: ``max_length`` leaves no room for a token of each text.
    """
    if task.kind == "choice":
        return encode_choices(task, examples, tokenizer, max_length, choices)
    if task.kind == "tagging":
        return encode_words(examples, tokenizer, max_length)
    return encode(examples, tokenizer, max_length)


def most_choices(*examples: Examples) -> int:
    """k of the question with the most choices."""
    return max(len(texts) - 1 for rows in examples for texts in rows.texts)


def encode_choices(
    task: Task, examples: Examples, tokenizer: FastTokenizer, max_length: int, choices: int = 0
) -> EncodedChoices:
    """Every choice with its question, as :func:`choice_texts` writes them.

    A RoBERTa has one separator between question and choice where the task has marks for the two,
    as the release of FreeLB, not the two of its pairs.
    """
    single = joins_by_one(task, tokenizer.tokenizer)
    pairs = [pair for texts in examples.texts for pair in choice_texts(task, texts, single)]
    flat = Examples(tuple(pairs), np.zeros(len(pairs), np.int64))
    encoded = encode(flat, tokenizer, max_length + single)
    if single:
        encoded = _without_second_separator(encoded, tokenizer.tokenizer, max_length)
    first = np.zeros(len(examples) + 1, np.int64)
    np.cumsum([len(texts) - 1 for texts in examples.texts], out=first[1:])
    return EncodedChoices(encoded, first, choices or most_choices(examples))


def choice_texts(task: Task, texts: tuple[str, ...], marked: bool) -> list[tuple[str, str]]:
    """(question, choice) for each choice; ``marked``: behind the task's marks, "Q: " and "A: "."""
    marks = task.marks if marked and task.marks is not None else ("", "")
    stem, *choices = texts
    return [(marks[0] + stem, marks[1] + choice) for choice in choices]


def joins_by_one(task: Task, tokenizer: Tokenizer) -> bool:
    """Whether question and choice are marked and have a single separator between them."""
    return task.marks is not None and isinstance(
        tokenizer.post_processor, processors.RobertaProcessing
    )


def encode_words(examples: Examples, tokenizer: FastTokenizer, max_length: int) -> EncodedWords:
    """Token ids of sentences that come as words.

    A byte-level tokenizer sees every word behind a space, as in running text. A word of which the
    tokenizer leaves nothing, or that lies behind ``max_length``, has no token and no tag.
    """
    fast = tokenizer.tokenizer
    special = fast.num_special_tokens_to_add(False)
    if max_length <= special:
        raise UserError(
            f"max_length {max_length}: expected at least {special + 1} ({special} special tokens "
            "and one of the text)"
        )
    set_words_apart(fast)
    fast.enable_truncation(max_length)
    encodings = fast.encode_batch([list(words) for words in examples.texts], is_pretokenized=True)
    fast.no_truncation()
    offsets = np.zeros(len(encodings) + 1, np.int64)
    np.cumsum([len(encoding) for encoding in encodings], out=offsets[1:])
    ids = [np.array(encoding.ids, np.int32) for encoding in encodings]
    return EncodedWords(
        np.concatenate([*ids, np.zeros(0, np.int32)]),
        np.zeros(offsets[-1], np.int32),
        offsets,
        tokenizer.pad_id,
        max_length,
        np.concatenate([*(_starts(one.word_ids) for one in encodings), np.zeros(0, np.int32)]),
    )


def set_words_apart(tokenizer: Tokenizer) -> None:
    """Let a byte-level tokenizer put a space before every word, as transformers demands it."""
    before = tokenizer.pre_tokenizer
    if isinstance(before, pre_tokenizers.ByteLevel):
        before.add_prefix_space = True
        tokenizer.pre_tokenizer = before


def _starts(word_ids: list[int | None]) -> np.ndarray:
    """The word of a token that is a word's first, -1 for the others: int32."""
    words = np.array([-1 if word is None else word for word in word_ids], np.int32)
    before = np.concatenate([[-1], words[:-1]])
    return np.where(words != before, words, -1).astype(np.int32)


def _without_second_separator(encoded: Encoded, tokenizer: Tokenizer, max_length: int) -> Encoded:
    """The rows with one separator where RoBERTa's pairs have two."""
    token = tokenizer.post_processor.sep[1]
    ids = encoded.input_ids
    double = np.zeros(len(ids), bool)
    double[:-1] = (ids[:-1] == token) & (ids[1:] == token)
    for start, end in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True):
        places = np.flatnonzero(double[start:end])[:1]  # a text may hold some itself, behind it
        double[start:end] = False
        double[start + places] = True
    removed = np.concatenate([[0], np.cumsum(double)])
    kept = ~double
    return Encoded(
        ids[kept], encoded.token_type_ids[kept], encoded.offsets - removed[encoded.offsets],
        encoded.pad_id, max_length,
    )  # fmt: skip
