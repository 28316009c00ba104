"""A masked language model asked which tokens it finds likeliest at the places of a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer
from typing_extensions import Self

from mindflood.attack.searches import Broker
from mindflood.attack.victim.buckets import batches
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.errors import UserError

_KNOWN = ("bert", "roberta")
_TOKENS = 4096  # most tokens of one forward pass
_PLACES = 512  # most places whose scores over the whole vocabulary are in memory at once


@dataclass(frozen=True)
class Ranking:
    """The likeliest tokens at the places of one text.

    Attributes:
        places: int64 (P,), positions among the text's tokens: its first mask where it has one,
            else every token.
        tokens: int64 (P, kept), ids of tokens, likeliest first.
    """

    places: torch.Tensor
    tokens: torch.Tensor


class MaskedLM:
    """Ranks tokens with a Hugging Face masked language model; repeated texts are ranked once.

    Searches that ask at the same time share the batches, and all share what is remembered.

    Args:
        model, tokenizer: as ``transformers`` loads them.
        kept: number of tokens that a ranking has.
        fingerprint: names the exact weights.
        device: where it runs; None takes the GPU where there is one.
        remembered: number of most recent texts whose rankings are kept.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        kept: int,
        fingerprint: str,
        device: str | torch.device | None = None,
        remembered: int = 256,
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = model.to(self.device).eval()
        self.tokenizer = tokenizer
        self.kept = min(kept, int(model.config.vocab_size))
        self.fingerprint = fingerprint
        self._broker: Broker[str, Ranking] = Broker(self.rank, size=_size, remembered=remembered)

    @classmethod
    def from_folder(
        cls, folder: Path, *, kept: int, device: str | torch.device | None = None
    ) -> Self:
        """The model in a Hugging Face folder with safetensors weights.

        Raises:
            UserError: it is no masked language model, or lacks weights of its head.
        """
        try:
            model, report = AutoModelForMaskedLM.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # safetensors, JSON, shapes, unknown architectures
            why = " ".join(str(error).split())[:200]
            raise UserError(
                f"{folder}: cannot be loaded as a masked language model: {why}; make one with "
                "'mindflood masked-lm'"
            ) from error
        if missing := sorted(report["missing_keys"]):
            raise UserError(
                f"{folder}: the weights lack {missing[0]}: this is no masked language model; make "
                "one with 'mindflood masked-lm'"
            )
        if model.config.model_type not in _KNOWN:
            raise UserError(
                f"{folder}: a masked language model of type {model.config.model_type}; expected "
                f"one of {', '.join(_KNOWN)}"
            )
        return cls(
            model, tokenizer, kept=kept, fingerprint=model_fingerprint(folder), device=device
        )

    @cached_property
    def max_length(self) -> int:
        """Most tokens that the model takes."""
        positions = int(self.model.config.max_position_embeddings)
        if self.model.config.model_type in ("roberta", "xlm-roberta", "camembert"):
            positions -= self.model.config.pad_token_id + 1
        return min(positions, 512)

    def __call__(self, texts: Sequence[str]) -> list[Ranking]:
        """The ranking of each text, in their order."""
        return self._broker.ask(texts)

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        """As calling, without looking at or adding to the remembered rankings."""
        encoded = [self.encode(text) for text in texts]
        rankings: dict[int, Ranking] = {}
        for length, rows in batches(list(map(len, encoded)), self.max_length, _TOKENS):
            ids = torch.full((len(rows), length), self.tokenizer.pad_token_id)
            for row, index in enumerate(rows):
                ids[row, : len(encoded[index])] = torch.tensor(encoded[index])
            places = [self._places(encoded[index]) for index in rows]
            tokens = self._likeliest(ids.to(self.device), places)
            rankings |= {
                index: Ranking(place, token)
                for index, place, token in zip(rows, places, tokens, strict=True)
            }
        return [rankings[index] for index in range(len(texts))]

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, special tokens included, cut to the model's length."""
        ids: list[int] = self.tokenizer(text, truncation=True, max_length=self.max_length)[
            "input_ids"
        ]
        return ids

    def scores(self, rows: Sequence[list[int]], places: Sequence[list[int]]) -> list[torch.Tensor]:
        """Logits over the vocabulary at places of texts that are tokens already.

        Args:
            rows: ids of a text's tokens, special ones included, as many as the model takes.
            places: positions among them, as many lists.

        Returns:
            float32 (places, V) of each text, on the CPU.
        """
        found: dict[int, torch.Tensor] = {}
        for length, members in batches(list(map(len, rows)), self.max_length, _TOKENS):
            ids = torch.full((len(members), length), self.tokenizer.pad_token_id)
            mask = torch.zeros_like(ids)
            for at, index in enumerate(members):
                ids[at, : len(rows[index])] = torch.tensor(rows[index])
                mask[at, : len(rows[index])] = 1
            with torch.inference_mode():
                states = self.model.base_model(
                    input_ids=ids.to(self.device), attention_mask=mask.to(self.device)
                )[0]
                for at, index in enumerate(members):
                    chosen = states[at][torch.tensor(places[index], dtype=torch.long)]
                    found[index] = self._head(chosen).float().cpu().clone()
        return [found[index] for index in range(len(rows))]

    def _places(self, ids: list[int]) -> torch.Tensor:
        mask = self.tokenizer.mask_token_id
        return torch.tensor([ids.index(mask)]) if mask in ids else torch.arange(len(ids))

    def _likeliest(self, ids: torch.Tensor, places: list[torch.Tensor]) -> list[torch.Tensor]:
        """Ids of the likeliest tokens, int64 (places, kept), for each row of ``ids`` (B, L)."""
        mask = (ids != self.tokenizer.pad_token_id).long()
        with torch.inference_mode():
            states = self.model.base_model(input_ids=ids, attention_mask=mask)[0]
            chosen = torch.cat([states[row][place] for row, place in enumerate(places)])
            ranked = [
                self._head(part).topk(self.kept, dim=-1).indices for part in chosen.split(_PLACES)
            ]
        tokens = torch.cat(ranked).cpu().clone()
        return list(tokens.split([len(place) for place in places]))

    @property
    def _head(self) -> Any:
        """From states to scores over the vocabulary: BERT and RoBERTa name it differently."""
        return self.model.cls if hasattr(self.model, "cls") else self.model.lm_head


def _size(text: str) -> int:
    return 1 + len(text)
