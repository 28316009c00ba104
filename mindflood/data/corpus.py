"""The built-in corpus: generated reviews whose sentiment follows from the grammar.

A clause judges one aspect, directly or through a negation. Where two clauses disagree, the one
after "but", or the main clause beside an "although", decides. In the training part a stated share
of the labels is wrong, so a network that learns them by heart overfits, and some words are kept
for the other parts.
"""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import TypeVar

from mindflood.data.lexicon import DOMAINS, Aspect, Domain
from mindflood.data.tasks import Split

T = TypeVar("T")

SIZES: dict[Split, int] = {"train": 4000, "dev": 500, "test": 500}
NAME = "the built-in corpus"
"""Where its rows are from, in words."""
WRONG_LABEL_SHARE = 0.08
"""Share of the training labels that are wrong; dev and test have none."""
WORDS_A_SENTENCE = (5, 35)
_KINDS = {aspect.kind for domain in DOMAINS for aspect in domain.aspects}
_UNSEEN_EVERY = 6
UNSEEN_WORDS = frozenset(sorted({w for k in _KINDS for w in k.bad + k.good})[::_UNSEEN_EVERY])
"""Adjectives that judge in dev and test only."""

_DEGREES = ("", "", "", "really", "truly", "quite", "rather", "simply", "often", "surprisingly")
_NEGATIONS = ("not", "not exactly", "never", "hardly", "anything but", "far from", "not at all")
_JUDGING = ("i found", "we found", "everyone found", "my friends found", "i consider", "i call")
_EXPECTING = ("i had expected", "we expected", "the reviews led me to expect")
_LIKING = (("hated", "disliked", "regretted"), ("loved", "enjoyed", "adored"))
_SAYING = ("people say", "critics write that", "i was told that", "a friend thinks")
_AGREEING = ("; they are right", ", and i agree", "; it is true", ", which is true")
_DISAGREEING = ("; they are wrong", ", but i disagree", "; it is not true", ", which is false")
_UNREAL = (
    (
        "i wish {noun} had been {adjective}",
        "{noun} could have been {adjective}",
        "nobody would call {noun} {adjective}",
        "if only {noun} had been {adjective}",
    ),
    (
        "i was wrong to think that {noun} would be {adjective}",
        "{noun} could easily have been {adjective}",
        "nobody would call {noun} {adjective}",
        "only a fool would call {noun} {adjective}",
    ),
)
_REMARKS = (
    (
        "{noun} left me cold",
        "i got nothing out of {noun}",
        "{noun} ruined it for me",
        "nobody could like {noun}",
        "i kept complaining about {noun}",
        "{noun} could not have been worse",
    ),
    (
        "{noun} won me over",
        "i could not get enough of {noun}",
        "{noun} made it for me",
        "nobody could dislike {noun}",
        "i cannot complain about {noun}",
        "{noun} could not have been better",
    ),
)


