"""The PyTorch side of the export's check, run as ``python -m mindflood.bridge.verify FOLDER``.

Standard input holds JSON: ``texts`` (rows of 1 or 2 strings) and ``logits`` (MindSpore's, [n, k]).
The last line of standard output is JSON: ``wrong_keys``, the state-dict keys that are missing or
unexpected, and ``agreement``, the fields of :class:`mindflood.bridge.agreement.Agreement`. This
process never imports MindSpore.
"""

import json
import sys
from typing import Any

from mindflood.bridge.loading import answer, loaded
from mindflood.process import end_with_starter


def verify(folder: str, texts: list[list[str]], logits: list[list[float]]) -> dict[str, Any]:
    """Load the folder as any Hugging Face user would, and compare at the length it states."""
    import numpy as np
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model, wrong_keys = loaded(AutoModelForSequenceClassification, folder)
    first = [row[0] for row in texts]
    second = [row[1] for row in texts] if len(texts[0]) == 2 else None
    inputs = tokenizer(first, second, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**inputs).logits.numpy()
    return answer(wrong_keys, np.array(logits, np.float32), theirs)


if __name__ == "__main__":
    end_with_starter()
    print(json.dumps(verify(sys.argv[1], **json.load(sys.stdin))))
