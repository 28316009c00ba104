"""The bridge, seen from PyTorch: the exported folder loads cleanly and says the same."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mindflood.bridge.source import of_checkpoint
from mindflood.cli import main
from mindflood.models import kernels
from mindflood.training.state import checkpoints

LOAD = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folder = sys.argv[1]
model, loading = AutoModelForSequenceClassification.from_pretrained(
    folder, output_loading_info=True
)
tokenizer = AutoTokenizer.from_pretrained(folder)
tokens = tokenizer(json.loads(sys.argv[2]), padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    logits = model.eval()(**tokens).logits
print(json.dumps({
    "loading": {key: list(map(str, value)) for key, value in loading.items()},
    "labels": model.config.id2label, "logits": logits.tolist(), "kind": type(model).__name__,
}))
"""
LONGEST = 10
CORPUS = ("--task", "corpus")
TEXTS = ["a fine film .", "the food was not exactly good , but we liked the view", "dull"]


def in_pytorch(folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), json.dumps(TEXTS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def in_mindspore(folder: Path) -> np.ndarray:
    import mindspore as ms
    from mindspore import Tensor

    from mindflood.data.batching import encode, load_tokenizer
    from mindflood.data.sources import Examples
    from mindflood.models.classifier import load_classifier

    ms.set_context(mode=ms.PYNATIVE_MODE)
    rows = Examples(tuple((text,) for text in TEXTS), np.zeros(len(TEXTS), np.int64))
    encoded = encode(rows, load_tokenizer(folder), longest(folder))
    ids, mask, segments = encoded.padded(np.arange(len(rows)), int(encoded.lengths.max()))
    return load_classifier(folder)(Tensor(ids), Tensor(mask), Tensor(segments)).asnumpy()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """Trained for long, on texts most of which are cut."""
    folder = tmp_path_factory.mktemp("run")
    config = folder / "config.yaml"
    config.write_text(
        f"output: {folder}/runs\nencoder: {tiny_encoder}\nmethod: flooding\nflood_level: 1e-4\n"
        f"task: {{name: corpus, train_examples: 64, eval_examples: 32, max_length: {LONGEST}}}\n"
        "training: {epochs: 40, batch_size: 8, learning_rate: 4e-3, dropout: 0.0}\n"
    )
    assert main(["train", str(config)]) == 0
    return folder / "runs" / "flooding-seed0"


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "model"
    assert main(["export", str(run), str(out)]) == 0
    return out


def test_a_run_becomes_a_hugging_face_folder(run, exported, tmp_path, capsys):
    out = exported
    seen = in_pytorch(out)
    assert not any(seen["loading"].values())
    assert seen["kind"] == "BertForSequenceClassification"
    assert seen["labels"] == {"0": "negative", "1": "positive"}
    card = (out / "README.md").read_text()
    assert "flooding (flood level: 0.0001; seed 0)" in card
    assert "Clean accuracy" in card
    assert "PyTorch's logits differ" not in card
    np.testing.assert_allclose(in_mindspore(out), seen["logits"], atol=1e-5)
    losses = [json.loads(line)["loss"] for line in (run / "trace.jsonl").read_text().splitlines()]
    assert np.mean(losses[-8:]) < 0.25, "far from fresh, where it is 0.69"
    mark = json.loads((out / "mindflood.json").read_text())
    assert mark["max_length"] == LONGEST
    assert mark["verification"]["agrees"]
    assert mark["verification"]["largest_difference"] < 2e-5
    assert not any("PyTorch" in warning for warning in mark["warnings"])
    assert set(mark["files"]) == {path.name for path in out.iterdir()} - {"mindflood.json"}
    out = shutil.copytree(exported, tmp_path / "model")
    (out / "notes.txt").write_text("mine")
    assert main(["export", str(run), str(out)]) == 2
    assert f"{out / 'notes.txt'}: is not of the export" in capsys.readouterr().err
    assert (out / "notes.txt").read_text() == "mine"


ASK_VICTIM = """
import json, sys
import numpy as np
from mindflood.attack.victim.wrapper import Victim
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
task = get_task("corpus")
rows = load_examples(task, task.attacked_split, None)
victim = Victim(sys.argv[1], device="cpu")
longest = int(sys.argv[2])
lengths = [len(ids) for ids in victim.tokenizer([text for (text,) in rows.texts])["input_ids"]]
predictions = victim([text for (text,) in rows.texts]).argmax(dim=1).numpy()
print(json.dumps({
    "right": float(np.mean(predictions == rows.labels)), "longest": victim.max_length,
    "cut": float(np.mean(np.array(lengths) > longest)),
}))
"""


def test_the_victim_is_right_as_often_as_the_card_says(run, exported):
    """On every row of the test set, most of which training and attack have to cut."""
    words = [sys.executable, "-c", ASK_VICTIM, str(exported), str(LONGEST)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["longest"] == LONGEST
    assert found["cut"] > 0.5
    card = json.loads((run / "card.json").read_text())
    assert found["right"] == pytest.approx(card["clean_accuracy"], abs=1e-12)


@pytest.mark.slow
def test_a_model_that_pytorch_answers_otherwise_is_written_and_marked(
    run, exported, tmp_path, capsys, monkeypatch
):
    """With an activation that is no GELU, so that the two do differ; an earlier export goes."""
    mine = shutil.copytree(run, tmp_path / "run")
    out = shutil.copytree(exported, tmp_path / "model")
    monkeypatch.setattr(kernels, "_LOGIT_OF_PHI", (1.0, *[0.0] * 6))
    assert main(["export", str(mine), str(out)]) == 0
    told = capsys.readouterr().err.splitlines()
    line = next(x for x in told if x.startswith("mindflood: warning:"))
    assert "PyTorch's logits differ from MindSpore's by" in line
    mark = json.loads((out / "mindflood.json").read_text())
    assert not mark["verification"]["agrees"]
    assert mark["verification"]["largest_difference"] > mark["verification"]["bound"]
    assert line == f"mindflood: warning: {out}: {mark['warnings'][0]}"
    assert f"> **Warning:** {mark['warnings'][0]}." in (out / "README.md").read_text()
    assert set(mark["warnings"]) <= set(json.loads((mine / "card.json").read_text())["warnings"])
    assert not any(in_pytorch(out)["loading"].values())


def test_a_bare_checkpoint_becomes_a_hugging_face_folder(
    run, exported, tiny_encoder, tmp_path, capsys
):
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    out, encoder = tmp_path / "model", str(tiny_encoder)
    assert main(["export", str(checkpoint), str(out), "--encoder", encoder, *CORPUS]) == 0
    assert "of MindSpore's on 64 rows" in capsys.readouterr().out
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"):
        assert (out / name).read_bytes() == (exported / name).read_bytes()
    assert longest(out) == LONGEST, "of the run that it lies in"
    elsewhere = shutil.copy(checkpoint, tmp_path / "weights.ckpt")
    for given, length in ((None, 64), (24, 24)):
        source = of_checkpoint(elsewhere, encoder, None, "corpus", None, given)
        assert source.max_length == length


def longest(folder: Path) -> int:
    return json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"]


def changed(checkpoint: Path, path: Path, **weights: np.ndarray) -> list[str]:
    """The beginning of the command that exports a checkpoint with other weights."""
    import mindspore as ms

    from tests.conftest import weights_of

    values = weights_of(checkpoint) | {name.replace("__", "."): w for name, w in weights.items()}
    records = [{"name": name, "data": ms.Tensor(value)} for name, value in values.items()]
    ms.save_checkpoint(records, str(path))
    return ["export", str(path), str(path.with_suffix(".out")), "--task", "corpus", "--encoder"]


def test_a_checkpoint_that_says_something_else_is_refused(run, tiny_encoder, tmp_path, capsys):
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    layer = "bert__encoder__layer__2__output__dense__weight"
    more = changed(checkpoint, tmp_path / "more.ckpt", **{layer: np.ones((32, 64), np.float32)})
    spoilt = np.full((32, 32), np.nan, np.float32)
    nan = changed(checkpoint, tmp_path / "nan.ckpt", bert__pooler__dense__weight=spoilt)
    named = tmp_path / "named"
    shutil.copytree(tiny_encoder, named)
    config = json.loads((named / "config.json").read_text())
    labels = {"id2label": {"0": "ham", "1": "spam"}}
    (named / "config.json").write_text(json.dumps(config | labels))
    small = tmp_path / "small"
    shutil.copytree(tiny_encoder, small)
    (small / "config.json").write_text(json.dumps(config | {"vocab_size": 30521}))
    whole = ["export", str(checkpoint), str(tmp_path / "out"), "--task"]
    for words, message in (
        ([*more, str(tiny_encoder)], "no place for bert.encoder.layer.2.output.dense.weight (1 "),
        ([*nan, str(tiny_encoder)], "'bert.pooler.dense.weight' holds NaN or an infinity"),
        ([*more[:-1], "--encoder-layers", "1", "--encoder", str(tiny_encoder)], "no place for "),
        ([*whole, "corpus", "--encoder", str(named)], "is a classifier of ham, spam, and corpus"),
        ([*whole, "sst2", "--encoder", str(tiny_encoder)], "is of a run on corpus, not on sst2"),
        ([*whole, "corpus", "--encoder", str(small)], "knows 30522 tokens and the model has emb"),
        (
            [*whole, "corpus", "--encoder", str(tiny_encoder), "--max-length", "65"],
            "max_length 65: expected 3 to 64",
        ),
    ):
        capsys.readouterr()
        assert main(words) == 2
        assert message in capsys.readouterr().err
        assert not Path(words[2]).exists()


def test_a_head_in_another_order_is_told(run, exported, tiny_encoder, tmp_path):
    """One of the two orders is right less often than by chance, and says so."""
    from tests.conftest import weights_of

    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    weights = weights_of(checkpoint)
    head = {
        f"classifier__{name}": weights[f"classifier.{name}"][::-1].copy()
        for name in ("weight", "bias")
    }
    words = changed(checkpoint, tmp_path / "swapped.ckpt", **head)
    assert main([*words, str(tiny_encoder)]) == 0
    told = ["is below chance" in (f / "README.md").read_text() for f in (exported, Path(words[2]))]
    assert sorted(told) == [False, True]


@pytest.mark.slow
def test_a_killed_export_leaves_nothing_that_the_next_does_not_clear(run, tmp_path):
    out = tmp_path / "model"
    words = [sys.executable, "-m", "mindflood", "export", str(run), str(out)]
    with subprocess.Popen(words) as export:
        while not (asked := processes("mindflood.bridge.verify", str(tmp_path))):
            assert export.poll() is None
            time.sleep(0.05)
        export.kill()
    assert len(list(tmp_path.glob(".model.*.part"))) == 1
    deadline = time.monotonic() + 5
    while processes("mindflood.bridge.verify", str(tmp_path)) == asked:
        assert time.monotonic() < deadline, "the check outlives the export"
        time.sleep(0.05)
    subprocess.run(words, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def processes(*words: str) -> list[str]:
    """Numbers of the running processes whose command line has all the words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode(errors="replace")
            if all(word in line for word in words):
                found.append(path.parent.name)
    return found


@pytest.mark.slow
def test_a_run_of_the_first_layer_exports_that_layer_alone(tmp_path, write_config, capsys):
    config = write_config(encoder_layers=1, training__epochs=1)
    assert main(["train", str(config), "encoder_layers=3"]) == 2
    assert "encoder_layers: expected 1 to 2" in capsys.readouterr().err
    run, out, bare = tmp_path / "runs" / "finetune-seed0", tmp_path / "model", tmp_path / "bare"
    assert not run.exists(), "a mistake leaves nothing behind"
    assert main(["train", str(config)]) == 0
    trained = [path.read_bytes() for _, path in checkpoints(run / "checkpoints")]
    assert main(["export", str(run), str(out)]) == 0
    assert json.loads((out / "config.json").read_text())["num_hidden_layers"] == 1
    seen = in_pytorch(out)
    assert not any(seen["loading"].values())
    np.testing.assert_allclose(in_mindspore(out), seen["logits"], atol=1e-5)
    assert "first 1 of 2 layers" in (out / "README.md").read_text()
    card = json.loads((run / "card.json").read_text())
    assert card["encoder"].endswith(", first 1 of 2 layers")
    (run / "card.json").unlink()  # stopped just before its end: the checkpoint is taken up
    assert main(["train", str(config)]) == 0
    assert [path.read_bytes() for _, path in checkpoints(run / "checkpoints")] == trained
    assert main(["train", str(config), "encoder_layers=2"]) == 2
    assert "holds a run with encoder_layers 1, not 2" in capsys.readouterr().err
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    encoder = card["encoder"].split(",")[0]
    words = ["export", str(checkpoint), str(bare), "--encoder", encoder, "--task", "corpus"]
    assert main(words) == 2
    assert main([*words, "--encoder-layers", "1"]) == 0
    assert (bare / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_the_model_of_an_epoch_is_exported(tmp_path, write_config, run, capsys):
    config = write_config(training__keep_epochs=True)
    assert main(["train", str(config)]) == 0
    kept = tmp_path / "runs" / "finetune-seed0"
    outs = {"1": tmp_path / "1", "2": tmp_path / "2"}
    for epoch, out in outs.items():
        assert main(["export", str(kept), str(out), "--epoch", epoch]) == 0
        assert f"after epoch {epoch} of 2" in (out / "README.md").read_text()
        assert "Clean accuracy" not in (out / "README.md").read_text()
    assert main(["export", str(kept), str(tmp_path / "final")]) == 0
    final = (tmp_path / "final" / "model.safetensors").read_bytes()
    first, last = ((out / "model.safetensors").read_bytes() for out in outs.values())
    assert last == final != first
    capsys.readouterr()
    for where, message in (
        ([kept, "--epoch", "3"], "epoch 3 were not kept (those of 1, 2 were)"),
        ([run, "--epoch", "1"], "epoch 1 were not kept (none were)"),
        ([checkpoints(run / "checkpoints")[-1][1], "--epoch", "1"], "has no epochs"),
    ):
        path, *words = where
        assert main(["export", str(path), str(tmp_path / "none"), *words]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "none").exists()


def test_names_of_mindspores_own_layers_convert(run, exported, tiny_encoder, tmp_path):
    """LayerNorms and embeddings called as MindSpore's own cells call them."""
    import mindspore as ms
    from mindspore import Tensor

    from tests.conftest import weights_of

    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    renamed = tmp_path / "own.ckpt"
    records = []
    for name, value in weights_of(checkpoint).items():
        if name.startswith(("bert.", "classifier.")):
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            name = name.replace("LayerNorm.bias", "LayerNorm.beta")
            name = name.replace("embeddings.weight", "embeddings.embedding_table")
            records.append({"name": name, "data": Tensor(value)})
    ms.save_checkpoint(records, str(renamed))
    assert sum(record["name"].endswith(("gamma", "table")) for record in records) > 5
    out = tmp_path / "model"
    words = ["export", str(renamed), str(out), "--encoder", str(tiny_encoder)]
    assert main([*words, *CORPUS]) == 0
    assert (out / "model.safetensors").read_bytes() == (exported / "model.safetensors").read_bytes()


def test_a_checkpoint_of_another_architecture_is_refused(run, tmp_path, capsys):
    _, checkpoint = checkpoints(run / "checkpoints")[-1]
    words = ["export", str(checkpoint), str(tmp_path / "out"), "--encoder", "embedded"]
    assert main([*words, "--task", "corpus"]) == 2
    assert "another architecture or label set" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_classifier_from_elsewhere_loads_with_its_head(tmp_path, tiny_encoder):
    """Fine-tuned elsewhere, in PyTorch: the Cell has its logits and label names."""
    make = """
import sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
torch.manual_seed(3)
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], num_labels=3,
    id2label={0: "no", 1: "maybe", 2: "yes"}, label2id={"no": 0, "maybe": 1, "yes": 2})
model.classifier.weight.data.normal_(std=0.5)
model.save_pretrained(sys.argv[2])
AutoTokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
"""
    theirs = tmp_path / "theirs"
    subprocess.run([sys.executable, "-c", make, str(tiny_encoder), str(theirs)], check=True,
                   capture_output=True)  # fmt: skip
    logits = in_mindspore(theirs)
    assert logits.shape == (3, 3)
    np.testing.assert_allclose(logits, in_pytorch(theirs)["logits"], atol=1e-5)
