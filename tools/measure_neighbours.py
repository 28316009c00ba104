"""How good the table of substitutes is, by people's ratings of similarity, and how far it goes.

    pip install gensim
    python tools/measure_neighbours.py [--sst2 FOLDER]

SimLex-999 (Hill et al. 2015; gensim ships it) rates how similar two words are, 0 to 10, where
related words and opposites are not similar. Thresholds were chosen on its odd rows.
With the folder of GLUE's SST-2: for how many words of its development set, without stop words, the
table has a substitute.
"""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from mindflood.attack import substitutes
from mindflood.attack.nltk_data import OWN_STOP_WORDS
from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.neighbours import neighbours

BANDS = ((0.0, 2.5), (2.5, 5.0), (5.0, 7.5), (7.5, 10.01))
Pair = tuple[str, str, float]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--sst2", type=Path, help="folder with SST-2's dev.tsv")
    parsed = arguments.parse_args()
    pairs = simlex()
    print("| rating | odd rows accepted | even rows accepted | all rows |")
    print("| --- | --- | --- | --- |")
    for low, high in BANDS:
        of_rows = [accepted(rows, low, high) for rows in (pairs[::2], pairs[1::2], pairs)]
        shares = " | ".join(f"{hits} of {count} ({hits / count:.1%})" for hits, count in of_rows)
        print(f"| {low:g} to {min(high, 10):g} | {shares} |")
    if parsed.sst2:
        print(coverage(parsed.sst2 / "dev.tsv"))


def simlex() -> list[Pair]:
    """The pairs of SimLex-999 in their order: word, word, mean rating."""
    package = importlib.util.find_spec("gensim")
    if package is None or package.origin is None:
        raise SystemExit("SimLex-999 comes with gensim: pip install gensim")
    path = Path(package.origin).parent / "test" / "test_data" / "simlex999.txt"
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line[0] != "#")
    return [(one, other, float(rating)) for one, other, rating in rows]


def accepted(pairs: Sequence[Pair], low: float, high: float) -> tuple[int, int]:
    """How many pairs rated from ``low`` to below ``high`` the table has, and how many there are."""
    rated = [(one, other) for one, other, rating in pairs if low <= rating < high]
    return sum(are_neighbours(one, other) for one, other in rated), len(rated)


def are_neighbours(one: str, other: str) -> bool:
    """Whether the table has one word for the other, as any part of speech."""
    return any(
        neighbour.base in base_forms(word)
        for first, word in ((one, other), (other, one))
        for part in "nvar"
        for base in base_forms(first)
        for neighbour in neighbours(part, base)
    )


def coverage(path: Path) -> str:
    """The share of an SST-2 file's words that have a substitute, and three, in the table."""
    words = [word for line in path.read_text("utf-8").splitlines()[1:] for word in line.split()]
    words = [w for w in words if w.isalpha() and len(w) > 1 and w not in OWN_STOP_WORDS]
    counts = [len(substitutes(word)) for word in words]
    shares = (sum(count >= least for count in counts) / len(counts) for least in (1, 3))
    return "{} words: {:.1%} have a substitute, {:.1%} have three".format(len(counts), *shares)


if __name__ == "__main__":
    main()
