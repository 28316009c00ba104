"""The logits of mindnlp's BERT, the other MindSpore implementation, on the same folder."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mindspore import Tensor
from safetensors.numpy import save_file

from mindflood.files import read_json, write_json
from mindflood.models.classifier import load_classifier
from mindflood.models.pretrained import resolve_encoder

# mindnlp takes the place of `torch` in the process that imports it, so it gets its own.
MINDNLP = """
import sys
import numpy as np
import mindnlp, torch, transformers
folder, inputs, out = sys.argv[1:]
arrays = {name: torch.tensor(a.astype(np.int64)) for name, a in np.load(inputs).items()}
model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
with torch.no_grad():
    np.save(out, model(**arrays).logits.numpy())
"""


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """The embedded encoder with a head, as a Hugging Face folder."""
    folder = tmp_path / "classifier"
    folder.mkdir()
    encoder = resolve_encoder("embedded")
    model = load_classifier(encoder, num_labels=3, seed=5)
    weights = {parameter.name: parameter.asnumpy() for parameter in model.get_parameters()}
    weights["classifier.weight"] = weights["classifier.weight"] * 10  # logits of some size
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = read_json(encoder / "config.json")
    names = {str(index): f"class {index}" for index in range(3)}
    write_json(folder / "config.json", config | {"id2label": names})
    return folder


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="mindnlp admits no MindSpore that Python 3.12 has"
)
@pytest.mark.slow
def test_logits_equal_mindnlp(classifier, tmp_path):
    random = np.random.default_rng(0)
    ids = random.integers(1000, 30000, (4, 24)).astype(np.int32)
    mask = np.ones_like(ids)
    segments = np.zeros_like(ids)
    mask[1, 15:], ids[1, 15:] = 0, 0
    segments[2, 10:] = 1
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
    np.savez(tmp_path / "inputs.npz", **arrays)
    command = [sys.executable, "-c", MINDNLP, str(classifier)]
    files = [str(tmp_path / "inputs.npz"), str(tmp_path / "out.npy")]
    subprocess.run(command + files, check=True, timeout=600)
    theirs = np.load(files[1])
    ours = load_classifier(classifier)(Tensor(ids), Tensor(mask), Tensor(segments)).asnumpy()
    assert np.abs(theirs).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