@cache
def builtin_corpus(split: Split, seed: int = 0) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Sentences of a split and their labels, 1 for positive.

    No sentence occurs twice, neither in a split nor across splits.
    """
    texts, labels, _ = _written(split, seed)
    return texts, labels


@cache
def wrongly_labelled(seed: int = 0) -> frozenset[str]:
    """The sentences of the training part whose label is wrong."""
    texts, _, wrong = _written("train", seed)
    return frozenset(texts[row] for row in wrong)


def _written(split: Split, seed: int) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]:
    """Sentences, labels, and the rows whose label is wrong."""
    seen: set[str] = set()
    for part, size in SIZES.items():
        random = Random(f"{seed} {part}")
        writer = _Writer(random, unseen_words=part != "train")
        texts: list[str] = []
        labels: list[int] = []
        while len(texts) < size:
            label = len(texts) % 2
            text = writer.sentence(label)
            if text not in seen and _fits(text):
                seen.add(text)
                texts.append(text)
                labels.append(label)
        flipped: set[int] = set()
        if part == "train":
            flipped = set(random.sample(range(size), round(WRONG_LABEL_SHARE * size)))
            for row in flipped:
                labels[row] = 1 - labels[row]
        if part == split:
            order = random.sample(range(size), size)
            wrong = tuple(place for place, row in enumerate(order) if row in flipped)
            return tuple(texts[i] for i in order), tuple(labels[i] for i in order), wrong
    raise ValueError(f"split {split!r}")


def _fits(text: str) -> bool:
    shortest, longest = WORDS_A_SENTENCE
    return shortest <= len(text.split()) <= longest


class _Writer:
    """Writes sentences of a wanted sentiment: 1 good, 0 bad."""

    def __init__(self, random: Random, *, unseen_words: bool) -> None:
        self.random = random
        self.unseen_words = unseen_words
        self.past = False

    def sentence(self, label: int) -> str:
        domain = self.random.choice(DOMAINS)
        self.past = self.random.random() < 0.6
        first, second = self.random.sample(domain.aspects, 2)
        forms: tuple[Callable[[Aspect, Aspect, int], str], ...] = (
            self._clause_alone,
            self._agreement,
            self._contrast,
            self._contrast,
            self._concession,
            self._afterthought,
            self._expectation,
            self._hearsay,
        )
        body = self.random.choice(forms)(first, second, label)
        return self._framed(domain, body, label)

    def _framed(self, domain: Domain, body: str, label: int) -> str:
        if self.random.random() < 0.45:
            body = f"{self.random.choice(domain.openings)}{self._one(', and ', '; ', '. ')}{body}"
        if self.random.random() < 0.2:
            body = f"{body}{self._one('; ', ', so ', '. ')}{self._closing(domain, label)}"
        return body + "."

    def _closing(self, domain: Domain, label: int) -> str:
        return self.random.choice(domain.closings[label])

    def _clause_alone(self, first: Aspect, second: Aspect, label: int) -> str:
        return self._clause(first, label)

    def _agreement(self, first: Aspect, second: Aspect, label: int) -> str:
        return f"{self._clause(first, label)} and {self._clause(second, label)}"

    def _contrast(self, first: Aspect, second: Aspect, label: int) -> str:
        joint = self._one(" but ", ", but ", ", yet ")
        return f"{self._clause(first, 1 - label)}{joint}{self._clause(second, label)}"

    def _concession(self, first: Aspect, second: Aspect, label: int) -> str:
        word = self._one("although", "even though", "while")
        return f"{word} {self._clause(first, 1 - label)}, {self._clause(second, label)}"

    def _afterthought(self, first: Aspect, second: Aspect, label: int) -> str:
        word = self._one("although", "even if", "even though")
        return f"{self._clause(first, label)}, {word} {self._clause(second, 1 - label)}"

    def _expectation(self, first: Aspect, second: Aspect, label: int) -> str:
        hoped = f"{first.noun} to be {self._adjective(first, 1 - label)}"
        turn = self._clause(self._one(first, second), label)
        return f"{self.random.choice(_EXPECTING)} {hoped}, but {turn}"

    def _hearsay(self, first: Aspect, second: Aspect, label: int) -> str:
        true = self.random.random() < 0.5
        said = self._adjective(first, label if true else 1 - label)
        verdict = self.random.choice(_AGREEING if true else _DISAGREEING)
        return f"{self.random.choice(_SAYING)} {first.noun} {self._verb(first)} {said}{verdict}"

    def _clause(self, aspect: Aspect, label: int) -> str:
        form = self._one(
            self._statement,
            self._statement,
            self._statement,
            self._negation,
            self._negation,
            self._judgement,
            self._pair,
            self._liking,
            self._remark,
            self._comparison,
            self._unreal,
        )
        return form(aspect, label)

    def _statement(self, aspect: Aspect, label: int) -> str:
        words = (aspect.noun, self._verb(aspect), self._degree(), self._adjective(aspect, label))
        return " ".join(filter(None, words))

    def _negation(self, aspect: Aspect, label: int) -> str:
        adjective = self._adjective(aspect, 1 - label)
        return f"{aspect.noun} {self._verb(aspect)} {self.random.choice(_NEGATIONS)} {adjective}"

    def _judgement(self, aspect: Aspect, label: int) -> str:
        words = (
            self.random.choice(_JUDGING),
            aspect.noun,
            self._degree(),
            self._adjective(aspect, label),
        )
        return " ".join(filter(None, words))

    def _pair(self, aspect: Aspect, label: int) -> str:
        one, other = self._adjective(aspect, label), self._adjective(aspect, label)
        joined = one if one == other else f"{one} and {other}"
        return f"{aspect.noun} {self._verb(aspect)} {joined}"

    def _liking(self, aspect: Aspect, label: int) -> str:
        if self.random.random() < 0.3:
            never = self._one("i never", "we never", "nobody ever")
            return f"{never} {self.random.choice(_LIKING[1 - label])} {aspect.noun}"
        words = (
            self._one("i", "we", "my wife", "everyone i know"),
            self._one("", "", "really", "truly"),
            self.random.choice(_LIKING[label]),
            aspect.noun,
        )
        return " ".join(filter(None, words))

    def _remark(self, aspect: Aspect, label: int) -> str:
        return self.random.choice(_REMARKS[label]).format(noun=aspect.noun)

    def _comparison(self, aspect: Aspect, label: int) -> str:
        adjective = self._adjective(aspect, 1 - label)
        measure = (("i had hoped", "promised"), ("i had feared", "people claim"))[label]
        return f"{aspect.noun} {self._verb(aspect)} less {adjective} than {self._one(*measure)}"

    def _unreal(self, aspect: Aspect, label: int) -> str:
        unreal = self._one(*_UNREAL[label])
        return unreal.format(noun=aspect.noun, adjective=self._adjective(aspect, 1 - label))

    def _adjective(self, aspect: Aspect, label: int) -> str:
        words = (aspect.kind.bad, aspect.kind.good)[label]
        if not self.unseen_words:
            words = tuple(word for word in words if word not in UNSEEN_WORDS)
        return self.random.choice(words)

    def _verb(self, aspect: Aspect) -> str:
        return (("is", "are"), ("was", "were"))[self.past][aspect.plural]

    def _degree(self) -> str:
        return self.random.choice(_DEGREES)

    def _one(self, *choices: T) -> T:
        return self.random.choice(choices)
