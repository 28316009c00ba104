"""Hashes of what the ``paper`` profile downloads: the same name may stand for other contents."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from mindflood.attack import nltk_data
from mindflood.attack.resources import downloads
from mindflood.attack.resources.downloads import Download
from mindflood.config import recipes
from mindflood.fingerprint import file_fingerprint


def contents(pieces: Iterable[Download]) -> dict[str, str]:
    """Name → hash of each piece's files, which are fetched where they are not here yet.

    Raises:
        Exception: what the package that fetches a piece raises.
    """
    return {piece.name: _content(piece.name) for piece in pieces}


@cache
def _content(name: str) -> str:
    return file_fingerprint(*sorted(_FILES[name]()))


def _vectors() -> list[Path]:
    return _in(downloads.vectors_folder())


def _sentence_encoder() -> list[Path]:
    import tensorflow_hub  # TextAttack would ask it for the first text only

    return _in(Path(tensorflow_hub.resolve(downloads.SENTENCE_ENCODER_URL)))


def _tagger() -> list[Path]:
    return [nltk_data.tagger_weights()]


def _stop_words() -> list[Path]:
    return [nltk_data.stop_words_file()]


def _wordnet() -> list[Path]:
    return nltk_data.wordnet_files()


def _masked_language_model() -> list[Path]:
    return downloads.cached(downloads.BERT, downloads.BERT_FILES)


def _sts_encoder() -> list[Path]:
    return downloads.cached(downloads.STS, downloads.STS_FILES)


def _sememes() -> list[Path]:
    return [downloads.sememes_file()]


def _flair_tagger() -> list[Path]:
    import flair

    from mindflood.attack.textattack_import import textattack

    # TextAttack would load it for the first text only.
    textattack.shared.utils.flair_tag(flair.data.Sentence("word"))
    return downloads.flair_files()


def _in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


_FILES: Mapping[str, Callable[[], list[Path]]] = {
    recipes.VECTORS: _vectors,
    recipes.SENTENCE_ENCODER: _sentence_encoder,
    recipes.TAGGER: _tagger,
    recipes.STOP_WORDS: _stop_words,
    recipes.WORDNET: _wordnet,
    recipes.MASKED_LANGUAGE_MODEL: _masked_language_model,
    recipes.STS_ENCODER: _sts_encoder,
    recipes.SEMEMES: _sememes,
    recipes.FLAIR_TAGGER: _flair_tagger,
}
