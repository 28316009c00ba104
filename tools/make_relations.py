"""Derive the relations of words that ship with the package from WordNet 3.0 and VADER's lexicon.

    apt-get install wordnet-base && pip install vaderSentiment
    python tools/make_relations.py

Writes ``relations.txt.xz`` (facts of WordNet: how often a base form is used as each part of speech,
and its synonyms, similar, broader, narrower and opposite words, with the share of its uses in which
they are so), ``phrases.txt.xz`` (two words that are one entry of WordNet) and ``valence.txt.xz``
(VADER's mean ratings of words, -4 to 4) into the package. The same input gives the same bytes.
"""

import argparse
import importlib.util
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from wordnet_files import PARTS, Key, WordNet

from mindflood.attack.resources.inflection import all_base_forms
from mindflood.attack.resources.shipped import write_lines

PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "anti")
SHORTEST_STEM = 3
# Relations of two synsets and the symbols of their pointers in wninput(5WN).
POINTERS = {"similar": ("&", "$"), "broader": ("@",), "narrower": ("~",)}
Word = tuple[str, str]  # part of speech and base form


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    database = WordNet(arguments.parse_args().wordnet)
    words = vocabulary(database)
    related = relations(database, words)
    for (part, word), others in opposites(database, words, related).items():
        related[part, word]["opposite"] = dict.fromkeys(others, 1.0)
    write_lines("relations", lines(database, words, related))
    write_lines("valence", valence())
    write_lines("phrases", phrases(database))


def vocabulary(database: WordNet) -> set[Word]:
    """Single words in small letters; of nouns, most of which name species, only usual ones."""
    usual = all_base_forms()
    return {
        (part, word)
        for (part, word), keys in database.senses.items()
        if len(word) > 1 and word.isascii() and word.isalpha()
        if any(word in database.synsets[key].words for key in keys)  # not only as a name
        if part != "n" or word in usual or database.uses(part, word)
    }


def relations(database: WordNet, words: set[Word]) -> dict[Word, dict[str, dict[str, float]]]:
    """Word → relation → related word → share of the word's uses in which it is related."""
    found: dict[Word, dict[str, dict[str, float]]] = {}
    for part, word in words:
        of_word: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for key, share in database.shares(part, word).items():
            if word not in database.synsets[key].words:
                continue  # a name, written with a capital
            linked = {"synonym": [key]}
            for relation, symbols in POINTERS.items():
                linked[relation] = [k for symbol in symbols for k in database.linked(key, symbol)]
            for relation, keys in linked.items():
                for other in _members(database, keys, words) - {word}:
                    of_word[relation][other] += share
        found[part, word] = of_word
    return found


def opposites(
    database: WordNet, words: set[Word], related: dict[Word, dict[str, dict[str, float]]]
) -> dict[Word, set[str]]:
    """Antonyms, also by way of similar adjectives, of hyponyms and of a prefix or suffix."""
    found: dict[Word, set[str]] = defaultdict(set)
    for part, one, other in (
        *_by_antonyms(database, words),
        *_by_affixes(words, related),
    ):
        found[part, one].add(other)
        found[part, other].add(one)
    for part, one, other in _of_adverbs(database, words, found):
        found[part, one].add(other)
        found[part, other].add(one)
    return found


def _by_antonyms(database: WordNet, words: set[Word]) -> Iterator[tuple[str, str, str]]:
    for key, synset in database.synsets.items():
        below = "&" if synset.part == "a" else "~"
        for _, antonym, _ in synset.pointers.get("!", ()):
            for one in _members(database, [key, *database.linked(key, below)], words):
                for opposite in _members(
                    database, [antonym, *database.linked(antonym, below)], words
                ):
                    if one != opposite:
                        yield synset.part, one, opposite


def _by_affixes(
    words: set[Word], related: dict[Word, dict[str, dict[str, float]]]
) -> Iterator[tuple[str, str, str]]:
    """Pairs as *fair* and *unfair*, *careful* and *careless*; synonyms as *invaluable* are none."""
    for part, word in words:
        stems = [word.removeprefix(prefix) for prefix in PREFIXES if word.startswith(prefix)]
        if word.endswith("ful"):
            stems.append(word.removesuffix("ful") + "less")
        for stem in stems:
            near = any(stem in related[part, word][kind] for kind in ("synonym", "similar"))
            if len(stem) >= SHORTEST_STEM and (part, stem) in words and not near:
                yield part, word, stem


def _of_adverbs(
    database: WordNet, words: set[Word], found: dict[Word, set[str]]
) -> Iterator[tuple[str, str, str]]:
    """*Badly* and *nicely*, since *bad* and *nice* are opposites."""
    adverbs: dict[str, set[str]] = defaultdict(set)  # of an adjective
    for synset in database.synsets.values():
        if synset.part == "r":
            for place, key, theirs in synset.pointers.get("\\", ()):
                if ("r", synset.words[place]) in words:
                    adverbs[database.synsets[key].words[theirs]].add(synset.words[place])
    for adjective, own in adverbs.items():
        for opposite in found.get(("a", adjective), ()):
            pairs = itertools.product(own, adverbs.get(opposite, ()))
            yield from (("r", one, other) for one, other in pairs if one != other)


def _members(database: WordNet, keys: Iterable[Key], words: set[Word]) -> set[str]:
    return {word for key in keys for word in database.synsets[key].words if (key[0], word) in words}


def lines(
    database: WordNet, words: set[Word], related: dict[Word, dict[str, dict[str, float]]]
) -> Iterator[str]:
    """``part, word, uses`` and, a relation each, ``relation other:percent ...``, between tabs.

    Opposites go without a percentage.
    """
    for part in PARTS:
        for word in sorted(word for kind, word in words if kind == part):
            fields = [part, word, str(database.uses(part, word))]
            for relation, others in sorted(related[part, word].items()):
                if others and relation == "opposite":
                    fields.append(" ".join((relation, *sorted(others))))
                elif others:
                    shares = (
                        f"{other}:{share:.0%}"[:-1] for other, share in sorted(others.items())
                    )
                    fields.append(" ".join((relation, *shares)))
            yield "\t".join(fields)


def phrases(database: WordNet) -> list[str]:
    """``first second`` of every entry of two words in small letters: *memory lane*."""
    words = {word for synset in database.synsets.values() for word in synset.words}
    pairs = (word.split("_") for word in words if word.islower() and word.isascii())
    return sorted(f"{p[0]} {p[1]}" for p in pairs if len(p) == 2 and all(map(str.isalpha, p)))


def valence() -> Iterator[str]:
    """``word rating`` of every word of letters in VADER's lexicon."""
    package = importlib.util.find_spec("vaderSentiment")
    if package is None or package.origin is None:
        raise SystemExit("the lexicon comes with a package: pip install vaderSentiment")
    lexicon = Path(package.origin).parent / "vader_lexicon.txt"
    for line in sorted(lexicon.read_text("utf-8").splitlines()):
        word, rating, *_ = line.split("\t")
        if len(word) > 1 and word.isascii() and word.isalpha() and word.islower():
            yield f"{word} {float(rating):g}"


if __name__ == "__main__":
    main()
