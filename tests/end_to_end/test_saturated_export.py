"""A model trained to a loss near zero, which amplifies every inexactness, says the same anywhere.

On the embedded encoder, over the whole test split, against PyTorch in float64.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mindflood.cli import main
from tests.conftest import read_lines

pytestmark = pytest.mark.slow

LONGEST = 32
IN_FLOAT64 = f"""
import sys
import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
folder, answers = sys.argv[1:]
model = AutoModelForSequenceClassification.from_pretrained(folder).double().eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
texts = [text for (text,) in load_examples(get_task("corpus"), "test").texts]
logits = []
with torch.inference_mode():
    for first in range(0, len(texts), 64):
        some = texts[first : first + 64]
        tokens = tokenizer(some, padding="max_length", truncation=True, return_tensors="pt")
        assert tokens["input_ids"].shape == (len(some), {LONGEST})
        logits.append(model(**tokens).logits)
np.save(answers, torch.cat(logits).numpy())
"""


def in_mindspore(folder: Path) -> np.ndarray:
    """Logits of the whole test split, by the compiled graph that the clean accuracy is of."""
    import mindspore as ms
    from mindspore import Tensor

    from mindflood.data.batching import encode, load_tokenizer
    from mindflood.data.sources import load_examples
    from mindflood.data.tasks import get_task
    from mindflood.models.classifier import load_classifier
    from mindflood.training.evaluation import Classifier

    ms.set_context(mode=ms.GRAPH_MODE)
    rows = load_examples(get_task("corpus"), "test")
    encoded = encode(rows, load_tokenizer(folder), LONGEST)
    classifier = Classifier(load_classifier(folder))
    batches = [encoded.padded(some, LONGEST) for some in np.array_split(np.arange(len(rows)), 10)]
    return np.concatenate([classifier(*map(Tensor, batch)).asnumpy() for batch in batches])


def test_a_saturated_model_is_exact_to_float32(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        f"output: {tmp_path}/runs\nencoder: embedded\nmethod: finetune\n"
        f"task: {{name: corpus, train_examples: 200, eval_examples: 32, max_length: {LONGEST}}}\n"
        "training: {epochs: 14, batch_size: 16, learning_rate: 2e-4, dropout: 0.0, "
        f"buckets: [{LONGEST}]}}\n"
    )
    run, out, answers = tmp_path / "runs" / "finetune-seed0", tmp_path / "out", tmp_path / "a.npy"
    assert main(["train", str(tmp_path / "config.yaml")]) == 0
    losses = [line["loss"] for line in read_lines(run / "trace.jsonl")]
    assert np.mean(losses[-13:]) < 0.01, "an epoch's mean: 0.69 is where it began"
    assert main(["export", str(run), str(out)]) == 0
    mark = json.loads((out / "mindflood.json").read_text())
    assert mark["verification"]["agrees"]
    subprocess.run([sys.executable, "-c", IN_FLOAT64, str(out), str(answers)], check=True)
    exact, ours = np.load(answers), in_mindspore(out)
    assert len(exact) > 300
    assert np.abs(exact).max() > 2, "saturated"
    bound = 2e-5 * np.maximum(1, np.abs(exact).max())
    assert np.abs(ours - exact).max() <= bound
    card = json.loads((run / "card.json").read_text())
    labels = ours.argmax(axis=1)
    np.testing.assert_array_equal(labels, exact.argmax(axis=1))
    assert card["clean_accuracy"] == pytest.approx(float(np.mean(labels == labels_of_test())))


def labels_of_test() -> np.ndarray:
    from mindflood.data.sources import load_examples
    from mindflood.data.tasks import get_task

    return load_examples(get_task("corpus"), "test").labels
