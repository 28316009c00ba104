"""The logits of mindnlp's BERT, the other MindSpore implementation, on the same folder."""

import subprocess
import sys

import numpy as np
import pytest
from mindspore import Tensor

from mindflood.models.pretrained import from_pretrained, resolve_encoder

# mindnlp takes the place of `torch` in the process that imports it, so it gets its own.
MINDNLP = """
import sys
import numpy as np
import mindnlp, torch, transformers
folder, inputs, out = sys.argv[1:]
arrays = {name: torch.tensor(a.astype(np.int64)) for name, a in np.load(inputs).items()}
model = transformers.BertModel.from_pretrained(folder).eval()
with torch.no_grad():
    np.save(out, model(**arrays).last_hidden_state.numpy())
"""


@pytest.mark.slow
def test_hidden_states_equal_mindnlp(tmp_path):
    folder = resolve_encoder("embedded")
    random = np.random.default_rng(0)
    ids = random.integers(1000, 30000, (4, 24)).astype(np.int32)
    mask = np.ones_like(ids)
    segments = np.zeros_like(ids)
    mask[1, 15:], ids[1, 15:] = 0, 0
    segments[2, 10:] = 1
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
    np.savez(tmp_path / "inputs.npz", **arrays)
    command = [sys.executable, "-c", MINDNLP, str(folder)]
    files = [str(tmp_path / "inputs.npz"), str(tmp_path / "out.npy")]
    subprocess.run(command + files, check=True, timeout=600)
    model = from_pretrained(folder, num_labels=2)
    words = model.embed_words(Tensor(ids))
    states = model.embed(words, Tensor(ids), Tensor(segments))
    ours = model.encode(states, Tensor(mask)).asnumpy()
    real = mask.astype(bool)
    np.testing.assert_allclose(ours[real], np.load(files[1])[real], rtol=0, atol=1e-4)
