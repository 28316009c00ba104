"""An encoder of the hub: what a download takes, and what one that breaks off leaves."""

import os
import subprocess
from pathlib import Path

import pytest

from mindflood.models.pretrained import resolve_encoder
from mindflood.process import module_command
from tests.conftest import ROOT
from tests.fake_hub import hub

NAME = "somebody/encoder"
CONFIG = """
encoder: somebody/encoder
task: {name: corpus, train_examples: 16, eval_examples: 8}
training: {epochs: 1}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The embedded encoder, as a repository that also holds a pickle and code."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for path in resolve_encoder("embedded").iterdir():
        if path.is_file() and path.suffix in (".json", ".txt", ".safetensors"):
            (folder / path.name).symlink_to(path)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling.py").write_text("raise SystemExit('run')")
    return folder


def train(endpoint: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.yaml").write_text(CONFIG)
    environment = os.environ | {
        "HF_HOME": str(folder / "home"),
        "HF_ENDPOINT": endpoint,
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
    for variable in ("HF_HUB_OFFLINE", "HF_HUB_CACHE"):
        environment.pop(variable, None)
    command = module_command("mindflood", "train", "config.yaml", *words)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip


@pytest.mark.slow
def test_a_download_that_breaks_off_is_one_line_and_the_same_command_ends_it(
    repository: Path, tmp_path: Path
) -> None:
    asked: list[str] = []
    with hub(NAME, repository, asked, breaks_off=True) as endpoint:
        done = train(endpoint, tmp_path, "output=out")
    assert done.returncode == 2, done.stderr
    assert "model.safetensors" in asked
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith(f"mindflood: error: {NAME}: no such folder here, and the download")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()

    asked.clear()
    with hub(NAME, repository, asked, breaks_off=False) as endpoint:
        done = train(endpoint, tmp_path, "output=out")
    assert done.returncode == 0, done.stderr
    assert "model.safetensors" in asked
    assert not {"pytorch_model.bin", "modeling.py"} & set(asked)


def test_a_model_with_pickled_weights_alone_is_named(repository: Path, tmp_path: Path) -> None:
    (repository / "model.safetensors").unlink()
    asked: list[str] = []
    with hub(NAME, repository, asked, breaks_off=False) as endpoint:
        done = train(endpoint, tmp_path, "output=out")
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith(f"mindflood: error: {NAME}: no safetensors weights of this model")
    assert "pytorch_model.bin" not in asked
    assert not (tmp_path / "out").exists()
