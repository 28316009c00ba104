"""The tagged sentences that a tagger's neurons are looked at with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindflood.analyse.subject import Subject
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.files import read_json
from mindflood.kinds import NAMES


@dataclass(frozen=True)
class Tagged:
    """Sentences as words, and the tags of these; ``origin`` is where they are from, in words."""

    sentences: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]
    origin: str


def tagged_sentences(subject: Subject) -> tuple[Tagged, Tagged]:
    """What a probe is trained on, and what it is tested on: the sentences of the tagger's training
    and of its test.

    Raises:
        UserError: task or network are not those of a tagger, or the sentences cannot be read.
    """
    if subject.task.kind != "tagging":
        raise UserError(
            f"{subject.folder}: its task {subject.task.name} is {NAMES[subject.task.kind]}; "
            "neurons are analysed of taggers, as 'mindflood train' makes them with task.name=pos"
        )
    _check_network(subject.model)
    source, test = subject.source, subject.task.attacked_split
    names = subject.task.label_names
    train, tested = source.examples("train"), source.examples(test)
    subject.check_rows(tested, source.described(test))
    return (
        _named(train, names, source.described("train")),
        _named(tested, names, source.described(test)),
    )


def check_tags(known: Sequence[str], model: str, *corpora: Tagged) -> None:
    """Refuse sentences whose tags are not those of the tagger.

    Raises:
        UserError: one is not; the message says which, and where.
    """
    for corpus in corpora:
        counted = Counter(tag for sentence in corpus.tags for tag in sentence)
        for tag, count in counted.items():
            if tag not in known:
                raise UserError(
                    f"{corpus.origin}: {count} words have the tag {tag!r}, which the tagger "
                    f"{model} does not know; give sentences of the treebank that it was trained on"
                )


def _check_network(model: str) -> None:
    """Find out whether a model is a token classifier; else its head would be a random one."""
    config = Path(model) / "config.json"
    if not config.is_file():
        raise UserError(f"{model}: not a folder; neurons are analysed of models on this machine")
    made = ", ".join(map(str, read_json(config).get("architectures") or ["no architecture"]))
    if not made.endswith("ForTokenClassification"):
        raise UserError(
            f"{model}: {made}, no tagger; neurons are analysed of models that were saved as "
            "…ForTokenClassification"
        )


def _named(examples: Examples, names: Sequence[str], origin: str) -> Tagged:
    tags = tuple(tuple(names[tag] for tag in sentence) for sentence in examples.labels)
    return Tagged(examples.texts, tags, origin)
