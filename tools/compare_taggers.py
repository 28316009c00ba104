"""The neurons of taggers by pairs of methods: differences of the same seeds, and what is shared.

python tools/compare_taggers.py results/neurons

Reads the cards that ``mindflood analyse neurons`` has written. Differences are first minus second,
each with half of its 95 % t interval over the seeds; shared is the share of a tag's listed neurons
that two taggers have in common, over all tags.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path

from records import Cell, Sheet, add_option, numbers, words

from mindflood.cards.cards import find_runs
from mindflood.cards.schema import NeuronAnalysis
from mindflood.report.numbers.aggregate import estimate
from mindflood.report.numbers.names import METHODS
from mindflood.report.numbers.neurons import carriers, compared

Seeds = Mapping[int | None, NeuronAnalysis]
Measure = Callable[[NeuronAnalysis], float]


def matched(found: NeuronAnalysis) -> float:
    """Match over Total of all tags, %."""
    tags = found["tags"].values()
    return 100 * sum(tag["match"] for tag in tags) / sum(tag["total"] for tag in tags)


def kept(found: NeuronAnalysis) -> float:
    """Accuracy of the first neurons alone, %."""
    return 100 * found["kept_accuracy"]


def difference(measure: Measure, first: Seeds, second: Seeds) -> list[Cell]:
    """Its mean over the seeds that both have, and half of its interval."""
    found = estimate([measure(first[seed]) - measure(second[seed]) for seed in first])
    return [None, None] if found is None else [found.mean, found.half]


def shared(pairs: Sequence[tuple[NeuronAnalysis, NeuronAnalysis]]) -> list[Cell]:
    """The least and largest share of listed neurons that two taggers have in common, %."""
    shares = []
    for pair in pairs:
        one, other = (
            {(tag, unit["layer"], unit["unit"]) for tag, of in found["tags"].items()
             for unit in of["neurons"]}
            for found in pair
        )  # fmt: skip
        shares.append(100 * len(one & other) / len(one))
    return [min(shares), max(shares)] if shares else [None, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path, help="with the cards of analysed taggers")
    add_option(parser)
    options = parser.parse_args()
    (found,) = compared([run.card for run in find_runs(options.folder)])
    methods = {METHODS[setting.method]: dict(seeds) for setting, seeds in found.methods.items()}
    columns = [words("taggers")]
    for title in ("Match%", "kept neurons alone, %", "neurons a tag"):
        columns += [numbers(title, 1), numbers(f"{title} ±", 1)]
    columns += [numbers("shared, least %", 0), numbers("most %", 0)]
    sheet = Sheet("taggers", columns, packages=["numpy", "scipy"])
    for (one, first), (other, second) in combinations(methods.items(), 2):
        cells = [difference(measure, first, second) for measure in (matched, kept, carriers)]
        cells.append(shared([(first[seed], second[seed]) for seed in first]))
        sheet.add(f"{one} - {other}, same seed", *chain.from_iterable(cells))
    seeds = [pair for of in methods.values() for pair in combinations(of.values(), 2)]
    sheet.add("two seeds of a method", *[None] * 6, *shared(seeds))
    sheet.keep(options.record)


if __name__ == "__main__":
    main()
