"""NLTK data that TextAttack needs: what is missing is replaced or named, and fetched if wanted."""

import contextlib
import threading
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from mindflood.data.hub import switched_off_by
from mindflood.files import cache_folder, write_text

Origin = Literal["found", "fetched", "replaced", "missing"]
TAGGER = "averaged_perceptron_tagger_eng"
_INDEX = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/index.xml"
_PATIENCE = 5.0  # seconds for the index to answer
_DOWNLOAD_TIME = 60.0  # seconds for one package; the tagger has 1.5 MB


@cache
def stop_words(*, fetch: bool = False) -> Origin:
    """Make ``nltk.corpus.stopwords`` work, with a list of our own as the last resort.

    Args:
        fetch: ask NLTK's server first where they are not here. The offline profile asks nobody.
    """
    import nltk

    if str(_own_folder()) in nltk.data.path:  # NLTK has read our list, and will read no other
        return "replaced"
    origin = _find(_read_stop_words, "stopwords", fetch=fetch)
    if origin == "missing":
        _write_own_stop_words()
        _read_stop_words()
        return "replaced"
    return origin


@cache
def tagger(*, fetch: bool = False) -> Origin:
    """Make ``nltk.pos_tag(words, tagset="universal")`` work, or report it ``missing``.

    Args:
        fetch: as for :func:`stop_words`.
    """
    return _find(_tag_a_word, TAGGER, "universal_tagset", fetch=fetch)


@cache
def wordnet(*, fetch: bool = False) -> Origin:
    """Make ``nltk.corpus.wordnet.synsets(word, lang="eng")`` work, or report it ``missing``.

    Args:
        fetch: as for :func:`stop_words`.
    """
    return _find(_look_up_a_word, "wordnet", fetch=fetch)


def wordnet_files() -> list[Path]:
    """The files of WordNet's synonyms, which :func:`wordnet` has found, or the archive of them."""
    return [_file(f"corpora/wordnet/data.{part}") for part in ("adj", "adv", "noun", "verb")]


def stop_words_file() -> Path:
    """NLTK's own stop words, which :func:`stop_words` has found, or the archive that has them."""
    return _file("corpora/stopwords/english")


def tagger_weights() -> Path:
    """The file of the tagger's weights; :func:`tagger` has found it."""
    import nltk

    return Path(str(nltk.data.find(f"taggers/{TAGGER}/{TAGGER}.weights.json")))


def _file(name: str) -> Path:
    """A file of NLTK's data, or the archive that it is in."""
    import nltk

    try:
        found = nltk.data.find(name)
    except LookupError:  # in an archive, whose name has to be told
        corpora, corpus, *rest = name.split("/")
        found = nltk.data.find("/".join((corpora, f"{corpus}.zip", corpus, *rest)))
    archive = getattr(found, "zipfile", None)
    return Path(str(found) if archive is None else archive.filename)


def _find(use: Callable[[], None], *packages: str, fetch: bool) -> Origin:
    """Try ``use``, then perhaps fetch ``packages`` into our cache and try again."""
    _search_in(cache_folder() / "nltk_data")
    if _works(use):
        return "found"
    if fetch and _may_fetch() and all(_fetch(package) for package in packages) and _works(use):
        return "fetched"
    return "missing"


def _works(use: Callable[[], None]) -> bool:
    """Whether NLTK finds a resource and accepts it: it refuses files that others may write."""
    try:
        use()
    except (LookupError, OSError, ValueError):
        return False
    return True


def _read_stop_words() -> None:
    from nltk.corpus import stopwords

    stopwords.words("english")


def _tag_a_word() -> None:
    import nltk

    nltk.pos_tag(["word"], tagset="universal")


def _look_up_a_word() -> None:
    from nltk.corpus import wordnet

    wordnet.synsets("word", lang="eng")


def _search_in(folder: Path) -> None:
    import nltk

    if str(folder) not in nltk.data.path:
        nltk.data.path.append(str(folder))


@cache
def _may_fetch() -> bool:
    return not switched_off_by() and reachable(_INDEX)


def reachable(url: str, seconds: float = _PATIENCE) -> bool:
    """Whether ``url`` answers within ``seconds``, name look-up included."""

    def ask() -> bool:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return bool(answer.status < 400)

    return _within(seconds, ask)


def _fetch(package: str) -> bool:
    """Download one NLTK package into our cache, private to its owner as NLTK demands."""
    folder = cache_folder() / "nltk_data"

    def download() -> bool:
        import nltk

        folder.mkdir(parents=True, exist_ok=True)
        fetched = bool(nltk.download(package, download_dir=str(folder), quiet=True))
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o022)
        return fetched

    return _within(_DOWNLOAD_TIME, download)


def _within(seconds: float, action: Callable[[], bool]) -> bool:
    """Result of ``action``; False where it fails or is not done in time.

    A thread, because neither name look-up nor NLTK's downloader can be given a time limit.
    """
    outcome = [False]

    def run() -> None:
        with contextlib.suppress(Exception):
            outcome[0] = action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0]


def _own_folder() -> Path:
    return cache_folder() / "nltk_data_own"


def _write_own_stop_words() -> None:
    """English function words in NLTK's file layout, in a folder that NLTK searches last."""
    root = _own_folder()
    write_text(root / "corpora" / "stopwords" / "english", "\n".join(OWN_STOP_WORDS) + "\n")
    for folder in (root, root / "corpora", root / "corpora" / "stopwords"):
        folder.chmod(0o755)
    _search_in(root)


_PRONOUNS = """
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself
she her hers herself it its itself they them their theirs themselves who whom whose which what
this that these those someone something anyone anything everyone everything nobody nothing
"""
_VERBS = """
am is are was were be been being have has had having do does did doing can could will would shall
should may might must ought
"""
_OTHERS = """
a an the and but or nor so yet if because as until while although though unless than of at by for
with about against between into through during before after above below to from up down in out on
off over under again further then once here there when where why how all any both each few more
most other some such no not only own same too very just now also
"""
_CONTRACTIONS = """
s t d ll m o re ve y ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan
shouldn wasn weren won wouldn aren't couldn't didn't doesn't don't hadn't hasn't haven't isn't
mightn't mustn't needn't shan't shouldn't wasn't weren't won't wouldn't it's she's he's that's
you're you've you'll you'd i'm i've i'll i'd we're we've we'll we'd they're they've they'll they'd
"""
OWN_STOP_WORDS = tuple((_PRONOUNS + _VERBS + _OTHERS + _CONTRACTIONS).split())
