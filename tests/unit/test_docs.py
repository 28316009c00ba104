"""What the documentation tells a reader to type can be typed: configs, verbs and settings exist.

The pages build as a site without a warning, and point at nothing that is not there.
"""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mindflood.cli import VERBS, _parser
from mindflood.config.load import load_run_configs, load_train_config
from mindflood.data.tasks import TASKS
from tests.conftest import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
OWN_DATA = ROOT / "docs" / "own_data.md"
KINDS = OWN_DATA.with_name("kinds.md")
_CODE = re.compile(r"```\w*\n(.*?)```|`([^`]*)`", re.DOTALL)


def commands() -> list[str]:
    """Every command of the pages, a config's comment or a verb's help that names a config."""
    code = [
        block.replace("\\\n", " ").splitlines() if block else [inline.replace("\n", " ")]
        for page in PAGES
        for block, inline in _CODE.findall(page.read_text(encoding="utf-8"))
    ]
    for config in (ROOT / "configs").glob("*.yaml"):
        comment = [line for line in config.read_text().splitlines() if line.startswith("#")]
        joined = "\n".join(line.lstrip("# ") for line in comment).replace("\\\n", " ")
        code.append(joined.splitlines())
    code += [getattr(importlib.import_module(verb[2]), "EPILOG", "").splitlines() for verb in VERBS]
    lines = {line.strip() for block in code for line in block}
    return sorted(
        line for line in lines if re.search(r"(mindflood (run|train)|train\.py) configs/", line)
    )


@pytest.mark.parametrize("command", commands())
def test_a_config_and_its_settings_load(command: str) -> None:
    words = shlex.split(command, comments=True)
    at = next(i for i, word in enumerate(words) if word.startswith("configs/"))
    trains = words[at - 1] != "run"
    load = load_train_config if trains else load_run_configs
    assert load(ROOT / words[at], words[at + 1 :])


def test_the_commands_are_found() -> None:
    assert len(commands()) > 20


def lines_of_shells() -> list[str]:
    """Every line of the pages' shell blocks that calls a verb, without its comment."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"```(?:bash)?\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    lines = {line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()}
    return sorted(line for line in lines if line.startswith("mindflood "))


@pytest.mark.parametrize("line", lines_of_shells())
def test_a_line_of_a_shell_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert _parser(words).parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_points_at_what_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_pages_build_as_a_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    ran = subprocess.run(
        [*command, "--site-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "api" / "index.html").read_text("utf-8").count("FloodingTrainOneStepCell")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_the_table_of_tasks_is_whole() -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| (\d) \|$", OWN_DATA.read_text("utf-8"), re.MULTILINE)
    found = {
        name: (columns, int(classes))
        for names, columns, classes in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    expected = {
        name: (", ".join(f"`{column}`" for column in task.text_columns), task.num_labels)
        for name, task in TASKS.items()
        if task.kind == "classification"
    }
    assert found == {**expected, "corpus": ("built in", 2)}
    kinds = re.findall(r"^\| (`.*?) \| (\w+) \|", KINDS.read_text("utf-8"), re.MULTILINE)
    listed = {name: kind for names, kind in kinds for name in re.findall(r"`(\w+)`", names)}
    others = {name: task.kind for name, task in TASKS.items() if task.kind != "classification"}
    assert listed == others
