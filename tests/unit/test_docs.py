"""What the documentation tells a reader to type can be typed: configs, verbs and settings exist."""

import importlib
import re
import shlex

import pytest

from mindflood.cli import VERBS
from mindflood.config.load import load_run_configs, load_train_config
from tests.conftest import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
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
