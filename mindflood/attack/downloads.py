"""What the ``paper`` profile downloads, checked before anything can hang or fail half-way."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from mindflood.attack import nltk_data
from mindflood.attack.nltk_data import reachable
from mindflood.errors import UserError

_VECTORS_URL = "https://textattack.s3.amazonaws.com/word_embeddings/paragramcf"
_SENTENCE_ENCODER_URL = "https://tfhub.dev/google/universal-sentence-encoder/3"


@dataclass(frozen=True)
class Download:
    """One piece of a paper recipe that is not part of the installed packages."""

    name: str
    offline_instead: str
    pickled: bool = False

    def missing(self) -> str:
        """Why the piece cannot be had here, empty where it can."""
        return _MISSING[self.name]()


def textattack_cache() -> Path:
    """Where TextAttack keeps its downloads."""
    chosen = os.environ.get("TA_CACHE_DIR")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "textattack"


def _vectors() -> str:
    if (textattack_cache() / "word_embeddings" / "paragramcf").is_dir():
        return ""
    return "" if reachable(_VECTORS_URL) else "not in TextAttack's cache, and its server is away"


def _sentence_encoder() -> str:
    for package in ("tensorflow", "tensorflow_hub"):
        if importlib.util.find_spec(package) is None:
            return f"the package {package} is not installed"
    folder = Path(os.environ.get("TFHUB_CACHE_DIR", Path.home() / ".cache" / "tfhub_modules"))
    if folder.is_dir() and any(folder.iterdir()):
        return ""
    return "" if reachable(_SENTENCE_ENCODER_URL) else "not in its cache, and tfhub.dev is away"


def _tagger() -> str:
    absent = nltk_data.tagger() == "missing"
    return "not in NLTK_DATA, and NLTK's server is away" if absent else ""


_MISSING = {
    "counter-fitted word vectors": _vectors,
    "Universal Sentence Encoder": _sentence_encoder,
    "NLTK part-of-speech tagger": _tagger,
}

TEXTFOOLER = (
    Download(
        "counter-fitted word vectors",
        "nearest neighbours in the embedded encoder's vocabulary",
        pickled=True,
    ),
    Download("Universal Sentence Encoder", "the embedded MiniLM sentence encoder"),
    Download("NLTK part-of-speech tagger", "a lexicon of parts of speech"),
)


def require(recipe: str, downloads: tuple[Download, ...], *, allow_pickles: bool) -> None:
    """Check that every piece of a paper recipe is here or can be fetched.

    Raises:
        UserError: some cannot: each is named with what ``offline`` puts in its place; or one
            contains pickles and they were not allowed.
    """
    missing = [(piece, why) for piece in downloads if (why := piece.missing())]
    if missing:
        named = "; ".join(
            f"{piece.name} ({why}; 'offline' takes {piece.offline_instead})"
            for piece, why in missing
        )
        raise UserError(
            f"{recipe}, profile 'paper': missing: {named}; run with --profile offline, or "
            "provide them"
        )
    if not allow_pickles and (pickled := [piece.name for piece in downloads if piece.pickled]):
        raise UserError(
            f"{recipe}, profile 'paper': TextAttack's {', '.join(pickled)} contain pickles, which "
            "can run code when loaded; allow it with --allow-textattack-pickles (in a config: "
            "attack.allow_pickles=true), or run with --profile offline"
        )
