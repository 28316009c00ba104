"""Sentence vectors of the embedded encoder: mean-pooled token states, as it was trained for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

from mindflood.attack.broker import Broker
from mindflood.attack.buckets import in_buckets
from mindflood.attack.neighbour_file import embedded_encoder, encoder_fingerprint

_MAX_TOKENS = 128  # a 15-word window stays far below


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

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of ``texts``: (n, hidden) on the CPU."""
        if not texts:
            return torch.empty(0, self.model.config.hidden_size)
        return torch.stack(self._broker.ask(texts))

    def encode(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """As calling, at once and without the remembered vectors: one vector (hidden,) a text."""
        encoded = self.tokenizer(list(texts), truncation=True, max_length=_MAX_TOKENS)
        return in_buckets(
            self.tokenizer, encoded, self._mean_states, longest=_MAX_TOKENS, device=self.device
        )

    def _mean_states(self, batch: Any) -> torch.Tensor:
        with torch.inference_mode():
            states = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)
