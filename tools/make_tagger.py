"""Count what the tagger needs to know of texts: tags that follow each other, and function words.

    python tools/make_tagger.py en_ewt-ud-dev.conllu en_ewt-ud-test.conllu

The first file is counted (``tagger.txt.xz`` of the package), the second one measured: the fraction
of its content words that get the right tag, and of those that the tagger is certain of. Both are of
Universal Dependencies' English Web Treebank, in lower case and without punctuation, as the tagger
gets a text's words.
"""

import argparse
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from records import Sheet, add_option, numbers

from mindflood.attack.resources.inflection import PART_OF
from mindflood.attack.resources.shipped import write_lines
from mindflood.attack.resources.tagger import EDGE, certainties, part_of_speech, tagged
from mindflood.attack.swaps.neighbour_swap import CERTAIN

CONTENT = ("NOUN", "VERB", "ADJ", "ADV")
# Rare tags count as the nearest one that is not.
COARSER = {
    **{"NNPS": "NNP", "ADD": "NNP", "AFX": "JJ", "PDT": "DT", "LS": "CD", "NFP": "UH"},
    **dict.fromkeys(("FW", "GW", "SYM", "HYPH", "XX"), "NN"),
}
FUNCTION_WORD = 0.3  # of its uses are not as a noun, verb, adjective or adverb
OFTEN = 30  # uses that tell enough of any word

Sentence = list[tuple[str, str, str]]  # word, Penn tag, universal tag


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("counted", type=Path)
    arguments.add_argument("measured", type=Path)
    add_option(arguments)
    parsed = arguments.parse_args()
    write_lines("tagger", counts(list(sentences(parsed.counted))))
    report(list(sentences(parsed.measured))).keep(parsed.record)


def sentences(path: Path) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file."""
    for block in path.read_text("utf-8").strip().split("\n\n"):
        rows = (line.split("\t") for line in block.splitlines() if not line.startswith("#"))
        words = (
            (fields[1].lower().lstrip("'-_*@"), COARSER.get(fields[4], fields[4]), fields[3])
            for fields in rows
            if fields[0].isdigit()
        )
        yield [row for row in words if any(map(str.isalnum, row[0]))]


def counts(texts: list[Sentence]) -> Iterator[str]:
    """``tag tag count`` of neighbours, then ``word tag:count ...`` of function words."""
    pairs: Counter[tuple[str, str]] = Counter()
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        tags = [EDGE, *(tag for _, tag, _ in text), EDGE]
        pairs.update(itertools.pairwise(tags))
        for word, tag, _ in text:
            words[word][tag] += 1
    for (one, other), count in sorted(pairs.items()):
        yield f"{one} {other} {count}"
    for word, its in sorted(words.items()):
        total = its.total()
        function = sum(count for tag, count in its.items() if tag not in (*PART_OF, "NNP"))
        letters = word.replace("'", "").isalpha() and word.isascii()
        if letters and total > 1 and (function >= FUNCTION_WORD * total or total >= OFTEN):
            yield " ".join((word, *(f"{tag}:{count}" for tag, count in sorted(its.items()))))


def report(texts: list[Sentence]) -> Sheet:
    """The shares of content words whose tag, and whose part of speech, is right."""
    rows = []
    for text in texts:
        words = [word for word, *_ in text]
        given = zip(text, tagged(words), certainties(words), strict=True)
        rows += [(tag, found, sure) for (_, tag, kind), found, sure in given if kind in CONTENT]
    tag_right = np.array([right == found for right, found, _ in rows])
    part_right = np.array(
        [part_of_speech(right) == part_of_speech(found) for right, found, _ in rows]
    )
    sure = np.array([certainty >= CERTAIN for *_, certainty in rows])
    columns = (
        numbers("content words", 0),
        numbers("tag right%", 1),
        numbers("part of speech right%", 1),
        numbers("certain%", 1),
        numbers("of these right%", 1),
    )
    sheet = Sheet("tagger", columns, packages=[])
    shares = (tag_right.mean(), part_right.mean(), sure.mean(), part_right[sure].mean())
    sheet.add(len(rows), *(float(100 * share) for share in shares))
    return sheet


if __name__ == "__main__":
    main()
