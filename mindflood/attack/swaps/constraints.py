"""The offline profile's constraints: sentence similarity and parts of speech without downloads."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from mindflood.attack.resources.encoder import Place, SentenceVectors
from mindflood.attack.resources.opposition import opposed
from mindflood.attack.resources.substitution import INTERCEPT, WEIGHTS, facts, log_odds
from mindflood.attack.resources.tagger import part_of_speech, tagged
from mindflood.attack.swaps.neighbour_swap import NeighbourSwap, pairs
from mindflood.attack.textattack_import import textattack


class SentenceSimilarity(textattack.constraints.semantics.sentence_encoders.SentenceEncoder):
    """TextAttack's sentence encoder constraint on the vectors of the embedded encoder.

    Takes the place of the Universal Sentence Encoder; metric, threshold and window keep
    TextAttack's meaning.
    """

    def __init__(self, vectors: SentenceVectors, **settings: Any) -> None:
        super().__init__(**settings)
        self.vectors = vectors

    def encode(self, sentences: Sequence[str]) -> torch.Tensor:
        """Unit vectors of ``sentences``: float32 (n, hidden)."""
        return self.vectors(sentences)


class Substitutable(textattack.constraints.Constraint):
    """Allows a swap when a reader is likely enough to put the new word there.

    A word of several senses is near to the substitutes of each; in a text it has one. So besides
    what is known of the pair the two words' own vectors are compared, each inside the original
    text. Swaps by letters are not judged.

    Args:
        vectors: the encoder.
        least: smallest probability, by :mod:`mindflood.attack.resources.substitution`.
        window_size: words around the swap that the encoder sees; None: all.
    """

    def __init__(self, vectors: SentenceVectors, least: float, window_size: int | None) -> None:
        super().__init__(compare_against_original=True)
        self.vectors = vectors
        self.least = least
        self.window_size = window_size
        self.weights = (*WEIGHTS, INTERCEPT)  # of the recipe's fingerprint

    def _check_constraint_many(
        self, transformed_texts: Sequence[Any], reference_text: Any
    ) -> list[Any]:
        swaps = [self._swaps(reference_text, text) for text in transformed_texts]
        vectors = self.vectors.of_words(
            [place for some in swaps for pair in some for place in pair.places]
        )
        cosines = iter((vectors[::2] * vectors[1::2]).sum(1).tolist())
        likely = [[self._likely(pair, next(cosines)) for pair in some] for some in swaps]
        return [text for text, passed in zip(transformed_texts, likely, strict=True) if all(passed)]

    def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
        return bool(self._check_constraint_many([transformed_text], reference_text))

    def _likely(self, pair: "_Swap", cosine: float) -> bool:
        if pair.known is None:
            return False
        return log_odds(cosine, pair.known) >= math.log(self.least / (1 - self.least))

    def _swaps(self, original: Any, changed: Any) -> list["_Swap"]:
        """Each word just swapped: in the original text, and what replaced it, there alone."""
        places = list(changed.attack_attrs["original_index_map"])  # a word may have become two
        tags = tagged(original.words)
        found = []
        for index in sorted(changed.attack_attrs["newly_modified_indices"]):
            own, word = places.index(index), changed.words[index]
            before = place_of(original, own, self.window_size)
            text = before.text[: before.start] + word + before.text[before.end :]
            after = Place(text, before.start, before.start + len(word))
            known = _best_facts(original.words[own], tags[own], word.lower())
            found.append(_Swap((before, after), known))
        return found

    def check_compatibility(self, transformation: Any) -> bool:
        """Only swaps for words of the table are judged."""
        return isinstance(transformation, NeighbourSwap)

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["least", "window_size", *super().extra_repr_keys()]


class _Swap(NamedTuple):
    """Where the two words stand, and what is known of them; None: no pair of the table here."""

    places: tuple[Place, Place]
    known: tuple[float, ...] | None


@lru_cache(2**14)
def _best_facts(word: str, tag: str, other: str) -> tuple[float, ...] | None:
    """Of the ways to read a word tagged so, the one of which ``other`` is most likely."""
    found = (facts(r.part, r.base, n) for r, form, n in pairs(word, tag) if form == other)
    return max(found, key=lambda known: log_odds(0.0, known), default=None)


def place_of(text: Any, index: int, window_size: int | None) -> Place:
    """A word of a ``textattack.shared.AttackedText`` among the words around it."""
    start, word = len(text.text_until_word_index(index)), text.words[index]
    window = text.text if window_size is None else text.text_window_around_index(index, window_size)
    # The window begins before the word, at most its own length away.
    begin = text.text.rfind(window, max(0, start - len(window)), start + len(window))
    return Place(window, start - begin, start - begin + len(word))


class _ChangedWords(textattack.constraints.Constraint):
    """Asks of each word that a transformation has just changed whether its change is allowed."""

    def __init__(self) -> None:
        super().__init__(compare_against_original=True)

    def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
        changed = transformed_text.attack_attrs["newly_modified_indices"]
        return all(self._allowed(reference_text, transformed_text, index) for index in changed)

    @abstractmethod
    def _allowed(self, before: Any, after: Any, index: int) -> bool:
        """Whether the word at ``index`` may be what it is in ``after``."""

    def check_compatibility(self, transformation: Any) -> bool:
        """Only word swaps have a word on either side to compare."""
        return bool(
            textattack.shared.validators.transformation_consists_of_word_swaps(transformation)
        )


class SamePartOfSpeech(_ChangedWords):
    """Allows a swap when the tagger gives both words the same part of speech in their texts.

    Args:
        allow_verb_noun_swap: nouns and verbs may be swapped, as TextFooler allows.
    """

    def __init__(self, allow_verb_noun_swap: bool = True) -> None:
        super().__init__()
        self.allow_verb_noun_swap = allow_verb_noun_swap

    def _allowed(self, before: Any, after: Any, index: int) -> bool:
        old, new = (part_of_speech(tagged(text.words)[index]) for text in (before, after))
        return old == new or (self.allow_verb_noun_swap and {old, new} == {"n", "v"})

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["allow_verb_noun_swap", *super().extra_repr_keys()]


class NoOpposite(_ChangedWords):
    """Refuses a swap for an antonym, or of a word of praise for one of blame.

    BERT-Attack's authors filter antonyms by dictionaries of synonyms (Li et al. 2020, §3.2): a
    masked language model proposes opposites as readily as synonyms.
    """

    def _allowed(self, before: Any, after: Any, index: int) -> bool:
        return not opposed(before.words[index].lower(), after.words[index].lower())
