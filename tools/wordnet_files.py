"""WordNet's database files (Fellbaum 1998; formats: wndb(5WN), cntlist(5WN)), read as text.

NLTK's reader cannot read Debian's ``wordnet-base``, which lacks ``lexnames`` and ``index.sense``.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}  # of a sense key
_UNSEEN = 0.5  # added to every sense's count: those that no text has are still possible
Key = tuple[str, int]  # part of speech (a satellite adjective's is a) and offset in its file


@dataclass(frozen=True)
class Synset:
    """Words of one meaning.

    Attributes:
        part: n, v, a or r; an adjective satellite is an a.
        words: base forms, names with their capitals, ``_`` between the words of a phrase.
        pointers: symbol → (own word's place or -1 for all, key, the other's word's place or -1).
        gloss: its definition and examples of its use.
    """

    part: str
    words: tuple[str, ...]
    pointers: dict[str, list[tuple[int, Key, int]]] = field(hash=False)
    gloss: str


class WordNet:
    """The synsets of the files in ``folder`` and how often each word has each of its senses."""

    def __init__(self, folder: Path) -> None:
        self.synsets: dict[Key, Synset] = {}
        for part, name in PARTS.items():
            self.synsets |= dict(_synsets(part, folder / f"data.{name}"))
        self.senses: dict[tuple[str, str], list[Key]] = {}  # the most frequent first
        for part, name in PARTS.items():
            self.senses |= dict(_senses(part, folder / f"index.{name}"))
        self._counts = dict(_counts(folder / "cntlist.rev"))

    def shares(self, part: str, word: str) -> dict[Key, float]:
        """Sense → its share of the uses of a base form, by the counts of the tagged texts."""
        counts = {
            key: self._counts.get((part, word, number), 0) + _UNSEEN
            for number, key in enumerate(self.senses.get((part, word), ()), 1)
        }
        return {key: count / sum(counts.values()) for key, count in counts.items()}

    def uses(self, part: str, word: str) -> int:
        """How often the tagged texts have a base form as this part of speech."""
        senses = range(1, 1 + len(self.senses.get((part, word), ())))
        return sum(self._counts.get((part, word, number), 0) for number in senses)

    def linked(self, key: Key, symbol: str) -> list[Key]:
        """The synsets that one points to as a whole or by one of its words."""
        return [other for _, other, _ in self.synsets[key].pointers.get(symbol, ())]


def _synsets(part: str, path: Path) -> Iterator[tuple[Key, Synset]]:
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(" "):  # the licence
            data, _, gloss = line.partition(" | ")
            yield (part, int(line[:8])), _synset(part, data.split(), gloss.strip())


def _synset(part: str, fields: list[str], gloss: str) -> Synset:
    """A line of a data file: offset, file, type, words, pointers."""
    end = 4 + 2 * int(fields[3], 16)
    # Adjectives may carry their place in the sentence: galore(ip).
    words = tuple(word.partition("(")[0] for word in fields[4:end:2])
    pointers: dict[str, list[tuple[int, Key, int]]] = defaultdict(list)
    for start in range(end + 1, end + 1 + 4 * int(fields[end]), 4):
        symbol, offset, kind, places = fields[start : start + 4]
        key = ("a" if kind == "s" else kind, int(offset))
        pointers[symbol].append((int(places[:2], 16) - 1, key, int(places[2:], 16) - 1))
    return Synset(part, words, dict(pointers), gloss)


def _senses(part: str, path: Path) -> Iterator[tuple[tuple[str, str], list[Key]]]:
    """A line of an index file: the word, its parts, counts, and an offset a sense."""
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            word, _, count, *rest = line.split()
            yield (part, word), [(part, int(offset)) for offset in rest[-int(count) :]]


def _counts(path: Path) -> Iterator[tuple[tuple[str, str, int], int]]:
    for line in path.read_text("utf-8").splitlines():
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        yield (_TYPES[rest[0]], word, int(number)), int(count)
