"""A user's mistake is one clear line and exit status 2, and writes nothing."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mindflood.cli import main
from mindflood.config.load import load_train_config
from mindflood.training.run_folder import claim
from mindflood.training.state import checkpoints


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line that a command line mistake prints."""
    capsys.readouterr()
    assert main(list(map(str, words))) == 2
    lines = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("mindflood: error")
    ]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.lerning_rate=1e-5", "did you mean 'learning_rate'?"),
        ("training.epochs=ten", "training.epochs: expected a whole number"),
        ("flood_level=-1", "flood_level: expected a number of at least 0"),
        ("task.name=sst", "'sst'"),
        ("task.data=/nowhere/at/all", "/nowhere/at/all"),
        ("encoder=/nowhere/at/all", "/nowhere/at/all: no such folder"),
        ("device=Ascend", "device: MindSpore has no Ascend here"),
        ("task.max_length=65", "the encoder takes at most 64 tokens, not 65"),
        (
            "method=flooding-x accordance.sub_epochs=4",
            "accordance.sub_epochs: 4 do not fit into an epoch of 6 steps, as each compares the "
            "gradients of at least two batches; use at most 3",
        ),
        ("method=flooding-x-online accordance.sub_epochs=4", "use at most 3"),
        ("accordance.record=true training.batch_size=96", "train on more rows or lower batch_size"),
        ("method=flooding-x accordance.persistence=3", "at least 6 in the run's 2 epochs"),
        ("method=flooding-x accordance.margin=0.5", "accordance.margin: expected 0 <= margin"),
        ("method=flooding-search search.lower=0.3", "at most search.upper (0.2)"),
    ],
)
def test_train_refuses(write_config, capsys, tmp_path, override, message):
    line = refused(capsys, "train", write_config(), *override.split())
    assert message in line
    left = [path for path in (tmp_path / "runs").rglob("*") if path.name != "config.yaml"]
    assert [path for path in left if path.is_file()] == []


