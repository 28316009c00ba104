"""The Marian translators of the Hugging Face hub (Helsinki-NLP/opus-mt), sampled."""

from collections.abc import Sequence
from typing import Any

import torch

from mindflood.errors import UserError

TEMPERATURE = 0.8  # UDA's (Xie et al. 2020), and A2T's
_TOKENS = 512  # as many as the models have positions
_BATCH = 32


def there_and_back(texts: Sequence[str], pivot: str, seed: int) -> list[str | None]:
    """Every text in English again, in their order; only the way back is sampled.

    Returns:
        None for a text that does not fit, or whose translation does not.

    Raises:
        UserError: a translator cannot be had.
    """
    torch.manual_seed(seed)
    between = _translated(texts, f"Helsinki-NLP/opus-mt-en-{pivot}", sampled=False)
    return _translated(between, f"Helsinki-NLP/opus-mt-{pivot}-en", sampled=True)


def _translated(texts: Sequence[str | None], name: str, *, sampled: bool) -> list[str | None]:
    tokenizer, model = _loaded(name)
    how: dict[str, Any] = {"do_sample": True, "temperature": TEMPERATURE} if sampled else {}
    tokens = [None if text is None else tokenizer(text)["input_ids"] for text in texts]
    fitting = [at for at, ids in enumerate(tokens) if ids is not None and len(ids) <= _TOKENS]
    found: list[str | None] = [None] * len(texts)
    for start in range(0, len(fitting), _BATCH):
        places = fitting[start : start + _BATCH]
        batch = tokenizer.pad({"input_ids": [tokens[at] for at in places]}, return_tensors="pt")
        with torch.inference_mode():
            made = model.generate(
                **batch.to(model.device), num_beams=1, max_new_tokens=_TOKENS, **how
            )
        for at, ids in zip(places, made, strict=True):
            # It came to an end before the last place, at which the models are made to end.
            if tokenizer.eos_token_id in ids[:_TOKENS].tolist():
                found[at] = tokenizer.decode(ids, skip_special_tokens=True)
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
