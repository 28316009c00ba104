"""Vectors of the embedded encoder: of sentences, as it was trained for, and of words in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModel, AutoTokenizer

from mindflood.attack.resources.embedded import embedded_encoder, encoder_fingerprint
from mindflood.attack.searches import Broker
from mindflood.attack.victim.buckets import in_buckets

_MAX_TOKENS = 128  # a 15-word window stays far below


class Place(NamedTuple):
    """A word of a text: characters ``start`` to ``end``."""

    text: str
    start: int
    end: int


class SentenceVectors:
    """Encodes texts with a Hugging Face encoder folder; repeated texts are encoded once.

    Searches that ask at the same time share the batches, and all share what is remembered.

    Args:
        folder: encoder with safetensors weights and a tokenizer; None takes the embedded one.
        device: where it runs; None takes the GPU where there is one.
        remembered: number of most recent texts whose vectors are kept.
        dtype: of the weights and the vectors.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        device: str | torch.device | None = None,
        remembered: int = 2**14,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.folder = folder or embedded_encoder()
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(
            self.folder, use_safetensors=True, local_files_only=True
        )
        self.model.to(self.device, dtype).eval()
        self.fingerprint = encoder_fingerprint(self.folder)
        self._broker: Broker[str, torch.Tensor] = Broker(
            self.encode, size=lambda text: 1 + len(text), remembered=remembered
        )
        self._places: Broker[Place, torch.Tensor] = Broker(
            self.encode_places, size=lambda place: 1 + len(place.text), remembered=remembered
        )

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of ``texts``: (n, hidden) on the CPU."""
        if not texts:
            return torch.empty(0, self.model.config.hidden_size)
        return torch.stack(self._broker.ask(texts))

    def of_words(self, places: Sequence[Place]) -> torch.Tensor:
        """Unit vectors of words in their texts, the mean of their tokens': (n, hidden), CPU."""
        if not places:
            return torch.empty(0, self.model.config.hidden_size)
        return torch.stack(self._places.ask(places))

    def encode(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """As calling, at once and without the remembered vectors: one vector (hidden,) a text."""
        encoded = self.tokenizer(list(texts), truncation=True, max_length=_MAX_TOKENS)
        return in_buckets(
            self.tokenizer, encoded, self._mean_states, longest=_MAX_TOKENS, device=self.device
        )

    def encode_places(self, places: Sequence[Place]) -> list[torch.Tensor]:
        """As :meth:`of_words`, at once and without the remembered vectors.

        A word behind what the encoder reads has the vector of the text's last token.
        """
        texts = [place.text for place in places]
        encoded = self.tokenizer(
            texts, truncation=True, max_length=_MAX_TOKENS, return_offsets_mapping=True
        )
        offsets = encoded.pop("offset_mapping")
        states = in_buckets(
            self.tokenizer, encoded, self._states, longest=_MAX_TOKENS, device=self.device
        )
        return [
            torch.nn.functional.normalize(rows[_tokens(place, spans)].mean(0), dim=0)
            for place, rows, spans in zip(places, states, offsets, strict=True)
        ]

    def _states(self, batch: Any) -> torch.Tensor:
        with torch.inference_mode():
            states: torch.Tensor = self.model(**batch).last_hidden_state
            return states

    def _mean_states(self, batch: Any) -> torch.Tensor:
        with torch.inference_mode():
            states = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)


def _tokens(place: Place, spans: Sequence[tuple[int, int]]) -> list[int]:
    """The tokens of a word, by the characters that each token spans."""
    inside = [
        token
        for token, (start, end) in enumerate(spans)
        if start < end and start < place.end and end > place.start
    ]
    return inside or [len(spans) - 2]
