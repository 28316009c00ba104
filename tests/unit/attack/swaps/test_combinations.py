"""BERT-Attack's combinations of sub-words against trying them all, and in bounded time."""

import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mindflood.attack.swaps.combinations import combined
from mindflood.attack.textattack_import import textattack

# Words, pieces, what ends a word, what may stand within one, halves of "##", and Chinese, which
# TextAttack has jieba divide: T恤 and 卡拉OK are words of its dictionary.
WORDS = ["film", "a", "##ing", "##s", "Ġgood", "3", "é"]
ENDS = [".", "/", ":", "##.", "[UNK]", " ", "`", "a.b"]
WITHIN = ["-", "'", "_", "##'", "@", "-a-"]
HALVES = ["#", "##", "###", "a#", "#a", "#."]
CHINESE = ["T", "恤", "##恤", "卡", "拉", "OK", "北京", "大", "学", "_T", "."]
TOKENS = [*WORDS, *ENDS, *WITHIN, *HALVES, *CHINESE]

LETTERS = [f"{letter}{number}" for letter in "bcdefg" for number in range(8)]  # 48 of them
SIGNS = [chr(code) for code in range(0x2500, 0x2530)]


def tried_all(rows):
    """TextAttack's own way: every combination in turn."""
    one_word = textattack.shared.utils.is_one_word
    every = ("".join(pieces).replace("##", "") for pieces in itertools.product(*rows))
    return [word.strip("Ġ") for word in every if one_word(word)]


def rows_of(tokens):
    return st.lists(
        st.lists(st.sampled_from(tokens), min_size=1, max_size=4), min_size=2, max_size=4
    )


@settings(max_examples=400, deadline=None)
@given(st.one_of(rows_of(TOKENS), rows_of(CHINESE), rows_of([*HALVES, *WITHIN, "a", "."])))
@example([["a#"], ["#b"]])  # "##" goes across the join
@example([["a#"], ["###b", "##b"]])
@example([["北京"], ["大"], ["学"]])  # two words, or three, that are one
@example([["_T"], ["恤"], ["."]])
@example([["卡"], ["拉"], ["OK", "x"]])
def test_the_combinations_of_trying_all_in_the_same_order(rows):
    assert list(combined(rows)) == tried_all(rows)


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([LETTERS] * 5, "b0b0b0b0b0"),
        ([LETTERS, [".", *LETTERS[:47]], LETTERS, LETTERS, LETTERS], "b0b0b0b0b0"),
        ([LETTERS, ["##/", *LETTERS[:47]], *[LETTERS] * 5], "b0" * 7),
        ([LETTERS, ["##恤", *LETTERS[:47]], LETTERS, LETTERS, LETTERS], "b0b0b0b0b0"),
        ([[".", "b"], *[SIGNS] * 4, LETTERS], "." + SIGNS[0] * 4 + "b0"),
        ([["b"], [":", "c"], *[[*SIGNS[:47], "d"]] * 4, LETTERS], "bcddddb0"),
        ([SIGNS] * 6, None),
    ],
    ids=[
        "all are words", "a full stop first", "a slash, seven rows", "Chinese first", "signs first",
        "signs between", "signs only",
    ],
)  # fmt: skip
def test_where_trying_all_would_take_hours(rows, first):
    textattack.shared.utils.is_one_word("恤")  # jieba loads its dictionary, once
    started = time.perf_counter()
    assert next(combined(rows), None) == first
    found = list(itertools.islice(combined(rows), 48))
    assert len(found) == (48 if first else 0)
    assert time.perf_counter() - started < 1
