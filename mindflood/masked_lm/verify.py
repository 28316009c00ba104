"""The PyTorch side of the check: ``python -m mindflood.masked_lm.verify FOLDER EXPECTED``.

EXPECTED is a safetensors file with ``input_ids`` (int32 [B, L]) and MindSpore's ``scores`` (float32
[B, L, vocab]). The last line of standard output is JSON: ``wrong_keys``, the state-dict keys that
are missing or unexpected, and ``largest_difference``. This process never imports MindSpore.
"""

import json
import sys
from typing import Any


def verify(folder: str, expected: str) -> dict[str, Any]:
    """Load the folder as any Hugging Face user would, and compare."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForMaskedLM

    model, loading = AutoModelForMaskedLM.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    model.eval()
    tensors = load_file(expected)
    with torch.inference_mode():
        scores = model(input_ids=tensors["input_ids"].long()).logits
    keys = ("missing_keys", "unexpected_keys", "mismatched_keys")
    wrong = [str(key) for kind in keys for key in loading[kind]]
    difference = (scores - tensors["scores"]).abs().max().item()
    return {"wrong_keys": wrong, "largest_difference": difference}


if __name__ == "__main__":
    print(json.dumps(verify(*sys.argv[1:])))
