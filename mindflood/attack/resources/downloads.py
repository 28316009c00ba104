"""What the ``paper`` profile downloads, checked before anything can hang or fail half-way."""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from mindflood.attack import nltk_data
from mindflood.attack.nltk_data import reachable
from mindflood.config import recipes
from mindflood.config.recipes import PROFILES, RECIPES
from mindflood.data.hub import hub_answers
from mindflood.errors import UserError, nearest
from mindflood.files import user_path

_VECTORS_URL = "https://textattack.s3.amazonaws.com/word_embeddings/paragramcf"
_VECTORS_FILES = ("paragram.npy", "wordlist.pickle", "mse_dist.p", "cos_sim.p", "nn.npy")
_SEMEMES_URL = (
    "https://textattack.s3.amazonaws.com/transformations/hownet/word_candidates_sense.pkl"
)
SENTENCE_ENCODER_URL = "https://tfhub.dev/google/universal-sentence-encoder/3"
# Weights in safetensors only: the pickles beside them are never loaded.
BERT, BERT_FILES = "bert-base-uncased", ("config.json", "model.safetensors", "tokenizer.json")
STS, STS_FILES = (
    "sentence-transformers/stsb-distilbert-base",
    ("modules.json", "1_Pooling/config.json", *BERT_FILES),
)


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
    return user_path(chosen) if chosen else Path.home() / ".cache" / "textattack"


def vectors_folder() -> Path:
    """Where TextAttack keeps the counter-fitted vectors."""
    return textattack_cache() / "word_embeddings" / "paragramcf"


def sememes_file() -> Path:
    """Where TextAttack keeps HowNet's substitutes."""
    return textattack_cache() / "transformations" / "hownet" / "word_candidates_sense.pkl"


def sentence_encoder_folder() -> Path:
    """Where tensorflow_hub keeps the Universal Sentence Encoder: a folder named by its address.

    In the system's temporary folder, unless TFHUB_CACHE_DIR names another, which TextAttack sets to
    TA_CACHE_DIR where there is one.
    """
    chosen = os.environ.get("TA_CACHE_DIR") or os.environ.get("TFHUB_CACHE_DIR")
    cache = Path(chosen) if chosen else Path(tempfile.gettempdir()) / "tfhub_modules"
    return cache / hashlib.sha1(SENTENCE_ENCODER_URL.encode()).hexdigest()


def flair_files() -> list[Path]:
    """The weights of flair's tagger in flair's own cache; none where it was never loaded."""
    root = Path(os.environ.get("FLAIR_CACHE_ROOT", Path.home() / ".flair"))
    return sorted((root / "models" / "upos-english-fast").rglob("pytorch_model.bin"))


def cached(model: str, files: Sequence[str]) -> list[Path]:
    """Those of ``files`` of a model that are in the cache of the Hugging Face hub."""
    import huggingface_hub

    found = (huggingface_hub.try_to_load_from_cache(model, file) for file in files)
    return [Path(path) for path in found if isinstance(path, str)]


def _vectors() -> str:
    folder = vectors_folder()
    if folder.is_dir():
        lacking = [name for name in _VECTORS_FILES if not (folder / name).is_file()]
        return f"{folder} lacks {lacking[0]}: delete the folder" if lacking else ""
    return "" if reachable(_VECTORS_URL) else "not in TextAttack's cache, and its server is away"


def _sentence_encoder() -> str:
    for package in ("tensorflow", "tensorflow_hub"):
        if importlib.util.find_spec(package) is None:
            return f"the package {package} is not installed"
    folder = sentence_encoder_folder()
    if folder.is_dir() and any(folder.iterdir()):
        return ""
    if reachable(SENTENCE_ENCODER_URL):
        return ""
    return f"not in {folder.parent}, and tfhub.dev is away"


def _tagger() -> str:
    return _of_nltk(absent=nltk_data.tagger(fetch=True) == "missing")


def _stop_words() -> str:
    return _of_nltk(absent=nltk_data.stop_words(fetch=True) == "replaced")


