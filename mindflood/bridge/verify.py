"""The PyTorch side of the export's check, run as ``python -m mindflood.bridge.verify FOLDER``.

Standard input holds JSON: ``kind`` of the task, ``texts`` of its rows, ``logits`` (MindSpore's,
[n, k]; of tags those of all words; 0 for a choice that a question does not have), and ``marks``,
what stands before question and choice in a RoBERTa, or null. The last line of standard output is
JSON: ``wrong_keys``, the state-dict keys that are missing or unexpected, and ``agreement``, the
fields of :class:`mindflood.bridge.agreement.Agreement`. This process never imports MindSpore.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mindflood.bridge.loading import answer, loaded
from mindflood.process import end_with_starter

Texts = Sequence[Sequence[str]]


def verify(
    folder: str,
    texts: Texts,
    logits: list[list[float]],
    kind: str = "classification",
    marks: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Load the folder as any Hugging Face user would, and compare at the length it states."""
    import numpy as np
    import torch
    import transformers

    classes: dict[str, tuple[Any, Callable[..., Any]]] = {
        "choice": (transformers.AutoModelForMultipleChoice, _scores),
        "tagging": (transformers.AutoModelForTokenClassification, _of_words),
    }
    one_text = (transformers.AutoModelForSequenceClassification, _of_texts)
    automatic, ask = classes.get(kind, one_text)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model, wrong_keys = loaded(automatic, folder)
    with torch.inference_mode():
        theirs = ask(model, tokenizer, texts, marks)
    return answer(wrong_keys, np.array(logits, np.float32), np.asarray(theirs, np.float32))


def _of_texts(model: Any, tokenizer: Any, texts: Texts, marks: Any) -> Any:
    """Logits of texts or pairs, [n, k]."""
    first = [row[0] for row in texts]
    second = [row[1] for row in texts] if len(texts[0]) == 2 else None
    inputs = tokenizer(first, second, padding=True, truncation=True, return_tensors="pt")
    return model(**inputs).logits.numpy()


def _scores(model: Any, tokenizer: Any, questions: Texts, marks: Sequence[str] | None) -> Any:
    """Scores of the choices of each question, [n, most choices]."""
    import numpy as np

    scores = np.zeros((len(questions), max(map(len, questions)) - 1), np.float32)
    single = marks is not None and model.config.model_type == "roberta"
    for place, (stem, *choices) in enumerate(questions):
        first, second = [stem] * len(choices), choices
        if single and marks is not None:
            separator = tokenizer.sep_token
            first = [f"{marks[0]}{stem}{separator}{marks[1]}{choice}" for choice in choices]
        inputs = tokenizer(
            first, None if single else second, padding=True, truncation=True, return_tensors="pt"
        )
        whole = {name: tensor.unsqueeze(0) for name, tensor in inputs.items()}
        scores[place, : len(choices)] = model(**whole).logits[0].numpy()
    return scores


def _of_words(model: Any, tokenizer: Any, sentences: Texts, marks: Any) -> Any:
    """Logits at the first token of every word, [words, k]."""
    import numpy as np

    inputs = tokenizer(
        [list(words) for words in sentences], is_split_into_words=True,
        padding=True, truncation=True, return_tensors="pt",
    )  # fmt: skip
    logits = model(**inputs).logits.numpy()
    found = []
    for row in range(len(sentences)):
        before = None
        for place, word in enumerate(inputs.word_ids(row)):
            if word is not None and word != before:
                found.append(logits[row, place])
            before = word
    return np.stack(found)


if __name__ == "__main__":
    end_with_starter()
    print(json.dumps(verify(sys.argv[1], **json.load(sys.stdin))))
