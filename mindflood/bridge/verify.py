"""The PyTorch side of the export's check, run as ``python -m mindflood.bridge.verify FOLDER``.

Standard input holds JSON: ``texts`` (rows of 1 or 2 strings) and ``logits`` (MindSpore's, [n, k]).
The last line of standard output is JSON: ``wrong_keys``, the state-dict keys that are missing or
unexpected, and ``agreement``, the fields of :class:`mindflood.bridge.agreement.Agreement`. This
process never imports MindSpore.
"""

import dataclasses
import json
import sys
from typing import Any

from mindflood.bridge.agreement import compare
from mindflood.process import end_with_starter


def verify(folder: str, texts: list[list[str]], logits: list[list[float]]) -> dict[str, Any]:
    """Load the folder as any Hugging Face user would, and compare at the length it states."""
    import numpy as np
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    model.eval()
    first = [row[0] for row in texts]
    second = [row[1] for row in texts] if len(texts[0]) == 2 else None
    inputs = tokenizer(first, second, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**inputs).logits.numpy()
    agreement = compare(np.array(logits, np.float32), theirs)
    return {"wrong_keys": wrong_keys(loading), "agreement": dataclasses.asdict(agreement)}


def wrong_keys(loading: dict[str, Any]) -> list[str]:
    """The keys of which transformers' loading report complains."""
    kinds = ("missing_keys", "unexpected_keys", "mismatched_keys")
    return [str(key) for kind in kinds for key in loading[kind]]


if __name__ == "__main__":
    end_with_starter()
    print(json.dumps(verify(sys.argv[1], **json.load(sys.stdin))))
