"""Back-translation: a text in another language and back, kept where it still says the same.

A translation is refused that denies what the original does not, or no longer does, or whose cosine
to it is low: its label would be wrong.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from mindflood.augment import apertium
from mindflood.augment.contractions import joined
from mindflood.augment.negation import denies
from mindflood.config.input_space import AugmentationSettings

Vectors = Callable[[Sequence[str]], torch.Tensor]


@dataclass
class Refused:
    """Translations that are not trained on, by why."""

    unchanged: int = 0
    repeated: int = 0
    negation: int = 0
    dissimilar: int = 0


@dataclass
class BackTranslation:
    """Makes new texts through other languages.

    Args:
        vectors: of texts, unit vectors (n, hidden).
        settings: translator, pivots, samples, similarity, seed.
    """

    vectors: Vectors
    settings: AugmentationSettings
    counts: Refused = field(default_factory=Refused)
    made: int = 0

    def __call__(self, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
        """New texts, each with the place of its original, in their order."""
        originals = [joined(text) for text in texts]
        kept: list[list[str]] = [[] for _ in texts]
        for translations in self._translations(originals):
            self.made += len(translations)
            near = (self.vectors(originals) * self.vectors(translations)).sum(-1).tolist()
            for number, (text, cosine) in enumerate(zip(translations, near, strict=True)):
                original = originals[number]
                text = text if original != original.lower() else text.lower()
                if self._passes(original, text, cosine, kept[number]):
                    kept[number].append(text)
        for number, found in enumerate(kept):
            yield from ((number, text) for text in found[: self.settings.samples])

    def _translations(self, originals: Sequence[str]) -> Iterator[list[str]]:
        """One translation of each text, pivot by pivot; Marian's are drawn several times."""
        settings = self.settings
        if settings.translator == "apertium":
            apertium.check_pivots(settings.pivots)
            for pivot in settings.pivots:
                yield apertium.there_and_back(originals, pivot)
            return
        from mindflood.augment import marian

        for number in range(settings.samples):
            pivot = settings.pivots[number % len(settings.pivots)]
            yield marian.there_and_back(originals, pivot, settings.seed + number)

    def _passes(self, original: str, text: str, cosine: float, before: Sequence[str]) -> bool:
        counts = self.counts
        if plain(text) == plain(original):
            counts.unchanged += 1
        elif plain(text) in map(plain, before):
            counts.repeated += 1
        elif denies(text) != denies(original):
            counts.negation += 1
        elif cosine < self.settings.similarity:
            counts.dissimilar += 1
        else:
            return True
        return False


def plain(text: str) -> str:
    """What two texts that differ in case and spaces alone have in common."""
    return "".join(text.casefold().split())
