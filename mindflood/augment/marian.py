"""The Marian translators of the Hugging Face hub (Helsinki-NLP/opus-mt), sampled."""

from collections.abc import Sequence
from typing import Any

import torch

from mindflood.errors import UserError

TEMPERATURE = 0.8  # UDA's (Xie et al. 2020), and A2T's
_TOKENS = 128
_BATCH = 32


def there_and_back(texts: Sequence[str], pivot: str, seed: int) -> list[str]:
    """Every text in English again, in their order; only the way back is sampled.

    Raises:
        UserError: a translator cannot be had.
    """
    torch.manual_seed(seed)
    between = _translated(texts, f"Helsinki-NLP/opus-mt-en-{pivot}", sampled=False)
    return _translated(between, f"Helsinki-NLP/opus-mt-{pivot}-en", sampled=True)


def _translated(texts: Sequence[str], name: str, *, sampled: bool) -> list[str]:
    tokenizer, model = _loaded(name)
    how: dict[str, Any] = {"do_sample": True, "temperature": TEMPERATURE} if sampled else {}
    found: list[str] = []
    for start in range(0, len(texts), _BATCH):
        batch = tokenizer(
            list(texts[start : start + _BATCH]),
            return_tensors="pt", padding=True, truncation=True, max_length=_TOKENS,
        ).to(model.device)  # fmt: skip
        with torch.inference_mode():
            ids = model.generate(**batch, num_beams=1, max_new_tokens=_TOKENS, **how)
        found += tokenizer.batch_decode(ids, skip_special_tokens=True)
    return found


def _loaded(name: str) -> tuple[Any, Any]:
    from transformers import MarianMTModel, MarianTokenizer

    try:
        tokenizer = MarianTokenizer.from_pretrained(name)
        model = MarianMTModel.from_pretrained(name, use_safetensors=True).eval()
    except Exception as error:  # of the hub, sentencepiece, safetensors
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"augmentation.translator: the model {name} cannot be had: {said}; fetch it into the "
            "hub's cache (with safetensors, and the package sentencepiece), or set "
            "augmentation.translator: apertium"
        ) from error
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu")
