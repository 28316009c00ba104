"""Altinisik et al.'s Tables 5 to 7: neurons and the tags they know, with controls they lack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from mindflood.cards.cards import Card
from mindflood.cards.schema import NeuronAnalysis
from mindflood.report.numbers.aggregate import Estimate, Setting, estimate
from mindflood.report.numbers.names import encoder_name
from mindflood.report.numbers.neurons import (
    TABLE_TAGS,
    Compared,
    carriers,
    compared,
    matched,
    matched_by_chance,
    matched_in_all,
)
from mindflood.report.tables.altinisik import published
from mindflood.report.tables.cells import method_name, percent, task_name
from mindflood.report.tables.layout import Cell, Column, Number, Table, TableRow

_LABEL = "published, Altinisik et al. (BERT-base, Penn Treebank)"
_MODEL = (Column("Dataset", numeric=False), Column("Model", numeric=False))
_WORDS_OF = ("VBZ", "JJ", "JJR", "MD", "VBD")  # the tags of their Table 6
_CONTROLS = {"shuffled": "all, shuffled tags", "random": "all, random neurons"}
T = TypeVar("T")
_Matches = tuple[int, int, Estimate | None]


def neuron_tables(cards: Sequence[Card]) -> list[Table]:
    """Match and Total, the words, and the ablation; none where no tagger was analysed."""
    sets = compared(cards)
    return [_matches(sets), _words(sets), _ablation(sets)] if sets else []


def _matches(sets: Sequence[Compared]) -> Table:
    """Table 5."""
    settings = _settings(sets)
    columns = (
        *_MODEL,
        Column("Tag", numeric=False),
        *(Column(name, _name(setting)) for setting in settings for name in ("Match", "Total", "%")),
    )
    rows = []
    for one in sets:
        found = {setting: [of for _, of in seeds] for setting, seeds in one.methods.items()}
        lines: dict[str, dict[Setting, _Matches]] = {
            tag: {setting: matched(of, tag) for setting, of in found.items() if _have(of, tag)}
            for tag in TABLE_TAGS
        }
        lines["all"] = {setting: matched_in_all(of) for setting, of in found.items()}
        for control, title in _CONTROLS.items():
            lines[title] = {s: matched_by_chance(of, control) for s, of in found.items()}
        for title, line in lines.items():
            if not line:
                continue
            cells = [cell for setting in settings for cell in _match_cells(_at(line, setting))]
            rows.append(TableRow((*_names(one), title, *cells)))
    rows += _published_matches(sets, settings)
    caption = "Words that the neurons of a tag answer to (Altinisik et al., Table 5)"
    return Table("neurons", caption, columns, tuple(rows), _match_notes(sets))


def _words(sets: Sequence[Compared]) -> Table:
    """Table 6."""
    settings = _settings(sets)
    columns = (
        *_MODEL,
        Column("Tag", numeric=False),
        *(Column(_name(setting), numeric=False) for setting in settings),
    )
    rows = []
    for one in sets:
        for tag in _WORDS_OF:
            cells: list[Cell] = []
            for setting in settings:
                seeds = _at(one.methods, setting)
                cells.append(_marked(seeds[0][1], tag) if seeds else None)
            if any(cells):
                rows.append(TableRow((*_names(one), tag, *cells)))
    notes = (
        "Of each method's first seed. *: the word's commonest tag in the training data is the tag; "
        "with it the word counts as a match.",
    )
    caption = "The words that the neurons of a tag answer to most (Altinisik et al., Table 6)"
    return Table("neurons_words", caption, columns, tuple(rows), notes)


def _ablation(sets: Sequence[Compared]) -> Table:
    """Table 7."""
    columns = (
        *_MODEL,
        Column("Method", numeric=False),
        Column("Seeds", numeric=False),
        Column("Tagger"),
        Column("All neurons", "Probe"),
        Column("Shuffled tags", "Probe"),
        Column("First", "Kept neurons alone"),
        Column("Random", "Kept neurons alone"),
        Column("Of shuffled tags", "Kept neurons alone"),
        Column("Majority"),
        Column("Neurons a tag"),
    )
    rows = [
        TableRow((*_names(one), *_ablated(setting, seeds)))
        for one in sets
        for setting, seeds in one.methods.items()
    ]
    for task in dict.fromkeys(one.task for one in sets):
        for method, rate in published()["table7"].items():
            cells = (task_name(task), _LABEL, method_name(method), *[None] * 4, Number(rate))
            rows.append(TableRow((*cells, *[None] * 4), published=True))
    kept = ", ".join(sorted({str(one.any["keep"]) for one in sets}))
    shares = ", ".join(sorted({f"{100 * one.any['share']:g} %" for one in sets}))
    notes = (
        "Accuracy (%) on the test words. Probe: a linear model of all neurons. Kept neurons alone: "
        f"one of {kept} neurons, the first of the ranking over all tags, random ones, or the first "
        "of a probe of shuffled tags. Shuffled tags: the probe's accuracy where the test words' "
        "are shuffled too; Majority: that of the commonest tag.",
        f"Neurons a tag: the fewest that carry {shares} of a tag's weight, the mean over the tags; "
        "the fewer, the more focused the model. Several seeds: mean ± half of the 95 % interval.",
    )
    caption = "A few neurons alone (Altinisik et al., Table 7)"
    return Table("neurons_kept", caption, columns, tuple(rows), notes)


def _ablated(setting: Setting, seeds: Sequence[tuple[int | None, NeuronAnalysis]]) -> list[Cell]:
    """The cells of a method in Table 7."""
    found = [of for _, of in seeds]
    rates = (
        [of["tagger_accuracy"] for of in found],
        [of["probe"]["accuracy"] for of in found],
        [of["shuffled_probe"]["accuracy"] for of in found],
        [of["kept_accuracy"] for of in found],
        [of["random"]["kept_accuracy"] for of in found],
        [of["shuffled"]["kept_accuracy"] for of in found],
        [of["majority"] for of in found],
    )
    names = ", ".join(str(seed) for seed, _ in seeds if seed is not None)
    each = [percent(estimate(values)) for values in rates]
    return [_name(setting), names or None, *each, _count(estimate([carriers(of) for of in found]))]


def _match_notes(sets: Sequence[Compared]) -> tuple[str, ...]:
    listed = sorted(
        {"training" if of["words_of"] == "train" else "test" for of in (one.any for one in sets)}
    )
    return (
        "Of each tag the neurons of the largest weight in the probe are taken, and of each neuron "
        f"the {' or '.join(listed)} words that move it most. Total: distinct words listed over the "
        "tag's neurons. Match: those whose commonest tag in the training data is the tag; a word "
        "that is not in the training data matches none. Match and Total are sums over the seeds, % "
        "is the mean over them with its 95 % interval.",
        "Controls, which the paper lacks: the neurons of a probe of shuffled tags, and neurons "
        "drawn at random, for which the draws are summed.",
        *_unlike(sets),
    )


def _published_matches(sets: Sequence[Compared], settings: Sequence[Setting]) -> Iterator[TableRow]:
    """The paper's Table 5 for each task, where one of its methods is among ours."""
    methods = published()["table5"]
    if not any(setting.method in methods for setting in settings):
        return
    for task in dict.fromkeys(one.task for one in sets):
        for at, tag in enumerate(TABLE_TAGS):
            cells: list[Cell] = []
            for setting in settings:
                pair = methods[setting.method][at] if setting.method in methods else None
                match = None if pair is None else (*pair, estimate([pair[0] / pair[1]]))
                cells += _match_cells(match)
            yield TableRow((task_name(task), _LABEL, tag, *cells), published=True)


