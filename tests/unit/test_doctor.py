"""The doctor: never fails, never waits long, says what each absence costs and what mends it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mindflood import doctor
from mindflood import doctor_probes as probes
from mindflood.attack.resources import shipped
from mindflood.doctor import Check
from tests.conftest import ROOT


class Answers(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub on this machine that answers."""
    with HTTPServer(("127.0.0.1", 0), Answers) as running:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_port}")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield
        running.shutdown()


@pytest.mark.usefixtures("server")
def test_a_hub_that_answers_is_reachable() -> None:
    assert probes.hub_state() == "reachable"


@pytest.mark.usefixtures("server")
def test_a_hub_that_refuses_is_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "do_HEAD", lambda self: self.send_error(403))
    assert probes.hub_state() == "reachable"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_is_honoured(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert probes.hub_state() == f"switched off by {variable}"
    assert doctor._hub().mend == f"unset {variable}"


def test_a_hub_that_never_answers_costs_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        assert probes.hub_state() != "reachable"
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "not an address"], ids=repr)
def test_an_address_that_leads_nowhere_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert "not reachable" in probes.hub_state()


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("print('noise'); print('{\"devices\": []}')", {"devices": []}),
        ("import module_that_is_not_there", "No module named 'module_that_is_not_there'"),
        ("import os; os._exit(3)", "ended with status 3"),
        ("print('[1]')", "ended with status 0"),
        ("import time; time.sleep(60)", probes.TOO_SLOW),
    ],
    ids=["answer", "error", "crash", "no answer", "too slow"],
)
def test_a_probe_answers_or_says_why_not(script: str, answer: object) -> None:
    found = probes.ask(script, seconds=3)
    assert found == answer or (isinstance(found, str) and str(answer) in found)


@pytest.mark.parametrize(
    ("version", "needed", "fits"),
    [
        ("2.7.0", ">=2.7,<2.8", True),
        ("2.10.0", ">=2.7,<2.8", False),
        ("2.13.0+cpu", "==2.13.0", True),
        ("1.26.4", "<2", True),
        ("3.0.0", "", True),
    ],
)
def test_versions_are_compared_as_versions(version: str, needed: str, fits: bool) -> None:
    assert probes.fits(version, needed) is fits


def test_the_packages_that_the_user_named_are_needed() -> None:
    needed = {"mindspore", "numpy", "pandas", "textattack", "torch"}
    needed |= {"mindnlp"} if sys.version_info < (3, 12) else set()
    assert needed <= set(probes.requirements())


def test_free_memory_is_part_of_the_whole() -> None:
    free, total = probes.memory()
    assert 0 < free <= total


@pytest.mark.parametrize(
    ("pairs", "state", "found"),
    [
        (None, "note", "Apertium is not installed"),
        ("spa-cat", "note", "Apertium has no English"),
        ("eng-spa spa-eng eng-cat", "ok", "Apertium: eng-cat, eng-spa"),
    ],
)
def test_what_back_translation_needs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: str | None, state: str, found: str
) -> None:
    if pairs is not None:
        program = tmp_path / "apertium"
        program.write_text(f"#!/bin/sh\necho {pairs}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = doctor._translators()
    assert (check.state, check.found) == (state, found)
    assert ("apt-get install" in check.mend) == (state == "note")


def test_task_folders_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sst2", "unrelated", "mrpc"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("MINDFLOOD_DATA", str(tmp_path))
    (found,) = [check for check in doctor._data() if check.name == "MINDFLOOD_DATA"]
    assert found.state == "ok"
    assert found.found.endswith("sst2, mrpc")


def test_cached_models_are_listed_by_their_ids(tmp_path: Path) -> None:
    kept = "snapshots/0123456789abcdef0123456789abcdef01234567/config.json"
    for name in ("models--google-bert--bert-base-uncased", "datasets--nyu-mll--glue"):
        (tmp_path / name / kept).parent.mkdir(parents=True)
        (tmp_path / name / kept).write_text("{}")
    (tmp_path / "models--cut--off").mkdir()  # a download that had only begun
    (tmp_path / "spaces--not--asked" / "snapshots").mkdir(parents=True)
    assert cached(tmp_path) == ["google-bert/bert-base-uncased", "nyu-mll/glue"]
    assert cached(tmp_path / "missing") == []
    (tmp_path / "file").touch()
    assert cached(tmp_path / "file") == []


def cached(folder: Path) -> list[str]:
    """What is found by a process that starts with ``folder`` for its cache."""
    script = "import json; from mindflood.doctor_probes import cached_on_hub; "
    script += "print(json.dumps({'cached': cached_on_hub()}))"
    environment = os.environ | {"HF_HUB_CACHE": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True
    )
    found: list[str] = json.loads(done.stdout)["cached"]
    return found


def test_a_check_that_fails_is_a_line_and_no_traceback() -> None:
    def look() -> list[Check]:
        raise PermissionError("not yours")

    (check,) = doctor._guarded("machine", look)
    assert (check.area, check.state) == ("machine", "note")
    assert "not yours" in check.found


def test_only_what_the_offline_path_needs_makes_it_fail() -> None:
    note = Check("data", "hub", "note", "away", "no downloads", "--data FOLDER")
    missing = Check("encoder", "embedded", "missing", "absent", "no demo", "pip install it")
    assert doctor.status([note]) == 0
    assert doctor.status([note, missing]) == 1


def test_the_screen_names_cost_and_remedy_and_keeps_brackets() -> None:
    checks = [
        Check("data", "hub", "note", "away [bold]", "no downloads", "--data FOLDER"),
        Check("encoder", "embedded", "missing", "absent", "no demo", "pip install it"),
    ]
    screen = doctor.render(checks)
    for words in ("away [bold]", "no downloads", "→ --data FOLDER", "broken: embedded"):
        assert words in screen


def test_a_probe_without_answer_is_no_proof() -> None:
    screen = doctor.render([Check("devices", "MindSpore", "note", probes.TOO_SLOW)])
    assert "nothing is known to be missing; no answer from MindSpore" in screen
    assert "the offline path works" not in screen


@pytest.mark.parametrize("damaged", [False, True])
def test_the_words_that_ship(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damaged: bool
) -> None:
    for name in shipped.NAMES:
        content = shipped.shipped_file(name).read_bytes()
        (tmp_path / f"{name}.txt.xz").write_bytes(content[: -9 * damaged or None])
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    check = doctor._words(next(filter(None, map(shipped.damage, shipped.NAMES)), None))
    assert check.state == ("missing" if damaged else "ok")
    assert ("relations.txt.xz: missing or damaged" in check.found) is damaged


def test_the_resources_are_looked_at_without_a_framework() -> None:
    script = probes.RESOURCES + (
        "import sys; print(json.dumps({'found': [name for name in"
        " ('torch', 'textattack', 'transformers') if name in sys.modules]}))"
    )
    assert probes.ask(script) == {"found": []}


@pytest.mark.slow
def test_the_doctor_answers_within_half_a_minute() -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "import argparse, sys; from mindflood import doctor;"
         "status = doctor.run(argparse.Namespace());"
         "heavy = {'torch', 'mindspore', 'textattack', 'nltk'} & set(sys.modules);"
         "sys.exit(status or 10 * len(heavy))"],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert time.monotonic() - started < 30
    assert done.returncode == 0, done.stdout + done.stderr
    assert "broken" not in done.stdout
    for area in ("machine", "packages", "devices", "encoder", "data", "attack"):
        assert f"\n{area}" in f"\n{done.stdout}"
