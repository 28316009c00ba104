"""Make the table of substitutes from the shipped relations and the embedded sentence encoder.

    python tools/make_neighbours.py

Some minutes on two cores; writes ``neighbours.txt.xz`` into the package: for a base form as one
part of speech, ``other:cosine:share``, nearest first, both in percent: of their vectors, and of the
uses in which WordNet relates them, the smaller share of the two words. Template and thresholds were
chosen on the odd rows of SimLex-999: ``tools/measure_neighbours.py`` reports the even ones, which
had been looked at before thresholds were changed last.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
import torch

from mindflood.attack.resources.encoder import SentenceVectors
from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.opposition import opposed
from mindflood.attack.resources.relations import known, relations, uses
from mindflood.attack.resources.shipped import write_lines

TEMPLATE = 'the meaning of the word "{}"'
# Of each relation: where it holds in at least this share of the word's uses, this cosine is enough.
LIMITS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "synonym": ((0.3, 0.0), (0.05, 0.3)),
    "similar": ((0.4, 0.15), (0.05, 0.3)),
    "broader": ((0.5, 0.35), (0.1, 0.42)),
    "narrower": ((0.1, 0.53),),
    "sister": ((0.2, 0.4),),  # similar to the same adjective
    "adverb": ((0.0, 0.2),),  # of an adjective that is a neighbour of the word's own
}
UNRELATED, NEARLY = 0.67, 0.09  # cosine of words that WordNet does not relate; how much lower
# Words with fewer neighbours than these: so much lower a cosine is enough, first of words of the
# same meaning, then of any that WordNet relates.
FEW, LOWER = 3, 0.16
NONE, LOWEST = 1, 0.15
# Cosine of words that neither WordNet's tagged texts nor the encoder's vocabulary have, as synonyms
# and otherwise: few readers know them.
RARE, RARER = 0.25, 0.45
STEM = 4  # letters: words that begin alike are forms of each other
REVERSED = {"broader": "narrower", "narrower": "broader"}
Neighbours = dict[str, tuple[float, float]]  # base form → cosine, share of the uses


def main() -> None:
    argparse.ArgumentParser(description=__doc__, allow_abbrev=False).parse_args()
    words = sorted({word for part in "nvar" for word in known(part)})
    encoder = SentenceVectors()
    maker = Maker(words, encoded(encoder, words), set(encoder.tokenizer.get_vocab()))
    write_lines("neighbours", maker.lines())


def encoded(encoder: SentenceVectors, words: list[str]) -> np.ndarray:
    """Vectors of the words inside the template, the mean vector taken off: (V, hidden), unit."""
    states = torch.stack(encoder.encode([TEMPLATE.format(word) for word in words]))
    vectors = states.double().numpy()
    vectors -= vectors.mean(0)
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


class Maker:
    """Chooses the neighbours.

    Args:
        words: all base forms, V.
        vectors: float64 (V, hidden), unit.
        vocabulary: words that the encoder has whole.
    """

    def __init__(self, words: list[str], vectors: np.ndarray, vocabulary: set[str]) -> None:
        self.index = {word: number for number, word in enumerate(words)}
        self.vectors = vectors
        self.vocabulary = vocabulary

    def lines(self) -> Iterator[str]:
        """The table's rows, ``part, base, other:cosine:share ...`` between tabs."""
        adjectives: dict[str, Neighbours] = {}
        for part in "navr":
            near = self.unrelated(part)
            for base in sorted(known(part)):
                found = self.related(part, base) | _above(UNRELATED, near.get(base, {}))
                if len(found) < FEW:
                    found |= self.related(part, base, LOWER)
                    found |= near.get(base, {}) if part != "n" else {}  # bed, bedroom
                if len(found) < NONE:
                    found = self.related(part, base, LOWEST, LOWEST)
                if part == "a":
                    adjectives[base] = found
                if part == "r":
                    found = self.adverbs(base, adjectives) | found
                if found:
                    best = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
                    fields = (
                        f"{o}:{100 * cosine:.0f}:{100 * share:.0f}" for o, (cosine, share) in best
                    )
                    yield f"{part}\t{base}\t{' '.join(fields)}"

    def related(
        self, part: str, base: str, lower: float = 0.0, other_level: float = 0.0
    ) -> Neighbours:
        """Words that WordNet relates and that are near enough for that, or nearly so.

        Args:
            lower: how much lower a cosine is enough of words of the same meaning.
            other_level: the same of broader and narrower words.
        """
        related = {**relations(part, base).related, "sister": self.sisters(part, base)}
        found: Neighbours = {}
        for relation, others in related.items():
            slack = other_level if relation in REVERSED else lower
            for other, share in others.items():
                cosine = self.cosine(base, other)
                enough = cosine >= self.least(relation, share, part, other) - slack
                if enough and not opposed(base, other):
                    both = min(share, self.back(relation, part, base, other))
                    found[other] = (cosine, max(both, found.get(other, (0.0, 0.0))[1]))
        return found

    def least(self, relation: str, share: float, part: str, other: str) -> float:
        """The cosine that is enough."""
        limits = [cosine for holds, cosine in LIMITS[relation] if share >= holds]
        least = min(limits, default=math.inf)
        rare = RARE if relation == "synonym" else RARER
        return least if self.usual(part, other) else max(least, rare)

    def back(self, relation: str, part: str, base: str, other: str) -> float:
        """The share of the other word's uses in which it has the same relation to the first."""
        if relation == "sister":
            return self.sisters(part, other).get(base, 0.0)
        back = REVERSED.get(relation, relation)
        return relations(part, other).related.get(back, {}).get(base, 0.0)

    def sisters(self, part: str, base: str) -> dict[str, float]:
        """Adjectives similar to the same one → the share of the word's uses in which they are."""
        found: dict[str, float] = {}
        for head, share in relations(part, base).related.get("similar", {}).items():
            for other, theirs in relations(part, head).related.get("similar", {}).items():
                if other != base and part == "a":
                    found[other] = max(found.get(other, 0.0), min(share, theirs))
        return found

    def adverbs(self, base: str, adjectives: Mapping[str, Neighbours]) -> Neighbours:
        """The adverbs of an adverb's adjective's neighbours: *subtly*, since *subtle* is near."""
        found: Neighbours = {}
        for adjective in _adjectives(base):
            for other, (_, share) in adjectives.get(adjective, {}).items():
                for adverb in (other + "ly", other[:-1] + "ily", other[:-1] + "y"):
                    if adverb in known("r") and _is_adverb_of(adverb, other) and adverb != base:
                        cosine = self.cosine(base, adverb)
                        if cosine >= LIMITS["adverb"][0][1] and not opposed(base, adverb):
                            found[adverb] = (cosine, share)
        return found

    def unrelated(self, part: str) -> dict[str, Neighbours]:
        """Usual words that are very near."""
        words = sorted(known(part))
        usual = [word for word in words if self.usual(part, word)]
        columns = self.vectors[[self.index[word] for word in usual]].T
        found: dict[str, Neighbours] = defaultdict(dict)
        for start in range(0, len(words), 1024):
            some = words[start : start + 1024]
            cosines = self.vectors[[self.index[word] for word in some]] @ columns
            for row, column in np.argwhere(cosines >= UNRELATED - NEARLY):
                word, other = some[row], usual[column]
                if not (_alike(word, other) or opposed(word, other)):
                    found[word][other] = (float(cosines[row, column]), 1.0)
        return found

    def cosine(self, one: str, other: str) -> float:
        """Of two words' vectors."""
        return float(self.vectors[self.index[one]] @ self.vectors[self.index[other]])

    def usual(self, part: str, word: str) -> bool:
        """Whether tagged texts have the word mainly so, or the encoder's vocabulary has it."""
        here, elsewhere = uses(part, word), sum(uses(other, word) for other in "nvar")
        return here * 3 > elsewhere or (word in self.vocabulary and not elsewhere)


def _above(least: float, found: Neighbours) -> Neighbours:
    return {other: pair for other, pair in found.items() if pair[0] >= least}


def _adjectives(adverb: str) -> list[str]:
    ends = (("ly", ""), ("ily", "y"), ("ly", "le"))
    return [adverb.removesuffix(end) + base for end, base in ends if adverb.endswith(end)]


def _is_adverb_of(adverb: str, adjective: str) -> bool:
    return adjective in _adjectives(adverb)


def _alike(one: str, other: str) -> bool:
    """Whether the words are forms of one word, or of one stem."""
    stem = one[:STEM] == other[:STEM] or one.startswith(other) or other.startswith(one)
    return stem or bool(base_forms(one) & base_forms(other))


if __name__ == "__main__":
    main()
