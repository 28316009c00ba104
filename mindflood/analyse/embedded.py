"""A classifier from its word embeddings on, so that they can be perturbed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers.models.roberta.modeling_roberta import create_position_ids_from_input_ids

from mindflood.attack.victim.wrapper import COUNTED_POSITIONS, Victim
from mindflood.data.sources import Examples


@dataclass(frozen=True)
class Rows:
    """Some rows, encoded: ``words`` are their word embeddings E, float32 ``[B, L, d]``.

    ``mask`` is float32 ``[B, L, 1]``, 0 on padding; ``labels`` int64 ``[B]``; ``places`` say where
    in the examples the rows are.
    """

    words: torch.Tensor
    mask: torch.Tensor
    labels: torch.Tensor
    inputs: dict[str, torch.Tensor]
    places: tuple[int, ...]

    def noise(self, seed: int, draw: int) -> torch.Tensor:
        """N(0, 1) a coordinate, zero on padding; a row's depends on (seed, draw, row) alone."""
        found = np.zeros(tuple(self.words.shape), np.float32)
        for number, place in enumerate(self.places):
            length = int(self.mask[number].sum())
            stream = np.random.default_rng((seed, draw, place))
            found[number, :length] = stream.standard_normal((length, found.shape[2]), np.float32)
        return torch.tensor(found, device=self.words.device)


class EmbeddedClassifier:
    """J at E + δ, row by row, in evaluation mode; no gradient reaches the weights.

    Args:
        folder, num_labels: as in ``Victim``.
        batch_size: rows that go through the network together.
    """

    def __init__(self, folder: str, num_labels: int, batch_size: int = 64) -> None:
        self.victim = Victim(folder, num_labels=num_labels)
        self.model = self.victim.model.requires_grad_(False)
        self.batch_size = batch_size

    def rows(self, examples: Examples) -> Iterator[Rows]:
        """The examples, rows of like length together."""
        lengths = [sum(map(len, texts)) for texts in examples.texts]
        order = sorted(range(len(examples)), key=lambda place: lengths[place])
        for start in range(0, len(order), self.batch_size):
            yield self._encoded(examples, order[start : start + self.batch_size])

    def judged(self, rows: Rows, delta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """At E + δ, row by row: cross-entropy in nats, float32 ``[B]``, and whether it is right.

        δ is zero on padding.
        """
        logits = self.logits(rows, delta)
        losses = torch.nn.functional.cross_entropy(logits, rows.labels, reduction="none")
        return losses, logits.argmax(1) == rows.labels

    def logits(self, rows: Rows, delta: torch.Tensor) -> torch.Tensor:
        """float32 ``[B, k]``."""
        found: torch.Tensor = self.model(inputs_embeds=rows.words + delta, **rows.inputs).logits
        return found

    def _encoded(self, examples: Examples, places: Sequence[int]) -> Rows:
        texts = [examples.texts[place] for place in places]
        single = len(texts[0]) == 1
        batch = self.victim.encode(
            [text[0] if single else text for text in texts], padding=True, return_tensors="pt"
        ).to(self.victim.device)
        inputs = dict(batch)
        ids = inputs.pop("input_ids")
        if self.model.config.model_type in COUNTED_POSITIONS:
            # Embeddings do not tell where padding is.
            padding = self.model.config.pad_token_id
            inputs["position_ids"] = create_position_ids_from_input_ids(ids, padding)
        return Rows(
            self.model.get_input_embeddings()(ids),
            inputs["attention_mask"].float().unsqueeze(-1),
            torch.tensor(examples.labels[list(places)], device=ids.device),
            inputs,
            tuple(places),
        )
