"""How good the table of substitutes is, by people's ratings of similarity, and how far it goes.

    pip install gensim
    python tools/measure_neighbours.py
    python tools/measure_neighbours.py --sst2 FOLDER

SimLex-999 (Hill et al. 2015; gensim ships it) rates how similar two words are, 0 to 10, where
related words and opposites are not similar. Thresholds were chosen on its odd rows.
With the folder of GLUE's SST-2 instead: for how many words of its development set, without stop
words, the table has a substitute.
"""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from records import Sheet, add_option, numbers, words

from mindflood.attack import substitutes
from mindflood.attack.nltk_data import OWN_STOP_WORDS
from mindflood.attack.recipes.a2t import WORD_SIMILARITY
from mindflood.attack.resources.inflection import base_forms
from mindflood.attack.resources.neighbours import neighbours

ANY = -1.0  # no cosine is smaller
BANDS = ((0.0, 2.5), (2.5, 5.0), (5.0, 7.5), (7.5, 10.01))
Pair = tuple[str, str, float]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--sst2", type=Path, help="folder with SST-2's dev.tsv")
    add_option(arguments)
    parsed = arguments.parse_args()
    sheet = reach(parsed.sst2 / "dev.tsv") if parsed.sst2 else ratings()
    sheet.keep(parsed.record)


def ratings() -> Sheet:
    """How many pairs of SimLex-999 the table has, of those that people rated alike."""
    columns = [words("rating")]
    for rows in ("odd rows", "even rows", "all rows", "A2T"):
        columns += [words(f"{rows} accepted"), numbers(f"{rows} accepted%", 1)]
    sheet = Sheet("neighbours", columns, packages=["gensim"])
    pairs = simlex()
    for low, high in BANDS:
        cells: list[str | float] = [f"{low:g} to {min(high, 10):g}"]
        for some, least in (
            (pairs[::2], ANY),
            (pairs[1::2], ANY),
            (pairs, ANY),
            (pairs, WORD_SIMILARITY),
        ):
            hits, count = accepted(some, low, high, least)
            cells += [f"{hits} of {count}", 100 * hits / count]
        sheet.add(*cells)
    return sheet


def simlex() -> list[Pair]:
    """The pairs of SimLex-999 in their order: word, word, mean rating."""
    package = importlib.util.find_spec("gensim")
    if package is None or package.origin is None:
        raise SystemExit("SimLex-999 comes with gensim: pip install gensim")
    path = Path(package.origin).parent / "test" / "test_data" / "simlex999.txt"
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line[0] != "#")
    return [(one, other, float(rating)) for one, other, rating in rows]


def accepted(pairs: Sequence[Pair], low: float, high: float, least: float = ANY) -> tuple[int, int]:
    """How many pairs rated from ``low`` to below ``high`` the table has, and how many there are.

    ``least`` is the smallest similarity that counts, as the table has it.
    """
    rated = [(one, other) for one, other, rating in pairs if low <= rating < high]
    return sum(are_neighbours(one, other, least) for one, other in rated), len(rated)


def are_neighbours(one: str, other: str, least: float = ANY) -> bool:
    """Whether the table has one word for the other, as any part of speech."""
    return any(
        neighbour.base in base_forms(word) and neighbour.similarity >= least
        for first, word in ((one, other), (other, one))
        for part in "nvar"
        for base in base_forms(first)
        for neighbour in neighbours(part, base)
    )


def reach(path: Path) -> Sheet:
    """For how many of an SST-2 file's words the table has a substitute, and three."""
    columns = (numbers("words", 0), numbers("with a substitute%", 1), numbers("with three%", 1))
    sheet = Sheet("coverage", columns, packages=[])
    count, *shares = coverage(path)
    sheet.add(count, *(100 * share for share in shares))
    return sheet


def coverage(path: Path) -> tuple[int, float, float]:
    """An SST-2 file's words, and the shares that have a substitute, and three, in the table."""
    words = [word for line in path.read_text("utf-8").splitlines()[1:] for word in line.split()]
    words = [w for w in words if w.isalpha() and len(w) > 1 and w not in OWN_STOP_WORDS]
    counts = [len(substitutes(word)) for word in words]
    one, three = (sum(count >= least for count in counts) / len(counts) for least in (1, 3))
    return len(counts), one, three


if __name__ == "__main__":
    main()
