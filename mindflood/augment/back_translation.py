"""Back-translation: a text in another language and back, kept where it still says the same.

A translation is refused that denies more or less often than the original, or whose cosine to it is
low: its label would be wrong. So is one that the translator would read or write in part alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from mindflood.augment import apertium
from mindflood.augment.contractions import joined
from mindflood.augment.negation import denials
from mindflood.config.input_space import AugmentationSettings

Vectors = Callable[[Sequence[str]], torch.Tensor]


@dataclass
class Refused:
    """Translations that are not trained on, by why."""

    too_long: int = 0
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
            whole = [number for number, text in enumerate(translations) if text is not None]
            self.made += len(originals)
            self.counts.too_long += len(originals) - len(whole)
            if not whole:
                continue
            found = [text for text in translations if text is not None]
            before = self.vectors([originals[number] for number in whole])
            near = (before * self.vectors(found)).sum(-1).tolist()
            for number, text, cosine in zip(whole, found, near, strict=True):
                original = originals[number]
                text = text if original != original.lower() else text.lower()
                if self._passes(original, text, cosine, kept[number]):
                    kept[number].append(text)
        for number, found in enumerate(kept):
            yield from ((number, text) for text in found[: self.settings.samples])

    def _translations(self, originals: Sequence[str]) -> Iterator[Sequence[str | None]]:
        """One translation of each text, pivot by pivot; Marian's are drawn several times.

        None stands for a text that is too long for the translator.
        """
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
        elif denials(text) != denials(original):
            counts.negation += 1
        elif cosine < self.settings.similarity:
            counts.dissimilar += 1
        else:
            return True
        return False


def plain(text: str) -> str:
    """What two texts that differ in case and spaces alone have in common."""
    return "".join(text.casefold().split())
