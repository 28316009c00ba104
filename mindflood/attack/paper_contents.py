"""Hashes of what the ``paper`` profile downloads: the same name may stand for other contents."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from mindflood.attack import downloads, nltk_data
from mindflood.attack.downloads import Download
from mindflood.attack.fingerprint import file_fingerprint


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
    downloads.VECTORS.name: _vectors,
    downloads.SENTENCE_ENCODER.name: _sentence_encoder,
    downloads.TAGGER.name: _tagger,
    downloads.STOP_WORDS.name: _stop_words,
    downloads.WORDNET.name: _wordnet,
    downloads.MASKED_LANGUAGE_MODEL.name: _masked_language_model,
    downloads.STS_ENCODER.name: _sts_encoder,
    downloads.SEMEMES.name: _sememes,
    downloads.FLAIR_TAGGER.name: _flair_tagger,
}
