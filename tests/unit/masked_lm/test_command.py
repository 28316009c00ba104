"""``mindflood masked-lm`` where several processes want the same model at once."""

import sys
import threading
import time
from types import ModuleType

import pytest

from mindflood.cli import main
from mindflood.files import whole_folder


@pytest.fixture
def made(monkeypatch, tmp_path):
    """The folders that were made, by a making that takes a while; no framework is imported."""
    folders = []

    def make(task, data, settings, out):
        folders.append(out)
        time.sleep(0.3)
        with whole_folder(out) as beside:
            (beside / "config.json").write_text("{}")

    stand_in = ModuleType("mindflood.masked_lm.train")
    stand_in.make = make
    monkeypatch.setitem(sys.modules, "mindflood.masked_lm.train", stand_in)
    monkeypatch.setenv("MINDFLOOD_CACHE", str(tmp_path / "cache"))
    return folders


def test_it_is_made_once_by_all_who_want_it(made, capsys):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(main(["masked-lm", "corpus"])))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [0, 0, 0]
    assert len(made) == 1
    said = capsys.readouterr()
    assert said.out.count(str(made[0])) == 3
    assert "waiting for it" in said.err


@pytest.mark.parametrize("file", ["config.json", "letter.txt"])
def test_a_folder_with_something_in_it_is_refused_before_training(made, tmp_path, capsys, file):
    out = tmp_path / "out"
    out.mkdir()
    (out / file).write_text("mine")
    assert main(["masked-lm", "corpus", "--out", str(out)]) == 2
    assert "already; choose another --out" in capsys.readouterr().err
    assert (out / file).read_text() == "mine"
    assert made == []


def test_who_comes_second_leaves_the_first_one_s_folder(tmp_path):
    out = tmp_path / "model"
    with whole_folder(out) as second:
        (second / "weights").write_text("second")
        with whole_folder(out) as first:
            (first / "weights").write_text("first")
        reader = (out / "weights").open()
    with reader:
        assert reader.read() == "first"
    assert (out / "weights").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_empty_folder_gives_way(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert main(["masked-lm", "corpus", "--out", str(out)]) == 0
    assert (out / "config.json").exists()