def _wordnet() -> str:
    return _of_nltk(absent=nltk_data.wordnet(fetch=True) == "missing")


def _of_nltk(*, absent: bool) -> str:
    return "not in NLTK_DATA, and NLTK's server is away" if absent else ""


def _sememes() -> str:
    if sememes_file().is_file():
        return ""
    return "" if reachable(_SEMEMES_URL) else "not in TextAttack's cache, and its server is away"


def _flair_tagger() -> str:
    if flair_files() or hub_answers():
        return ""
    return "not in flair's cache, and the hub is away"


def _of_hub(model: str, files: Sequence[str]) -> str:
    """Why a model of the Hugging Face hub cannot be had; asks the hub only where it must."""
    found = cached(model, files)
    if len(found) == len(files) or hub_answers():
        return ""
    if not found:
        return "not in the hub's cache, and the hub is away"
    lacking = next(file for file in files if not cached(model, [file]))
    return f"{lacking} is not in the hub's cache, and the hub is away"


def _masked_language_model() -> str:
    return _of_hub(BERT, BERT_FILES)


def _sts_encoder() -> str:
    return _of_hub(STS, STS_FILES)


_MISSING = {
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

PIECES = {
    piece.name: piece
    for piece in (
        Download(recipes.VECTORS, "mindflood's table of substitutes", pickled=True),
        Download(recipes.SENTENCE_ENCODER, "the embedded MiniLM sentence encoder"),
        Download(recipes.TAGGER, "mindflood's own tagger"),
        Download(recipes.STOP_WORDS, "mindflood's own list"),
        Download(recipes.WORDNET, "WordNet 3.0's synonyms, which ship with mindflood"),
        Download(
            recipes.MASKED_LANGUAGE_MODEL,
            "one that mindflood trains on the task's own text ('mindflood masked-lm')",
        ),
        Download(recipes.STS_ENCODER, "the embedded MiniLM sentence encoder"),
        Download(recipes.SEMEMES, "mindflood's table of substitutes", pickled=True),
        Download(recipes.FLAIR_TAGGER, "mindflood's own tagger", pickled=True),
    )
}


def pieces_of(recipe: str) -> list[Download]:
    """What TextAttack's own version of a recipe downloads."""
    return [PIECES[name] for name in RECIPES[recipe].downloads]


def require(recipe: str, pieces: Sequence[Download], *, allow_pickles: bool) -> None:
    """Check that every piece of a paper recipe is here or can be fetched.

    Raises:
        UserError: some cannot: each is named with what ``offline`` puts in its place; or one
            contains pickles and they were not allowed.
    """
    missing = [(piece, why) for piece in pieces if (why := piece.missing())]
    if missing:
        named = "; ".join(
            f"{piece.name} ({why}; 'offline' takes {piece.offline_instead})"
            for piece, why in missing
        )
        raise UserError(
            f"{recipe}, profile 'paper': missing: {named}; run with --profile offline, or "
            "provide them"
        )
    if not allow_pickles and (pickled := [piece.name for piece in pieces if piece.pickled]):
        raise UserError(
            f"{recipe}, profile 'paper': TextAttack's {', '.join(pickled)} contain pickles, which "
            "can run code when loaded; allow it with --allow-textattack-pickles (in a config: "
            "attack.allow_pickles=true; for a method that attacks adversarial.allow_pickles=true), "
            "or take profile offline"
        )


def check_available(recipe: str, profile: str, *, allow_pickles: bool = False) -> None:
    """Check that a recipe can be built in a profile on this machine.

    Raises:
        UserError: the recipe or profile is unknown (the nearest is suggested), or ``paper`` lacks
            a download (``offline``'s replacements are named) or has one with pickles that were not
            allowed.
    """
    _check_known("recipe", recipe, RECIPES)
    _check_known("profile", profile, PROFILES)
    if profile == "paper":
        require(recipe, pieces_of(recipe), allow_pickles=allow_pickles)


def _check_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UserError(f"{kind} '{name}': no such {kind}{nearest(name, known)}")
