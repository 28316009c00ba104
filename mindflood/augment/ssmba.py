"""SSMBA (Ng et al. 2020): a text corrupted, and drawn anew by a masked language model.

A new text is drawn from the neighbourhood of the original: from it, and, after a draw that came to
nothing new, from the next of those that were made of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from mindflood.attack.resources.masked_lm import MaskedLM
from mindflood.augment.corruption import Corruption
from mindflood.config.input_space import AugmentationSettings
from mindflood.errors import UserError

SHORTEST = 5  # tokens, as the release's
MOST_FAILURES = 10  # in a row; one more ends a text
_AT_ONCE = 128  # texts, whose laws over the whole vocabulary are in memory at once


@dataclass
class _Neighbourhood:
    """One text, what was made of it, and from which member the next is made."""

    row: int
    generator: np.random.Generator
    members: list[np.ndarray]
    texts: list[str]
    at: int = 0
    failures: int = 0

    def add(self, ids: np.ndarray, text: str) -> None:
        """Take in what was drawn, where it is new."""
        if text and text not in self.texts:
            self.members.append(ids)
            self.texts.append(text)
            self.failures = 0
        else:
            self.at = (self.at + 1) % len(self.members)
            self.failures += 1


@dataclass
class Counts:
    """Texts that were left out, by why."""

    too_short: int = 0
    too_long: int = 0
    nothing_new: int = 0


@dataclass
class SSMBA:
    """Makes new texts with a masked language model.

    Args:
        masked_lm: any; what it keeps of a ranking does not matter.
        settings: p, k, variant, samples a text, seed.

    Raises:
        UserError: the model's vocabulary is not its tokenizer's, or has no mask.
    """

    masked_lm: MaskedLM
    settings: AugmentationSettings
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        tokenizer, size = self.masked_lm.tokenizer, int(self.masked_lm.model.config.vocab_size)
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        if tokenizer.mask_token_id is None or max(vocabulary.values()) >= size:
            raise UserError(
                f"augmentation.masked_lm: the model has {size} tokens and its tokenizer "
                f"{1 + max(vocabulary.values())}, with "
                f"{'no mask' if tokenizer.mask_token_id is None else 'a mask'} among them: they do "
                "not belong together; make one with 'mindflood masked-lm'"
            )
        never = {*tokenizer.all_special_ids}
        never |= {at for token, at in vocabulary.items() if token.startswith("[unused")}
        ordinary = np.array([at for at in sorted(vocabulary.values()) if at not in never])
        self.never = torch.ones(size, dtype=torch.bool)
        self.never[ordinary] = False
        self.corruption = Corruption(
            self.settings.corruption, tokenizer.mask_token_id, tokenizer.all_special_ids, ordinary
        )

    def __call__(self, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
        """New texts, each with the place of its original, in their order.

        What becomes of a text depends on the seed, its place and itself.
        """
        at_work = [one for row, text in enumerate(texts) if (one := self._begin(row, text))]
        every = list(at_work)
        while at_work:
            for start in range(0, len(at_work), _AT_ONCE):
                self._draw(at_work[start : start + _AT_ONCE])
            at_work = [one for one in at_work if not self._is_done(one)]
        for one in every:
            self.counts.nothing_new += len(one.texts) == 1
            yield from ((one.row, text) for text in one.texts[1:])

    def _begin(self, row: int, text: str) -> _Neighbourhood | None:
        ids = np.array(self.masked_lm.tokenizer(text)["input_ids"])
        if len(ids) < SHORTEST:
            self.counts.too_short += 1
            return None
        if len(ids) > self.masked_lm.max_length:
            self.counts.too_long += 1
            return None
        generator = np.random.default_rng([self.settings.seed, row])
        # Compared as the tokenizer gives it back: lower case alone is nothing new.
        return _Neighbourhood(row, generator, [ids], [self._decoded(ids)])

    def _draw(self, texts: Sequence[_Neighbourhood]) -> None:
        """Corrupt one member of each, and put what the model draws at the corrupted places."""
        corrupted = [self.corruption(one.members[one.at], one.generator) for one in texts]
        scores = self.masked_lm.scores(
            [one.ids.tolist() for one in corrupted], [one.places.tolist() for one in corrupted]
        )
        for one, hidden, logits in zip(texts, corrupted, scores, strict=True):
            ids = hidden.ids
            if len(hidden.places):
                ids[hidden.places] = drawn(self.probabilities(logits), one.generator)
            one.add(ids, self._decoded(ids))

    def probabilities(self, logits: torch.Tensor) -> np.ndarray:
        """The law that a token is drawn from, float64 [m, V], of logits [m, V].

        Special and unused tokens have none. Of the k likeliest the paper draws by their own
        probabilities; the release's code takes the softmax of these probabilities.
        """
        law = logits.double().masked_fill(self.never, -torch.inf).softmax(-1)
        if (k := self.settings.top_k) is not None:
            likeliest, places = law.topk(min(k, int((~self.never).sum())), dim=-1)
            if self.settings.variant == "release":
                likeliest = likeliest.softmax(-1)
            law = torch.zeros_like(law).scatter(-1, places, likeliest)
            law /= law.sum(-1, keepdim=True)
        found: np.ndarray = law.numpy()
        return found

    def _decoded(self, ids: np.ndarray) -> str:
        text: str = self.masked_lm.tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def _is_done(self, one: _Neighbourhood) -> bool:
        return len(one.texts) > self.settings.samples or one.failures > MOST_FAILURES


def drawn(law: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One index a row of probabilities, float64 [m, V]: int64 [m]."""
    below = law.cumsum(axis=1)
    points = generator.random((len(law), 1)) * below[:, -1:]
    return np.minimum((below <= points).sum(axis=1), law.shape[1] - 1)
