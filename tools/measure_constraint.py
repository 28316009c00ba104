"""How well the constraints on meaning tell good swaps of a word from bad ones.

    python tools/measure_constraint.py DATA

DATA is a folder with GLUE's ``sst2/dev.tsv`` and ``mrpc/dev.tsv`` and with ``ag_news/test.csv``. In
their sentences content words are swapped, in their form: for a synonym of the word's main sense
(good); for an antonym, and for a random word of the same part of speech (bad); and two letters of
theirs change places, as TextBugger misspells (good for TextBugger's threshold). Two cosines judge:
of the sentences (15 words around the swap), and of the two words' own vectors inside them. Printed
are the area under the ROC curve on the even rows and, for the threshold with the fewest errors on
the odd ones (good and bad weigh the same), which shares of the bad are accepted and of the good
refused on the even ones; last, these shares for the sentences' cosine with the recipes' own
thresholds: one that refuses a twentieth of the good swaps of the odd rows, for pairs of the table,
and the one with the fewest errors there, for what a masked language model proposes; and
TextBugger's, beside which good means misspelt.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from records import Cell, Sheet, add_option, numbers, words

from mindflood.attack.nltk_data import OWN_STOP_WORDS
from mindflood.attack.recipes import textbugger
from mindflood.attack.recipes.parts import PROPOSED_SIMILARITY, SIMILARITY, WINDOW
from mindflood.attack.resources.encoder import SentenceVectors
from mindflood.attack.resources.inflection import PART_OF, inflected
from mindflood.attack.resources.neighbours import all_readings
from mindflood.attack.resources.relations import known, relations, uses
from mindflood.attack.resources.tagger import tagged
from mindflood.attack.swaps.constraints import place_of
from mindflood.attack.textattack_import import textattack
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task

TASKS = {"sst2": "SST-2", "mrpc": "MRPC", "ag_news": "AG News"}
TEXTS = 100  # of each task
WORDS = 3  # swapped in each
MAIN_SENSE = 0.75  # of the word's uses
LETTERS = 3  # TextBugger keeps the first and the last
USUAL = 3  # uses in WordNet's tagged texts
GOOD, BAD, MISSPELT = "synonym", ("antonym", "random"), "misspelt"
MEASURES = ("sentence", "word")
COLUMNS = (
    words("task"),
    words("cosine of"),
    words("good swaps"),
    words("bad swaps"),
    numbers("good", 0),
    numbers("bad", 0),
    numbers("AUC", 3),
    numbers("threshold", 3),
    numbers("bad accepted%", 1),
    numbers("good refused%", 1),
)


class Swap(NamedTuple):
    """A text in which the word at ``place`` was swapped."""

    row: int
    kind: str
    before: Any
    after: Any
    place: int


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("data", type=Path)
    add_option(arguments)
    parsed = arguments.parse_args()
    folder, vectors = parsed.data, SentenceVectors()
    sheet = Sheet("constraint", COLUMNS, packages=["torch", "transformers"])
    every: list[Swap] = []
    scores: list[np.ndarray] = []
    for task, name in TASKS.items():
        swaps = list(some_swaps(task, str(folder / task)))
        scores.append(cosines(vectors, swaps))
        every += swaps
        for line in lines(name, swaps, scores[-1]):
            sheet.add(*line)
    for line in lines("all", every, np.concatenate(scores)):
        sheet.add(*line)
    for least, good in (
        (SIMILARITY, GOOD),
        (PROPOSED_SIMILARITY, GOOD),
        (textbugger.SIMILARITY, MISSPELT),
    ):
        sheet.add(*at(least, every, np.concatenate(scores), good))
    sheet.keep(parsed.record)


def some_swaps(task: str, data: str) -> Iterator[Swap]:
    """Swaps in a random sample of the task's texts, of each kind for each word."""
    generator = np.random.default_rng(0)
    examples = load_examples(get_task(task), "test" if task == "ag_news" else "dev", data)
    for row in generator.permutation(len(examples))[:TEXTS]:
        text = textattack.shared.AttackedText(examples.texts[row][0])
        tags, found = tagged(text.words), 0
        for index in generator.permutation(text.num_words):
            swaps = _others(text.words[index].lower(), tags[index], generator)
            if len(swaps) == 1 + len(BAD) and found < WORDS:
                found += 1
                for kind, word in swaps.items():
                    after = text.replace_word_at_index(index, word)
                    yield Swap(int(row), kind, text, after, int(index))
                if wrong := misspelt(text.words[index]):
                    after = text.replace_word_at_index(index, wrong)
                    yield Swap(int(row), MISSPELT, text, after, int(index))


