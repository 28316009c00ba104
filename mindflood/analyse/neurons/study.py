"""The whole analysis of one tagger, with its controls (Altinisik et al. 2023, §4.3, Tables 5-7)."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mindflood.analyse.neurons import firing
from mindflood.analyse.neurons.probe import Penalty, Probe, accuracy_alone, fit
from mindflood.analyse.neurons.ranking import by_weight, overall, salient
from mindflood.analyse.neurons.tagged import Tagged
from mindflood.analyse.neurons.tagger import Tagger, Words
from mindflood.cards.schema import (
    MatchedWords,
    Neuron,
    NeuronAnalysis,
    NeuronSettings,
    ProbedTags,
    TagNeurons,
)
from mindflood.errors import UserError
from mindflood.progress import Display

_UNKNOWN = -1  # the number of a tag that no training word has


@dataclass(frozen=True)
class Settings:
    """How neurons are looked at.

    Attributes:
        subwords: which of a word's sub-words stand for it.
        passes: of a probe over the training words, at most.
        top: neurons of a tag whose words are listed.
        words: listed of a neuron.
        words_of: whether training or test words are listed.
        keep: neurons that the ablation leaves.
        share: of a tag's weight, that its salient neurons carry.
        draws: of random neurons.
        seed: of shuffled tags and random neurons.
    """

    subwords: Literal["last", "first", "average"] = "last"
    penalty: Penalty = field(default_factory=Penalty)
    passes: int = 200
    top: int = 5
    words: int = 5
    words_of: Literal["train", "test"] = "train"
    keep: int = 10
    share: float = 0.25
    draws: int = 5
    seed: int = 0


def check_counts(tagger: Tagger, settings: Settings) -> None:
    """Find out whether the tagger has as many neurons as are asked for.

    Raises:
        UserError: it has not; the message says how many there are.
    """
    for name, count in (("--top", settings.top), ("--keep", settings.keep)):
        if count > tagger.neurons:
            raise UserError(
                f"{name} {count}: {tagger.folder} has {tagger.neurons} neurons, {tagger.width} in "
                f"each of its {tagger.layers} layers, the embeddings included; ask for fewer"
            )


def analysed(
    tagger: Tagger, train: Tagged, test: Tagged, settings: Settings, title: str
) -> NeuronAnalysis:
    """Probe the tagger's neurons and say what was found, as its card keeps it.

    Args:
        train: what the probes are trained on; it says which tag a word has most often.
        test: what they are tested on.
        title: of the tagger, for the progress.

    Raises:
        UserError: the tagger reads no word, or its activations are no numbers.
    """
    study = _Study(tagger, train, test, settings, title)
    probe = study.probe(study.labels, "probe")
    first = overall(probe.weights)[: settings.keep]
    of_tags, chance = study.tags(probe), study.random()
    shuffled, of_shuffled = study.shuffled()
    result: NeuronAnalysis = {
        "layers": tagger.layers,
        "width": tagger.width,
        "train_words": len(study.labels),
        "test_words": len(study.truth),
        "left_out": study.left_out,
        "texts": _digest(train, test),
        **_of_settings(settings),
        "majority": study.majority,
        "tagger_accuracy": study.tagger_accuracy,
        "probe": _of_probe(probe, study.right(probe.predict(study.test.activations))),
        "ranking": [_place(tagger, neuron) for neuron in first],
        "kept_accuracy": study.ablated(first),
        "tags": of_tags,
        "random": chance,
        "shuffled": shuffled,
        "shuffled_probe": of_shuffled,
    }
    if warnings := [*study.warnings(probe), *_worse_than_chance(result)]:
        result["warnings"] = warnings
    return result


class _Study:
    """The words of one tagger and what is asked of them."""

    def __init__(
        self, tagger: Tagger, train: Tagged, test: Tagged, settings: Settings, title: str
    ) -> None:
        self.tagger, self.settings, self.title = tagger, settings, title
        self.train = tagger.words(train.sentences, settings.subwords, f"{title}: training words")
        self.test = tagger.words(test.sentences, settings.subwords, f"{title}: test words")
        tags, self._test_tags = _of(self.train, train.tags), _of(self.test, test.tags)
        if not tags or not self._test_tags:
            raise UserError(f"{(train if not tags else test).origin}: the tagger reads no word")
        self.names = [tag for tag, _ in Counter(tags).most_common()]
        number = {tag: at for at, tag in enumerate(self.names)}
        self.labels = np.array([number[tag] for tag in tags], np.int64)
        self.truth = np.array([number.get(tag, _UNKNOWN) for tag in self._test_tags], np.int64)
        self.commonest = firing.commonest_tags(_of(self.train, train.sentences), tags)
        listed, corpus = (self.train, train) if settings.words_of == "train" else (self.test, test)
        self._listed = listed.activations, _of(listed, corpus.sentences)
        all_words = sum(len(one) for corpus in (train, test) for one in corpus.sentences)
        self.left_out = all_words - len(self.labels) - len(self.truth)
        self._random = np.random.default_rng(settings.seed)

    def probe(self, labels: np.ndarray, what: str) -> Probe:
        """A probe of all neurons."""
        settings = self.settings
        with Display(f"{self.title}: {what}", settings.passes, 0, seconds_between_lines=30) as bar:
            return fit(
                self.train.activations, labels, len(self.names), settings.penalty,
                passes=settings.passes, progress=lambda law: bar.advance(f"law {law:.4f}"),
            )  # fmt: skip

    def ablated(self, neurons: np.ndarray) -> float:
        """Accuracy on the test words of a probe that has these neurons alone."""
        train, test = self.train.activations, self.test.activations
        return accuracy_alone(
            neurons, (train, self.labels), (test, self.truth), len(self.names),
            self.settings.penalty, self.settings.passes,
        )  # fmt: skip

    def right(self, predicted: np.ndarray) -> float:
        """The share of the test words whose tag is predicted."""
        return float(np.mean(predicted == self.truth))

    @property
    def majority(self) -> float:
        """Accuracy of the commonest training tag."""
        return float(np.mean(self.truth == 0))

    @property
    def tagger_accuracy(self) -> float:
        """The tagger's own accuracy on the test words."""
        named = np.array(self.tagger.label_names, object)[self.test.predictions]
        return float(np.mean(named == np.array(self._test_tags, object)))

    def tags(self, probe: Probe) -> dict[str, TagNeurons]:
        """What each tag's neurons are, where, and which words move them."""
        most = by_weight(probe.weights)[:, : self.settings.top]
        top = dict(zip(self.names, most, strict=True))
        carriers = salient(probe.weights, self.settings.share)
        lists, counts = self._lists(top), Counter(self.labels.tolist())
        found: dict[str, TagNeurons] = {}
        for at, tag in enumerate(self.names):
            matched, listed = firing.matches(lists[tag], tag, self.commonest)
            layers = np.bincount(carriers[at] // self.tagger.width, minlength=self.tagger.layers)
            found[tag] = {
                "count": counts[at],
                "match": len(matched),
                "total": len(listed),
                "matched": matched,
                "neurons": [
                    {**_place(self.tagger, neuron), "weight": weight, "words": words}
                    for neuron, weight, words in zip(
                        top[tag], probe.weights[at, top[tag]].tolist(), lists[tag], strict=True
                    )
                ],
                "by_layer": layers.tolist(),
            }
        return found

    def random(self) -> MatchedWords:
        """The same of neurons drawn at random: the matches of all draws, the accuracies' mean."""
        draws = self.settings.draws
        found = [self._drawn() for _ in range(draws)]
        return {
            "match": sum(one["match"] for one in found),
            "total": sum(one["total"] for one in found),
            "kept_accuracy": float(np.mean([one["kept_accuracy"] for one in found])),
        }

    def shuffled(self) -> tuple[MatchedWords, ProbedTags]:
        """The same of the neurons of a probe of shuffled tags; and that probe.

        The tags of all training words are shuffled, and for the accuracy of the probe those of the
        test words.
        """
        probe = self.probe(self._random.permutation(self.labels), "probe of shuffled tags")
        truth = self._random.permutation(self.truth)
        accuracy = float(np.mean(probe.predict(self.test.activations) == truth))
        neurons = by_weight(probe.weights)[:, : self.settings.top]
        kept = overall(probe.weights)[: self.settings.keep]
        return self._matched(neurons, kept), _of_probe(probe, accuracy)

    def warnings(self, probe: Probe) -> list[str]:
        """What makes the numbers doubtful."""
        found = self._unseen()
        if self.tagger_accuracy <= self.majority:
            found.append(
                f"the tagger is right on {100 * self.tagger_accuracy:.1f} % of the test words, and "
                f"the commonest tag on {100 * self.majority:.1f} %; it may not have learnt to tag"
            )
        if not probe.converged:
            found.append(
                f"the probe was still falling after {probe.passes} passes; more --passes may rank "
                "the neurons otherwise"
            )
        return found

    def _unseen(self) -> list[str]:
        """Tags that no probe can know."""
        unseen = Counter(
            tag for tag, at in zip(self._test_tags, self.truth, strict=True) if at == _UNKNOWN
        )
        if not unseen:
            return []
        named = ", ".join(f"{tag} ({count})" for tag, count in unseen.items())
        return [f"test words have tags that no training word has, and count as wrong: {named}"]

    def _drawn(self) -> MatchedWords:
        settings, size = self.settings, self.tagger.neurons
        rows = [
            self._random.choice(size, settings.top, replace=False) for _ in range(len(self.names))
        ]
        kept = self._random.choice(size, settings.keep, replace=False)
        return self._matched(np.array(rows), kept)

    def _matched(self, neurons: np.ndarray, kept: np.ndarray) -> MatchedWords:
        lists = self._lists(dict(zip(self.names, neurons, strict=True)))
        pairs = [firing.matches(lists[tag], tag, self.commonest) for tag in self.names]
        return {
            "match": sum(len(matched) for matched, _ in pairs),
            "total": sum(len(listed) for _, listed in pairs),
            "kept_accuracy": self.ablated(kept),
        }

    def _lists(self, neurons: dict[str, np.ndarray]) -> dict[str, list[list[str]]]:
        """The words of each tag's neurons."""
        distinct = np.unique(np.concatenate(list(neurons.values())))
        activations, words = self._listed
        scores = firing.word_scores(activations, distinct, words)
        lists = dict(zip(distinct, firing.fired_by(*scores, self.settings.words), strict=True))
        return {tag: [lists[neuron] for neuron in some] for tag, some in neurons.items()}


def _worse_than_chance(result: NeuronAnalysis) -> list[str]:
    """A ranking whose first neurons know less than random ones ranks something else."""
    kept, chance = result["kept_accuracy"], result["random"]["kept_accuracy"]
    if kept > chance:
        return []
    return [
        f"the first {result['keep']} neurons alone are right on {100 * kept:.1f} % of the test "
        f"words, random ones on {100 * chance:.1f} %: the ranking tells nothing; larger --l1 and "
        "--l2 leave fewer weights, of neurons that matter"
    ]


def _of_settings(settings: Settings) -> NeuronSettings:
    """What a card keeps of the settings; of the passes it keeps what a probe took."""
    return {
        "subwords": settings.subwords,
        "l1": settings.penalty.l1,
        "l2": settings.penalty.l2,
        "l2_form": settings.penalty.form,
        "top": settings.top,
        "words": settings.words,
        "words_of": settings.words_of,
        "keep": settings.keep,
        "share": settings.share,
        "draws": settings.draws,
        "seed": settings.seed,
    }


def _of_probe(probe: Probe, accuracy: float) -> ProbedTags:
    """What a card keeps of a probe."""
    return {
        "accuracy": accuracy,
        "law": probe.law,
        "passes": probe.passes,
        "converged": probe.converged,
    }


def _of(words: Words, values: Sequence[Sequence[str]]) -> list[str]:
    """The words, or their tags, that the tagger saw whole."""
    return [values[sentence][word] for sentence, word in words.places.tolist()]


def _place(tagger: Tagger, neuron: int) -> Neuron:
    layer, unit = divmod(int(neuron), tagger.width)
    return {"layer": layer, "unit": unit}


def _digest(*corpora: Tagged) -> str:
    rows = json.dumps([(corpus.sentences, corpus.tags) for corpus in corpora])
    return hashlib.sha256(rows.encode()).hexdigest()[:8]
