"""``~`` is the home folder wherever a path is given."""

import argparse
import importlib
from pathlib import Path

import pytest

from mindflood.cli import VERBS, main
from mindflood.config.load import load_train_config
from mindflood.files import expanded

HOME = "~/mine"
PATHS = [
    ("train", [HOME], "config"),
    ("run", [HOME], "config"),
    ("export", [HOME, "OUT"], "run"),
    ("export", ["RUN", HOME], "out"),
    ("export", ["RUN", "OUT", "--encoder", HOME], "encoder"),
    ("export", ["RUN", "OUT", "--data", HOME], "data"),
    ("masked-lm", ["sst2", "--data", HOME], "data"),
    ("masked-lm", ["sst2", "--out", HOME], "out"),
    ("masked-lm", ["sst2", "--encoder", HOME], "encoder"),
    *(
        ("attack", ["MODEL", "--task", "T", "--recipe", "R", "--out", "OUT", option, HOME], name)
        for option, name in (
            ("--out", "out"), ("--data", "data"), ("--masked-lm", "masked_lm"), ("--csv", "csv"),
        )
    ),
    ("attack", [HOME, "--task", "T", "--recipe", "R", "--out", "OUT"], "model"),
    ("merge-attacks", [HOME, "--out", "OUT"], "folders"),
    ("merge-attacks", ["DIR", "--out", HOME], "out"),
    ("analyse", ["noise", HOME], "runs"),
    ("analyse", ["noise", "RUN", "--data", HOME], "data"),
    ("analyse", ["ball", "RUN", "--reference", HOME], "reference"),
    ("report", [HOME], "folder"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "words", "name"), PATHS, ids=lambda x: str(x))
def test_every_path_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, verb: str, words: list[str], name: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    parser = argparse.ArgumentParser()
    module = next(module for known, _, module in VERBS if known == verb)
    importlib.import_module(module).add_arguments(parser)
    value = getattr(parser.parse_args(words), name)
    values = value if isinstance(value, list) else [value]
    assert [str(one) for one in values] == ["/home/me/mine"]


def test_every_path_of_a_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    file = tmp_path / "c.yaml"
    file.write_text("output: ~/runs\nencoder: ~/bert\ntask: {data: ~/texts}\n")
    config = load_train_config(file, ["attack.masked_lm=~/lm", "attack.recipes=[bae]",
                                      "attack.profile=offline"])  # fmt: skip
    found = [config.output, config.encoder, config.task.data, config.attack.masked_lm]
    assert found == [str(tmp_path / "home" / name) for name in ("runs", "bert", "texts", "lm")]
    over = load_train_config(file, ["output=~/others", "task.data=~"])
    assert (over.output, over.task.data) == (str(tmp_path / "home" / "others"), None)


def test_what_is_no_home_folder_stays() -> None:
    for name in ("bert-base-uncased", "user/model", "./~", "runs/~x", "~no-such-user/x"):
        assert expanded(name) == name


def test_no_folder_is_called_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    (home / "c.yaml").write_text("output: ~/runs\nencoder: ~/nothing\nattack: {profile: offline}\n")
    for words in (
        ["train", "~/c.yaml"],
        ["run", "~/c.yaml", "output=~/others"],
        ["attack", "~/model", "--task", "sst2", "--recipe", "textfooler", "--out", "~/attacks"],
        ["masked-lm", "sst2", "--data", "~/nothing", "--out", "~/lm"],
        ["report", "~/runs"],
    ):
        assert main(words) == 2
        assert str(home) in capsys.readouterr().err
    assert list(here.iterdir()) == []
