"""The PyTorch side of the export's check, run as ``python -m mindflood.bridge.verify FOLDER``.

Standard input holds JSON: ``texts`` (rows of 1 or 2 strings), ``logits`` (MindSpore's, [n, k]) and
``max_length`` (tokens). The last line of standard output is JSON: ``wrong_keys``, the state-dict
keys that are missing or unexpected, and ``largest_difference`` of the logits. This process never
imports MindSpore.
"""

import json
import sys
from typing import Any


def verify(folder: str, texts: list[list[str]], logits: list[list[float]], max_length: int) -> Any:
    """Load the folder as any Hugging Face user would, and compare."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    model.eval()
    first = [row[0] for row in texts]
    second = [row[1] for row in texts] if len(texts[0]) == 2 else None
    inputs = tokenizer(
        first, second, padding=True, truncation=True, max_length=max_length, return_tensors="pt"
    )
    with torch.inference_mode():
        difference = (model(**inputs).logits - torch.tensor(logits)).abs().max().item()
    keys = ("missing_keys", "unexpected_keys", "mismatched_keys")
    wrong = [str(key) for kind in keys for key in loading[kind]]
    return {"wrong_keys": wrong, "largest_difference": difference}


if __name__ == "__main__":
    print(json.dumps(verify(sys.argv[1], **json.load(sys.stdin))))