def misspelt(word: str) -> str | None:
    """The word with the two letters in its middle changed round; None where that is no change."""
    first = (len(word) - 1) // 2
    one, other = word[first : first + 1], word[first + 1 : first + 2]
    changed = word[:first] + other + one + word[first + 2 :]
    return changed if len(word) > LETTERS and changed != word else None


def _others(word: str, tag: str, generator: np.random.Generator) -> dict[str, str]:
    """What replaces a word, of each kind that there is."""
    part = PART_OF.get(tag)
    bases = [r.base for r in all_readings(word) if r.tag == tag and relations(r.part, r.base).uses]
    if part is None or word in OWN_STOP_WORDS or not bases:
        return {}
    base = max(bases, key=lambda base: uses(part, base))
    facts = relations(part, base)
    synonyms = facts.related.get("synonym", {})
    usual = sorted(other for other in known(part) if uses(part, other) >= USUAL)
    kinds = {
        "synonym": [other for other, share in synonyms.items() if share >= MAIN_SENSE],
        "antonym": sorted(facts.opposites - set(synonyms)),
        "random": usual,
    }
    found = {}
    for kind, others in kinds.items():
        forms = {inflected(part, o, tag) for o in others if kind == GOOD or uses(part, o) >= USUAL}
        if forms := {form for form in forms if form and form != word}:
            found[kind] = str(generator.choice(sorted(forms)))
    return found


def cosines(vectors: SentenceVectors, swaps: list[Swap]) -> np.ndarray:
    """Cosines of the sentences and of the words, before and after each swap: (n, 2)."""
    columns = []
    for encode in (lambda places: vectors([place.text for place in places]), vectors.of_words):
        before, after = (
            encode(
                [
                    place_of(text, swap.place, WINDOW)
                    for text, swap in zip(texts, swaps, strict=True)
                ]
            )
            for texts in ([s.before for s in swaps], [s.after for s in swaps])
        )
        columns.append((before * after).sum(1))
    return torch.stack(columns, 1).numpy()


def lines(name: str, swaps: list[Swap], scores: np.ndarray) -> Iterator[list[Cell]]:
    """A row of the table for each measure and kind of bad swaps."""
    kinds, odd = np.array([s.kind for s in swaps]), np.array([s.row % 2 for s in swaps]) == 0
    for measure, values in zip(MEASURES, scores.T, strict=True):
        for bad in (*BAD, "both"):
            is_bad = np.isin(kinds, BAD if bad == "both" else bad)
            good, wrong = (
                (values[mask & odd], values[mask & ~odd]) for mask in (kinds == GOOD, is_bad)
            )
            least = threshold(good[0], wrong[0])
            accepted, refused = (wrong[1] >= least).mean(), (good[1] < least).mean()
            found = [float(100 * share) for share in (accepted, refused)]
            counts = [len(good[1]), len(wrong[1])]
            yield [name, measure, GOOD, bad, *counts, auc(good[1], wrong[1]), least, *found]


def at(least: float, swaps: list[Swap], scores: np.ndarray, good: str) -> list[Cell]:
    """A row of the table for the sentences' cosine with one threshold, on the even rows."""
    kinds, even = np.array([s.kind for s in swaps]), np.array([s.row % 2 for s in swaps]) == 1
    right, wrong = (scores[even & np.isin(kinds, some), 0] >= least for some in ((good,), BAD))
    found = [float(100 * share) for share in (wrong.mean(), 1 - right.mean())]
    return ["all", "sentence", good, "both", len(right), len(wrong), None, least, *found]


def threshold(good: np.ndarray, bad: np.ndarray) -> float:
    """The smallest accepted value with the fewest errors, where good and bad weigh the same."""
    values = np.unique(np.concatenate([good, bad]))
    errors = [(good < value).mean() + (bad >= value).mean() for value in values]
    return float(values[int(np.argmin(errors))])


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    """The share of pairs of a good and a bad swap in which the good one has the larger value."""
    larger = (good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2
    return float(larger)


if __name__ == "__main__":
    main()
