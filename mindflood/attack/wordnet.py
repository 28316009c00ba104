"""WordNet's database files (Fellbaum 1998; format: wndb(5WN)), where this machine has them.

NLTK's reader cannot read Debian's ``wordnet-base``, which lacks ``lexnames`` and ``index.sense``;
so the four data files and the lists of exceptions are read here.
"""

import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mindflood.attack.fingerprint import file_fingerprint

PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_DEBIAN = Path("/usr/share/wordnet")
_DATA = tuple(f"data.{name}" for name in PARTS.values())
_EXCEPTIONS = tuple(f"{name}.exc" for name in PARTS.values())
# Endings that may be taken off a word, as morphy(7WN) lists them.
_ENDINGS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "n": (
        *(("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh")),
        *(("men", "man"), ("ies", "y")),
    ),
    "v": (
        *(("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", "")),
        *(("ing", "e"), ("ing", "")),
    ),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "r": (),
}

Lemma = tuple[str, str]  # part of speech (n, v, a, r) and base form


@dataclass(frozen=True)
class Synset:
    """Words of one meaning.

    Attributes:
        part: n, v, a or r; an adjective satellite is an a.
        words: base forms in lower case, ``_`` between the words of a phrase.
        similar: keys of the adjective synsets of the same cluster.
        antonyms: (own word, key of the other synset, the other's word by its place).
    """

    part: str
    words: tuple[str, ...]
    similar: tuple["Key", ...]
    antonyms: tuple[tuple[str, "Key", int], ...]


Key = tuple[str, int]  # part of speech and offset in its data file


class WordNet:
    """The synsets of the data files in ``path``, a folder or NLTK's ``wordnet.zip``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.synsets: dict[Key, Synset] = {}
        self.exceptions: dict[str, dict[str, tuple[str, ...]]] = {}
        for part, name in PARTS.items():
            self.synsets |= _synsets(part, _lines(path, f"data.{name}"))
            self.exceptions[part] = _exceptions(_lines(path, f"{name}.exc"))
        self._keys: dict[Lemma, list[Key]] = defaultdict(list)
        for key, synset in self.synsets.items():
            for word in synset.words:
                self._keys[synset.part, word].append(key)

    @property
    def fingerprint(self) -> str:
        """Hash of the files."""
        names = (*_DATA, *_EXCEPTIONS)
        files = [self.path / name for name in names] if self.path.is_dir() else [self.path]
        return file_fingerprint(*files)

    def lemmas(self, word: str) -> frozenset[Lemma]:
        """Every base form that ``word`` may be a form of; itself where it is one."""
        found = set()
        for part, endings in _ENDINGS.items():
            forms = {word, *self.exceptions[part].get(word, ())}
            forms |= {word.removesuffix(end) + base for end, base in endings if word.endswith(end)}
            found |= {(part, form) for form in forms if (part, form) in self._keys}
        return frozenset(found)

    def synsets_of(self, lemma: Lemma) -> list[Synset]:
        """The meanings of a base form."""
        return [self.synsets[key] for key in self._keys.get(lemma, ())]

    def synonyms(self, lemma: Lemma) -> frozenset[str]:
        """Single words that share a meaning with ``lemma``; it is not one of them."""
        words = {word for synset in self.synsets_of(lemma) for word in synset.words}
        return frozenset(word for word in words - {lemma[1]} if word.isalpha())

    def antonym_pairs(self, *, indirect: bool = False) -> Iterator[tuple[Lemma, Lemma]]:
        """Base forms of opposite meaning.

        Args:
            indirect: also the words of an adjective's cluster against those of its antonym's:
                superb (similar to good) against lousy (similar to bad).
        """
        for key, synset in self.synsets.items():
            for word, other_key, place in synset.antonyms:
                other = self.synsets[other_key]
                yield (synset.part, word), (other.part, other.words[place])
                if indirect and synset.part == "a":
                    for one in self._cluster(key):
                        for opposite in self._cluster(other_key):
                            yield ("a", one), ("a", opposite)

    def _cluster(self, key: Key) -> set[str]:
        synset = self.synsets[key]
        words = set(synset.words)
        return words.union(*(self.synsets[other].words for other in synset.similar))


@cache
def wordnet() -> WordNet | None:
    """This machine's WordNet; None where there is none."""
    path = find_wordnet()
    return None if path is None else WordNet(path)


def find_wordnet() -> Path | None:
    """Folder or archive of the database files: WNSEARCHDIR, NLTK's corpus, or Debian's package."""
    chosen = os.environ.get("WNSEARCHDIR")  # WordNet's own variable
    candidates = [Path(chosen)] if chosen else []
    candidates += [*_nltk_corpora(), _DEBIAN]
    return next((path for path in candidates if _complete(path)), None)


def _nltk_corpora() -> Iterator[Path]:
    import nltk

    for root in nltk.data.path:
        yield Path(root) / "corpora" / "wordnet"
        yield Path(root) / "corpora" / "wordnet.zip"


def _complete(path: Path) -> bool:
    names = (*_DATA, *_EXCEPTIONS)
    if path.is_dir():
        return all((path / name).is_file() for name in names)
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"wordnet/{name}" for name in names} <= set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _lines(path: Path, name: str) -> list[str]:
    if path.is_dir():
        return (path / name).read_text("utf-8").splitlines()
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"wordnet/{name}").decode("utf-8").splitlines()


def _synsets(part: str, lines: list[str]) -> dict[Key, Synset]:
    return {
        (part, int(line[:8])): _synset(part, line.split(" | ")[0].split())
        for line in lines
        if not line.startswith(" ")  # the licence
    }


def _synset(part: str, fields: list[str]) -> Synset:
    """A line of a data file: offset, file, type, words, pointers (wndb(5WN))."""
    end = 4 + 2 * int(fields[3], 16)
    # Adjectives may carry their place in the sentence: galore(ip).
    words = tuple(word.partition("(")[0].lower() for word in fields[4:end:2])
    similar, antonyms = [], []
    for pointer in range(int(fields[end])):
        start = end + 1 + 4 * pointer
        if fields[start] not in ("&", "!"):
            continue
        symbol, offset, kind, places = fields[start : start + 4]
        key = ("a" if kind == "s" else kind, int(offset))
        if symbol == "&":
            similar.append(key)
        else:
            antonyms.append((words[int(places[:2], 16) - 1], key, int(places[2:], 16) - 1))
    return Synset(part, words, tuple(similar), tuple(antonyms))


def _exceptions(lines: list[str]) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in lines)
    return {form: tuple(bases) for form, *bases in filter(None, rows)}
