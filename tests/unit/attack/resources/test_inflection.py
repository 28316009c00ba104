"""Forms of words by LemmInflect's tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.resources.inflection import (
    BASE_TAGS,
    all_base_forms,
    base_forms,
    inflected,
    readings,
)


@pytest.mark.parametrize(
    ("part", "base", "tag", "form"),
    [
        ("n", "movie", "NN", "movie"),
        ("n", "movie", "NNS", "movies"),
        ("n", "child", "NNS", "children"),
        ("n", "sheep", "NNS", "sheep"),
        ("v", "prove", "VB", "prove"),
        ("v", "prove", "VBP", "prove"),
        ("v", "prove", "VBZ", "proves"),
        ("v", "prove", "VBG", "proving"),
        ("v", "write", "VBD", "wrote"),
        ("v", "write", "VBN", "written"),
        ("v", "walk", "VBN", "walked"),
        ("a", "good", "JJR", "better"),
        ("a", "funny", "JJS", "funniest"),
        ("a", "gripping", "JJR", None),
        ("n", "zyzzyva", "NNS", None),
    ],
)
def test_a_base_form_in_another_form(part, base, tag, form):
    assert inflected(part, base, tag) == form


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("films", {("n", "film", "NNS"), ("v", "film", "VBZ")}),
        ("wrote", {("v", "write", "VBD")}),
        ("zyzzyvas", set()),
    ],
)
def test_what_a_word_is_a_form_of(word, expected):
    assert readings(word) == expected


def test_base_forms_include_the_word():
    assert base_forms("better") >= {"better", "good", "well"}
    assert base_forms("zyzzyvas") == {"zyzzyvas"}


@given(base=st.sampled_from(sorted(all_base_forms())), part=st.sampled_from("nvar"))
def test_a_form_is_read_back(base, part):
    tags = ["NNS", "VBZ", "VBD", "VBN", "VBG", "JJR", "JJS", "RBR", "RBS", *BASE_TAGS[part]]
    for tag in tags:
        form = inflected(part, base, tag)
        if form is not None and (tag not in BASE_TAGS[part] or readings(base)):
            assert tag in BASE_TAGS[part] or (part, base, tag) in readings(form)
