"""NLTK's data are fetched for the paper profile alone; offline takes what is here or a list."""

import zipfile

import nltk
import nltk.corpus
import pytest
from nltk.corpus.reader import WordListCorpusReader
from nltk.corpus.util import LazyCorpusLoader

from mindflood.attack import nltk_data
from mindflood.attack.recipes import parts
from mindflood.attack.resources import downloads
from mindflood.attack.resources.downloads import PIECES
from mindflood.config import recipes
from mindflood.errors import UserError


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A machine without NLTK's data that may ask its server; what is asked for."""
    found = []

    def reachable(url):
        found.append(url)
        return True

    def fetch(package):
        found.append(package)
        return False

    for variable in ("HF_HUB_OFFLINE", "MINDFLOOD_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path))
    monkeypatch.setattr(nltk.data, "path", [])
    # A reader that another test has opened stays at that test's folder, which is no longer allowed.
    unopened = LazyCorpusLoader("stopwords", WordListCorpusReader, r"(?!README|\.).*")
    monkeypatch.setattr(nltk.corpus, "stopwords", unopened)
    monkeypatch.setattr(nltk_data, "_works", lambda use: False)
    monkeypatch.setattr(nltk_data, "_read_stop_words", lambda: None)
    monkeypatch.setattr(nltk_data, "reachable", reachable)
    monkeypatch.setattr(nltk_data, "_fetch", fetch)
    remembered = (nltk_data.stop_words, nltk_data.tagger, nltk_data._may_fetch)
    for answer in remembered:
        answer.cache_clear()
    yield found
    for answer in remembered:
        answer.cache_clear()


def test_offline_asks_nobody(asked):
    (words,) = parts.stop_words().replaced
    (tags,) = parts.part_of_speech(allow_verb_noun_swap=True).replaced
    assert words == "NLTK's stop words by mindflood's own list"
    assert "mindflood's own" in tags
    assert asked == []


def test_paper_fetches_and_names_what_it_cannot(asked):
    with pytest.raises(UserError) as caught:
        downloads.require(
            "bae",
            (PIECES[recipes.TAGGER], PIECES[recipes.STOP_WORDS]),
            allow_pickles=False,
        )
    for missing in ("tagger (not in NLTK_DATA", "'offline' takes mindflood's own list"):
        assert missing in str(caught.value)
    assert nltk_data.TAGGER in asked
    assert "stopwords" in asked


def test_paper_fetches_nothing_where_the_user_is_offline(asked, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert PIECES[recipes.TAGGER].missing()
    assert PIECES[recipes.STOP_WORDS].missing()
    assert asked == []


def test_a_list_of_ours_is_not_taken_for_nltk_s_own(asked, monkeypatch):
    assert nltk_data.stop_words() == "replaced"
    monkeypatch.setattr(nltk_data, "_works", lambda use: True)  # NLTK reads ours
    assert nltk_data.stop_words(fetch=True) == "replaced"
    assert PIECES[recipes.STOP_WORDS].missing()


@pytest.mark.parametrize("unpacked", [True, False])
def test_the_file_of_nltk_s_own_list(tmp_path, monkeypatch, unpacked):
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    archive = tmp_path / "corpora" / "stopwords.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("stopwords/english", "the\n")
        if unpacked:
            file.extractall(archive.parent)
    expected = archive.parent / "stopwords" / "english" if unpacked else archive
    assert nltk_data.stop_words_file() == expected