def test_a_search_under_msrun_is_refused(write_config, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MS_WORKER_NUM", "2")
    line = refused(capsys, "train", write_config(method="flooding-search"))
    assert "'flooding-search' starts its own processes and cannot run under msrun" in line
    assert not (tmp_path / "runs").exists()


def test_infobert_under_msrun_is_refused(write_config, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MS_WORKER_NUM", "2")
    line = refused(capsys, "train", write_config(method="infobert"))
    assert "'infobert' contrasts the rows of a batch, which one device must hold" in line
    assert not (tmp_path / "runs").exists()


def test_a_mended_mistake_does_not_need_another_folder(write_config, capsys):
    refused(capsys, "train", write_config(), "encoder=/nowhere/at/all")
    assert main(["train", str(write_config(training__epochs=1))]) == 0


def test_run_tells_what_the_attack_lacks_before_it_trains(
    write_config, capsys, tmp_path, monkeypatch
):
    for variable in ("TA_CACHE_DIR", "TFHUB_CACHE_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    monkeypatch.setattr("mindflood.attack.resources.downloads.reachable", lambda url: False)
    for verb, method, recipes in (
        ("run", "finetune", ["textfooler"]),
        ("train", "flooding-search", []),
        ("run", "flooding-search", []),
    ):
        methods = [method] if verb == "train" else ["finetune", method, "flooding-x"]
        attack = {"profile": "paper", "recipes": recipes}
        config = write_config(methods=list(dict.fromkeys(methods)), attack=attack)
        assert "counter-fitted word vectors" in refused(capsys, verb, config)
        assert not (tmp_path / "runs").exists()


def test_run_tells_that_there_is_no_such_language_model_before_it_trains(
    write_config, capsys, tmp_path
):
    attack = {"profile": "offline", "recipes": ["bae"], "masked_lm": str(tmp_path / "nowhere")}
    line = refused(capsys, "run", write_config(attack=attack))
    assert f"--masked-lm {tmp_path / 'nowhere'} (in a config: attack.masked_lm): no such" in line
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder with good training rows, to be spoilt."""
    folder = tmp_path / "table"
    folder.mkdir()
    good = "text,label\n" + "".join(f"a film number {i},{i % 2}\n" for i in range(40))
    for name in ("train", "dev", "test"):
        (folder / f"{name}.csv").write_text(good)
    return folder


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("txt,label\na film,1\n", "text"),
        ("text,label\na film,1\na bad one,7\n", "7"),
        ("text,label\n", "no"),
        ("text,label\na film,1\n   ,0\n", "empty"),
        ("text,label\na film,1\na film without one,\n", "row 3"),
    ],
    ids=["column", "label", "empty split", "empty text", "no label"],
)
def test_train_refuses_a_table(write_config, capsys, table, content, message):
    (table / "train.csv").write_text(content)
    line = refused(capsys, "train", write_config(task__name="imdb", task__data=str(table)))
    assert message in line
    assert "train.csv" in line


def test_a_text_of_ten_thousand_words_is_cut(write_config, table):
    with (table / "train.csv").open("a") as file:
        file.write("a " * 10_000 + ",1\n")
    config = write_config(task__name="imdb", task__data=str(table), training__epochs=1)
    assert main(["train", str(config)]) == 0


@pytest.fixture
def spoilt_encoder(tiny_encoder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    return folder


def test_train_refuses_a_truncated_safetensors_file(write_config, capsys, spoilt_encoder):
    weights = spoilt_encoder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    line = refused(capsys, "train", write_config(encoder=str(spoilt_encoder)))
    assert "model.safetensors: truncated or corrupt" in line


def test_train_refuses_weights_that_do_not_fit(write_config, capsys, spoilt_encoder):
    config = json.loads((spoilt_encoder / "config.json").read_text())
    (spoilt_encoder / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    line = refused(capsys, "train", write_config(encoder=str(spoilt_encoder)))
    assert "[64, 32]" in line
    assert "[96, 32]" in line


def test_train_refuses_pickled_weights(write_config, capsys, spoilt_encoder):
    weights = spoilt_encoder / "model.safetensors"
    weights.rename(spoilt_encoder / "pytorch_model.bin")
    line = refused(capsys, "train", write_config(encoder=str(spoilt_encoder)))
    assert "pickled weights are not loaded" in line


def test_train_refuses_somebody_elses_folder(write_config, capsys, tmp_path):
    notes = tmp_path / "runs" / "finetune-seed0" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    assert "holds no config.yaml" in refused(capsys, "train", write_config())
    assert [path.name for path in notes.parent.iterdir()] == ["notes.txt"]


def test_settings_that_were_refused_can_be_corrected(write_config, capsys, tmp_path):
    config = write_config(method="flooding-x-online", training__epochs=2)
    refused(capsys, "train", config, "accordance.sub_epochs=4")
    assert main(["train", str(config), "accordance.sub_epochs=2"]) == 0
    assert "accordance.sub_epochs 2, not 3" in refused(
        capsys, "train", config, "accordance.sub_epochs=3"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"step": 3, "accordance": NaN}', "line 1: NaN, expected finite numbers"),
        ('{"accordance": -0.3}', "line 1: no step"),
        ("[3]", "line 1: no step"),
    ],
)
def test_online_refuses_to_continue_a_damaged_trace(write_config, capsys, line, message):
    config = load_train_config(write_config(method="flooding-x-online"), [])
    claim(config.run_folder, config)
    (config.run_folder / "accordance.jsonl").write_text(line + "\n")
    error = refused(capsys, "train", config.run_folder / "config.yaml")
    assert f"accordance.jsonl, {message}" in error
    assert (config.run_folder / "accordance.jsonl").read_text() == line + "\n"


def test_a_tokenizer_of_more_tokens_than_the_encoder_has_embeddings(
    write_config, tiny_encoder, tmp_path, capsys
):
    """As where tokens were added and the model was not resized: told before the rows are read."""
    small = shutil.copytree(tiny_encoder, tmp_path / "small")
    weights = load_file(small / "model.safetensors")
    words = "embeddings.word_embeddings.weight"
    save_file(weights | {words: weights[words][:-1].copy()}, small / "model.safetensors")
    stated = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(stated | {"vocab_size": 30521}))
    message = f"{small}: its tokenizer knows 30522 tokens and the model has embeddings for 30521"
    config = write_config(encoder=str(small), task__data="/nowhere/at/all")
    assert message in refused(capsys, "train", config)
    masked_lm = ("masked-lm", "corpus", "--encoder", small, "--out", tmp_path / "mlm")
    assert message in refused(capsys, *masked_lm)
    assert not (tmp_path / "mlm").exists()


def limited_files(size: int):
    """Files cannot grow beyond ``size`` bytes: what a full disk looks like to one process."""

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(write_config, tmp_path):
    config = write_config(training__epochs=1)
    assert main(["train", str(config)]) == 0
    run = tmp_path / "runs" / "finetune-seed0"
    (run / "card.json").unlink()
    before = checkpoints(run / "checkpoints")
    resolved = run / "config.yaml"
    resolved.write_text(resolved.read_text().replace("epochs: 1", "epochs: 2"))
    stopped = subprocess.run(
        [sys.executable, "-m", "mindflood", "train", str(resolved)],
        capture_output=True, text=True, check=False, env=os.environ,
        preexec_fn=limited_files(200_000),
    )  # fmt: skip
    assert stopped.returncode == 2, stopped.stderr
    assert "cannot write" in stopped.stderr.splitlines()[-1]
    assert checkpoints(run / "checkpoints") == before
    assert [path.name for path in (run / "checkpoints").iterdir()] == [before[0][1].name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "nowhere", "out"), "nowhere: no such RUN folder or .ckpt file"),
        (("report", "nowhere"), "nowhere: no such folder"),
        (("train", "nowhere.yaml"), "nowhere.yaml: no such file"),
        (("run", "nowhere.yaml"), "nowhere.yaml: no such file"),
        (
            ("attack", "nowhere", "--task", "sst2", "--recipe", "textfooler", "--out", "x"),
            "nowhere",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_there(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *words)
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_a_run_that_is_not_complete(write_config, capsys, tmp_path):
    assert main(["train", str(write_config(training__epochs=1))]) == 0
    run = tmp_path / "runs" / "finetune-seed0"
    (run / "card.json").unlink()
    assert "the run is not complete" in refused(capsys, "export", run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_refuses_to_replace_a_folder_that_is_no_export(write_config, capsys, tmp_path):
    assert main(["train", str(write_config(training__epochs=1))]) == 0
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    line = refused(capsys, "export", tmp_path / "runs" / "finetune-seed0", out)
    assert "choose another folder" in line
    assert (out / "thesis.txt").read_text() == "mine"


def test_an_encoder_with_a_nan_stops_before_the_first_step(write_config, capsys, spoilt_encoder):
    weights = spoilt_encoder / "model.safetensors"
    arrays = load_file(weights)
    name = next(name for name in arrays if name.endswith("word_embeddings.weight"))
    arrays[name] = np.full_like(arrays[name], np.nan)
    save_file(arrays, weights)
    line = refused(capsys, "train", write_config(encoder=str(spoilt_encoder)))
    assert "the loss is no longer finite; nothing was saved yet" in line