def _settings(sets: Sequence[Compared]) -> list[Setting]:
    """The methods of all sets, each once: a column stands for one of any task and encoder."""
    found: dict[str, Setting] = {}
    for one in sets:
        for setting in one.methods:
            found.setdefault(_name(setting), setting)
    return list(found.values())


def _at(of: Mapping[Setting, T], setting: Setting) -> T | None:
    """What the method of a column has in a set."""
    return next((value for key, value in of.items() if _name(key) == _name(setting)), None)


def _have(found: Sequence[NeuronAnalysis], tag: str) -> bool:
    return all(tag in of["tags"] for of in found)


def _match_cells(match: _Matches | None) -> tuple[Cell, Cell, Cell]:
    if match is None:
        return None, None, None
    return str(match[0]), str(match[1]), percent(match[2])


def _marked(found: NeuronAnalysis, tag: str) -> str | None:
    """The tag's words, those that match with a star."""
    if tag not in found["tags"]:
        return None
    neurons, matching = found["tags"][tag]["neurons"], set(found["tags"][tag]["matched"])
    listed = dict.fromkeys(word for neuron in neurons for word in neuron["words"])
    return " ".join(f"{word}*" if word in matching else word for word in listed)


def _unlike(sets: Sequence[Compared]) -> Iterator[str]:
    if any(one.variant for one in sets):
        yield (
            "Analyses that were made of other words or in other ways stand apart and do not "
            "compare; give all models to one 'mindflood analyse neurons'."
        )


def _names(one: Compared) -> tuple[str, str]:
    variant = f", {one.variant}" if one.variant else ""
    return task_name(one.task), f"ours: {encoder_name(one.encoder)}{variant}"


def _name(setting: Setting) -> str:
    return method_name(setting.method, setting.level, setting.variant)


def _count(found: Estimate | None) -> Number | None:
    return None if found is None else Number(found.mean, found.half)
