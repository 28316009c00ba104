"""The tagged sentences that a tagger's neurons are looked at with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mindflood.analyse.subject import Subject
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from mindflood.kinds import check_kind


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
        UserError: the task is another kind of task, or the sentences cannot be read.
    """
    named = f"task {subject.task.name} of {subject.folder}"
    check_kind("analyses of neurons", named, subject.task.kind, "tagging")
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


def _named(examples: Examples, names: Sequence[str], origin: str) -> Tagged:
    tags = tuple(tuple(names[tag] for tag in sentence) for sentence in examples.labels)
    return Tagged(examples.texts, tags, origin)
