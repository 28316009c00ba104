"""The PyTorch side of the check: ``python -m mindflood.masked_lm.verify FOLDER EXPECTED``.

EXPECTED is a safetensors file with ``input_ids`` (int32 [B, L]) and MindSpore's ``scores`` (float32
[B, L, vocab]). The last line of standard output is JSON: ``wrong_keys``, the state-dict keys that
are missing or unexpected, and ``agreement``, the fields of
:class:`mindflood.bridge.agreement.Agreement`. This process never imports MindSpore.
"""

import json
import sys
from typing import Any

from mindflood.bridge.loading import answer, loaded
from mindflood.process import end_with_starter


def verify(folder: str, expected: str) -> dict[str, Any]:
    """Load the folder as any Hugging Face user would, and compare."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForMaskedLM

    model, wrong_keys = loaded(AutoModelForMaskedLM, folder)
    tensors = load_file(expected)
    with torch.inference_mode():
        theirs = model(input_ids=tensors["input_ids"].long()).logits
    return answer(wrong_keys, tensors["scores"].numpy(), theirs.numpy())


if __name__ == "__main__":
    end_with_starter()
    print(json.dumps(verify(*sys.argv[1:])))
