"""Fit and measure how likely a reader is to put a substitute of the table into a text.

    python tools/fit_substitution.py DATASETS

DATASETS holds ``coinco_all.no_problematic.gold`` and ``coinco_PART.no_problematic.preprocessed`` of
the parts dev and test, as the repository orenmel/lexsub keeps them: words of whole news texts and
stories, for each of which six people wrote substitutes (CoInCo: Kremer, Erk, Padó and Thater 2014).
For words of the development part the weights are fitted by logistic regression: is a substitute of
the table among theirs? Printed are the weights and, for words of the test part, the area under the
ROC curve and what each threshold keeps. People write a few of all the words that would do, so that
the share that is theirs is smaller than that of good ones.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from records import Sheet, add_option, numbers
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mindflood.attack.recipes.parts import WINDOW
from mindflood.attack.resources.encoder import Place, SentenceVectors
from mindflood.attack.resources.substitution import INTERCEPT, NAMES, WEIGHTS, facts
from mindflood.attack.resources.tagger import tagged
from mindflood.attack.swaps.constraints import place_of
from mindflood.attack.swaps.neighbour_swap import pairs
from mindflood.attack.textattack_import import textattack

THRESHOLDS = (0.0, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
COLUMNS = (
    numbers("probability", 2),
    numbers("kept%", 1),
    numbers("of them theirs%", 1),
    numbers("of theirs kept%", 1),
    numbers("substitutes", 0),
    numbers("area", 3),
    numbers("area of the cosine alone", 3),
)


class Candidate(NamedTuple):
    """A substitute of a word of a text."""

    before: Place
    after: Place
    known: tuple[float, ...]
    theirs: bool  # whether someone wrote it


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("datasets", type=Path)
    arguments.add_argument("--words", type=int, default=2200, help="of each part (default: 2200)")
    add_option(arguments)
    args = arguments.parse_args()
    gold = substitutes(args.datasets / "coinco_all.no_problematic.gold")
    encoder = SentenceVectors(remembered=1)
    parts = []
    for part in ("dev", "test"):
        path = args.datasets / f"coinco_{part}.no_problematic.preprocessed"
        parts.append(features(encoder, candidates(path, gold, args.words)))
    (x, y), (x_test, y_test) = parts
    model = LogisticRegression(C=100, max_iter=1000).fit(x, y)
    print(
        "fitted: ", *(f"{n} {w:.2f}" for n, w in zip(NAMES, model.coef_[0], strict=True)), end=" "
    )
    print(f"intercept {model.intercept_[0]:.2f}")
    odds = x_test @ np.array(WEIGHTS) + INTERCEPT
    areas = [float(roc_auc_score(y_test, by)) for by in (odds, x_test[:, 0])]
    sheet = Sheet("substitution", COLUMNS, packages=["torch", "scikit-learn"])
    for least in THRESHOLDS:
        kept = 1 / (1 + np.exp(-odds)) >= least
        shares = (kept.mean(), y_test[kept].mean(), kept[y_test].mean())
        first = [len(y_test), *areas] if least == THRESHOLDS[0] else [None] * 3
        sheet.add(least, *(float(100 * share) for share in shares), *first)
    sheet.keep(args.record)


def substitutes(path: Path) -> dict[str, set[str]]:
    """Number of a word → the base forms that people wrote."""
    found = {}
    for line in path.read_text("latin-1").splitlines():
        word, _, others = line.partition(" :: ")
        found[word.split()[1]] = {o.rpartition(" ")[0].strip() for o in others.split(";")} - {""}
    return found


def candidates(path: Path, gold: dict[str, set[str]], words: int) -> Iterator[Candidate]:
    """What the table has for a random sample of a part's words, in their texts."""
    lines = path.read_text("latin-1").splitlines()
    for number in np.random.default_rng(0).permutation(len(lines))[:words]:
        _, word, index, sentence = lines[number].split("\t")
        tokens = sentence.split()
        text = textattack.shared.AttackedText(sentence)
        place = len(textattack.shared.AttackedText(" ".join(tokens[: int(index)])).words)
        if word in gold and place < text.num_words and text.words[place] == tokens[int(index)]:
            yield from _of_word(text, place, gold[word])


def _of_word(text: textattack.shared.AttackedText, index: int, theirs: set[str]) -> list[Candidate]:
    before = place_of(text, index, WINDOW)
    found: dict[str, Candidate] = {}
    for reading, form, neighbour in pairs(text.words[index], tagged(text.words)[index]):
        swapped = before.text[: before.start] + form + before.text[before.end :]
        found[form] = Candidate(
            before,
            Place(swapped, before.start, before.start + len(form)),
            facts(reading.part, reading.base, neighbour),
            bool({form, neighbour.base} & theirs),
        )
    return list(found.values())


def features(encoder: SentenceVectors, found: Iterator[Candidate]) -> tuple[np.ndarray, np.ndarray]:
    """The regression's features (n, 6) and whether people wrote the substitute (n,)."""
    some = list(found)
    before = encoder.of_words([candidate.before for candidate in some]).numpy()
    after = encoder.of_words([candidate.after for candidate in some]).numpy()
    known = np.array([candidate.known for candidate in some])
    x = np.column_stack([(before * after).sum(1), known])
    return x, np.array([candidate.theirs for candidate in some])


if __name__ == "__main__":
    main()
