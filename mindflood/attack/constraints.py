"""The offline profile's constraints: sentence similarity and parts of speech without downloads."""

import csv
import gzip
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from mindflood.attack.encoder import SentenceVectors
from mindflood.attack.inflection import table_file
from mindflood.attack.textattack_import import textattack

_WORD_CLASSES = {"noun": "NOUN", "propn": "NOUN", "verb": "VERB", "aux": "VERB"}


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

    def _score_list(self, starting_text: Any, transformed_texts: Sequence[Any]) -> torch.Tensor:
        """Similarities, float32 (n,); a text shorter than the window passes without being encoded.

        TextAttack encodes such texts as well and then gives them the same 1.
        """
        scores = torch.ones(len(transformed_texts))
        compared = [
            row
            for row, text in enumerate(transformed_texts)
            if not self.skip_text_shorter_than_window or len(text.words) >= self.window_size
        ]
        if compared:
            texts = [transformed_texts[row] for row in compared]
            scores[compared] = super()._score_list(starting_text, texts)
        return scores


class LexiconPartOfSpeech(textattack.constraints.Constraint):
    """Allows a swap when the two words can be of the same part of speech, whatever the context.

    Takes the place of a tagger where there is none. Nouns and verbs may be swapped, as TextFooler
    allows; a word the lexicon does not have passes as a noun, as most unknown words are.
    """

    def __init__(self, allow_verb_noun_swap: bool = True) -> None:
        super().__init__(compare_against_original=True)
        self.allow_verb_noun_swap = allow_verb_noun_swap

    def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
        changed = transformed_text.attack_attrs["newly_modified_indices"]
        return all(
            self._swappable(reference_text.words[index], transformed_text.words[index])
            for index in changed
        )

    def _swappable(self, before: str, after: str) -> bool:
        old, new = parts_of_speech(before), parts_of_speech(after)
        if old & new:
            return True
        either = {"NOUN", "VERB"}
        return self.allow_verb_noun_swap and bool(old & either) and bool(new & either)

    def check_compatibility(self, transformation: Any) -> bool:
        """Only word swaps have a word on either side to compare."""
        return bool(
            textattack.shared.validators.transformation_consists_of_word_swaps(transformation)
        )

    def extra_repr_keys(self) -> list[str]:
        """Names of the settings that TextAttack prints."""
        return ["allow_verb_noun_swap", *super().extra_repr_keys()]


def parts_of_speech(word: str) -> frozenset[str]:
    """Every universal part of speech that ``word`` can have."""
    return _lexicon().get(word.lower(), frozenset({"NOUN"}))


@cache
def _lexicon() -> dict[str, frozenset[str]]:
    """Lower-cased word → its parts of speech, from the lemma table of LemmInflect.

    TextAttack depends on that package. Its file is read as text: its own loader reads pickles.
    """
    found: dict[str, set[str]] = {}
    with gzip.open(lexicon_file(), "rt", encoding="utf-8", newline="") as lines:
        for word, part, *_ in csv.reader(lines):
            found.setdefault(word.lower(), set()).add(_WORD_CLASSES.get(part, part.upper()))
    return {word: frozenset(parts) for word, parts in found.items()}


def lexicon_file() -> Path:
    """LemmInflect's table of words, their parts of speech and base forms."""
    return table_file("lemma_lu.csv.gz")
